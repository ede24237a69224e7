"""The errors this package raises on purpose.

Every message says what was got, what was expected and how to mend it. The command line
turns each of them into one line and exit status 2.

::

    BgadlError
    ├── ConfigError            a setting, or a combination of settings, that cannot work
    │   └── UnknownNameError   a name that nothing is registered under
    ├── DataError              a dataset that is missing, empty, unreadable or malformed
    ├── PoolError              an answer or query that breaks an invariant of the pool
    ├── LedgerError            a ledger that cannot be trusted
    ├── RunFolderError         a run folder of another configuration, or one that cannot be written
    ├── ScoreError             an acquisition score that is not finite
    └── DivergenceError        a loss term that is no longer finite
"""


class BgadlError(Exception):
    """Base class of every error raised on purpose by this package."""


class ConfigError(BgadlError):
    """A setting, or a combination of settings, that cannot work."""


class UnknownNameError(ConfigError):
    """A name that nothing is registered under."""


class DataError(BgadlError):
    """A dataset that is missing, empty, unreadable or malformed."""


class PoolError(BgadlError):
    """An answer or a query that breaks an invariant of the pool."""


class LedgerError(BgadlError):
    """A ledger that cannot be trusted: a damaged or contradictory record."""


class RunFolderError(BgadlError):
    """A run folder that belongs to another configuration or cannot be written."""


class ScoreError(BgadlError):
    """An acquisition score that is not finite."""


class DivergenceError(BgadlError):
    """A loss term that is no longer finite; the last good checkpoint is kept."""

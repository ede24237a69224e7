"""The errors this package raises on purpose.

Every message says what was got, what was expected and how to mend it. The command line
turns each of them into one line and exit status 2.

::

    BgadlError
    ├── ConfigError            a setting, or a combination of settings, that cannot work
    │   └── UnknownNameError   a name that nothing is registered under
    ├── DataError              a dataset that is missing, empty, unreadable or malformed
    │   └── StreamError        images that cannot stay in their files
    ├── PoolError              an answer or query that breaks an invariant of the pool
    ├── LedgerError            a ledger that cannot be trusted
    ├── RunFolderError         a run folder of another configuration, or one that cannot be written
    ├── ScoreError             an acquisition score that is not finite
    ├── DivergenceError        a loss term that is no longer finite
    ├── ExportError            a model that cannot be exported, or not be served as exported
    └── ServerError            a server that cannot do what it is asked
        ├── BusyError          one that cannot be reached or has no time now; worth another try
        ├── RejectedError      a request that the server calls invalid; asking again is no use
        └── NotServedError     a model, version or label that the server does not have
"""

import re


class BgadlError(Exception):
    """Base class of every error raised on purpose by this package."""


class ConfigError(BgadlError):
    """A setting, or a combination of settings, that cannot work.

    Attributes:
        keys: Where it may stand in a file of settings, the most likely place first, as paths of
            keys like ``arms.bgadl.steps``; none where that is not known.
    """

    keys: tuple[str, ...] = ()


class UnknownNameError(ConfigError):
    """A name that nothing is registered under."""


class DataError(BgadlError):
    """A dataset that is missing, empty, unreadable or malformed."""


class StreamError(DataError):
    """Images that cannot be left in their files until they are needed."""


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


class ExportError(BgadlError):
    """A model that cannot be exported, or that a server would not serve as exported."""


class ServerError(BgadlError):
    """A server, of models or of tasks to label, that cannot do what it is asked."""


class BusyError(ServerError):
    """A server that cannot be reached or has no time now; worth another try."""


class RejectedError(ServerError):
    """A request that the server calls invalid; asking the same again is of no use."""


class NotServedError(ServerError):
    """A model, version or label that the server does not have, or has no longer."""


def plain(message: str) -> str:
    """One line of a TensorFlow error that says what happened, without names of graph nodes."""
    text = re.sub(r"\{\{.*?\}\} | \[Op:\w+\]", "", message.partition("\n\t [[")[0])
    lines = text.strip().splitlines() or [""]
    # A stack trace comes between this heading and what happened.
    return lines[-1] if lines[0].startswith("Graph execution error") else lines[0]

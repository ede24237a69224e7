"""``I/N``: the I-th of N shares of something."""

from __future__ import annotations

from bgadl_tf.core.errors import ConfigError


def parse_share(text: str, flag: str, example: str) -> tuple[int, int]:
    """I and N, with I from 1 to N.

    Args:
        text: ``I/N``.
        flag: That was given it.
        example: A right one, and what it is for.

    Raises:
        ConfigError: It is something else, or there is no such share.
    """
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal()) or not (
        1 <= int(number) <= int(count)
    ):
        raise ConfigError(f"{flag} is {text!r}; expected I/N with I from 1 to N, e.g. {example}")
    return int(number), int(count)

"""Numbers that follow from ids alone: what they decide depends on no order and no other example."""

from __future__ import annotations

import hashlib

from bgadl_tf.core.types import Id

BITS = 64


def hash_of(id_: Id, purpose: str = "") -> int:
    """``BITS`` bits of a hash of an id.

    Args:
        id_: Any text, also one that is no valid UTF-8.
        purpose: Decisions of different purposes are independent; at most 16 characters.
    """
    content = id_.encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(content, digest_size=BITS // 8, person=purpose.encode())
    return int.from_bytes(digest.digest(), "little")

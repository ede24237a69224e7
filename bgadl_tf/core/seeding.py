"""One root seed, and a name for everything that is random.

Every random draw of a run is identified by ``(root seed, round, purpose)``. The names are
hashed, so streams are independent of each other and of the order in which they are asked
for, and the same name gives the same stream on every machine and after every restart.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np

Purpose = Literal[
    "split",  # which images of a folder are held out for testing
    "initial_set",  # which ids are labelled in round 0
    "weights",  # initial weights of every network
    "order",  # the order of training examples
    "noise",  # dropout masks, latent draws and transforms while training
    "candidates",  # which pool ids are scored in a round
    "mc_masks",  # the K consistent dropout masks of a round
    "query",  # ties and random queries
    "generate",  # latent draws of x' = G(E(x*), y*)
]


SEEDS = 2**53
"""Number of seeds of a round's masks: JSON clients lose integers from here on."""


def seed_pair(root: int, round_: int, purpose: Purpose, detail: str = "") -> tuple[int, int]:
    """Seed of a stateless TensorFlow draw.

    Args:
        root: The run's root seed.
        round_: The round that draws; 0 for what happens once a run.
        purpose: What is drawn.
        detail: Tells several streams of one purpose apart, e.g. a variable's path.

    Returns:
        Two integers in ``[0, 2**31)``, valid as a ``[2]`` int32 seed.
    """
    digest = _digest(root, round_, purpose, detail)
    low, high = np.frombuffer(digest, dtype="<u4") & 0x7FFFFFFF
    return int(low), int(high)


def mask_seed(root: int, round_: int) -> int:
    """Seed of the K consistent dropout masks of a round.

    One integer, because that is what a client of the served model sends to replay a score.

    Returns:
        An integer in ``[0, SEEDS)``.
    """
    return int.from_bytes(_digest(root, round_, "mc_masks", ""), "little") % SEEDS


def generator(root: int, round_: int, purpose: Purpose, detail: str = "") -> np.random.Generator:
    """NumPy generator of the stream named ``(root, round_, purpose, detail)``."""
    return np.random.default_rng(seed_pair(root, round_, purpose, detail))


def _digest(root: int, round_: int, purpose: Purpose, detail: str) -> bytes:
    name = f"{root}/{round_}/{purpose}/{detail}".encode()
    return hashlib.blake2b(name, digest_size=8).digest()

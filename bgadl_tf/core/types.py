"""The shape alphabet and the aliases that several modules share.

Shapes are written with these letters everywhere:

====  =====================================================
B     examples of one (per-replica) batch
N     examples of a pool, a labelled set or another long list
K     Monte-Carlo (MC) samples: passes under different dropout masks
C     classes
Z     latent dimensions
H W   image height and width, in pixels
D     image channels: 1 or 3
F     components of a vector: an embedding, or what enters the classifier's head
====  =====================================================

Examples are images or vectors. Images are ``uint8 [N, H, W, D]`` in memory and
``float32 [B, H, W, D]`` in ``[0, 1]`` inside the networks; vectors are ``float32 [N, F]`` and
enter the networks as they are. Entropies are in nats, durations in seconds. Examples are named
by stable string ids, never by positions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Id = str
"""Stable name of one example."""

Label = int
"""Class index, 0 .. C-1."""

UNLABELLED: Label = -1
"""Stands where the label of an example is not known to anyone yet."""

Shape = tuple[int, ...]
"""Of one example: (H, W, D) of an image, (F,) of a vector."""

ImageShape = tuple[int, int, int]
"""(H, W, D)."""

Examples = NDArray[Any]
"""Images, uint8 [N, H, W, D], or vectors, float32 [N, F]."""

Images = NDArray[np.uint8]
"""uint8 [N, H, W, D]."""

Labels = NDArray[np.int32]
"""int32 [N]; ``UNLABELLED`` where unknown."""

Rows = NDArray[np.int64]
"""int64 [N]: places in a list of examples. Inside the program only; ids are what lasts."""

Floats = NDArray[np.float32]
"""float32, any shape."""

Json = dict[str, Any]
"""One JSON object."""

"""What TensorFlow reads from the environment when it is imported."""

from __future__ import annotations

import os


def prepare() -> None:
    """Set what is not set yet; without effect once TensorFlow is imported.

    Notices of its start are silenced, errors still show. The kernels of oneDNN are used on every
    x86 processor: TensorFlow itself uses them only where there is AVX-512, and without it a
    convolution takes twice as long (``scripts/profile_ops.py training`` with TF_ENABLE_ONEDNN_OPTS
    0 and 1). They round otherwise than its own: runs that are to be equal bit for bit need the
    same setting.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

"""Threads, before TensorFlow, PyTorch or NumPy are imported; processes inherit them."""

from __future__ import annotations

import os

from bgadl_tf.core import environment


def prepare(threads: int) -> None:
    """The same threads and kernels for everybody, and no thread that spins while another one works.

    The measurements are the CPU's: rivals that never use an accelerator would be no measure.
    """
    os.environ.update(
        OMP_NUM_THREADS=str(threads),
        OMP_WAIT_POLICY="passive",
        TF_NUM_INTRAOP_THREADS=str(threads),
        TF_NUM_INTEROP_THREADS=str(threads),
        CUDA_VISIBLE_DEVICES="",
    )
    environment.prepare()

"""Train by active learning: ``python scripts/train.py --help``. The same as ``bgadl train``."""

import sys

from bgadl_tf.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))

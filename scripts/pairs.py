"""Which acquisition goes with which learner, as a page: ``python scripts/pairs.py``."""

import sys

from bgadl_tf.runs import pairs

if __name__ == "__main__":
    sys.stdout.write(pairs.markdown())

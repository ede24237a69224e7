"""Stands in for ``bgadl train``: writes a finished run at once."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from tests.support.study.folders import write_run

parser = argparse.ArgumentParser()
parser.add_argument("--method")
parser.add_argument("--learner")
parser.add_argument("--acquisition")
parser.add_argument("--seed", type=int)
parser.add_argument("--out", type=Path)
parser.add_argument("--fail-seed", type=int, default=-1)
parser.add_argument("--hang", action="store_true")
arguments = parser.parse_args()
if arguments.seed == arguments.fail_seed:
    sys.exit("train: the sky fell")
if arguments.hang:
    arguments.out.mkdir(parents=True)
    (arguments.out / "pid").write_text(str(os.getpid()))
    time.sleep(60)
write_run(
    arguments.out,
    [0.5, 0.7 + 0.01 * arguments.seed],
    method=arguments.method,
    learner=arguments.learner,
    acquisition=arguments.acquisition,
    seed=arguments.seed,
    threads=os.environ.get("TF_NUM_INTRAOP_THREADS"),
)

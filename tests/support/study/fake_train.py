"""Stands in for ``bgadl train``: takes its flags, and writes a finished run at once.

FAKE_FAILS names a seed that fails, FAKE_HANGS one that hangs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from bgadl_tf import cli
from tests.support.study.folders import write_run

parser = argparse.ArgumentParser()
cli.add_train_flags(parser)
arguments = vars(parser.parse_args())
out: Path = arguments.pop("out")
exports = arguments.pop("export")
if str(arguments["seed"]) == os.environ.get("FAKE_FAILS"):
    sys.exit("train: the sky fell")
if str(arguments["seed"]) == os.environ.get("FAKE_HANGS"):
    out.mkdir(parents=True)
    (out / "pid").write_text(str(os.getpid()))
    time.sleep(60)
arguments |= {"initial_size": 20}
write_run(
    out,
    [0.5] * arguments["rounds"] + [0.7 + 0.01 * arguments["seed"]],
    **arguments,
    threads=os.environ.get("TF_NUM_INTRAOP_THREADS"),
)
if exports:
    (out / "export").mkdir(exist_ok=True)

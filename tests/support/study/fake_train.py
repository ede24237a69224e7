"""Stands in for ``bgadl train``: takes its flags, and writes a finished run at once.

FAKE_FAILS names a seed that fails, FAKE_HANGS one that hangs, FAKE_BEST_STEPS the steps with which
a run is the most accurate, FAKE_FAILS_ABOVE steps with more of which it fails, FAKE_SECONDS what a
run takes; FAKE_LOG is a file to which every run that is begun adds a line.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from bgadl_tf.runs import command_line, config_file
from tests.support.study.folders import write_run

parser = argparse.ArgumentParser()
command_line.add_train_flags(parser)
flags = vars(parser.parse_args())
out: Path = flags.pop("out")
exports, _ = flags.pop("export"), flags.pop("mlflow")
settings = config_file.config_of(flags.pop("config"), flags).to_json()
seed, steps = settings["seed"], settings["steps"]
if log := os.environ.get("FAKE_LOG"):
    with Path(log).open("a") as file:
        file.write(f"{out}\n")
if str(seed) == os.environ.get("FAKE_FAILS"):
    sys.exit("train: the sky fell")
if steps > int(os.environ.get("FAKE_FAILS_ABOVE", steps)):
    sys.exit("train: too many steps")
if str(seed) == os.environ.get("FAKE_HANGS"):
    out.mkdir(parents=True)
    (out / "pid").write_text(str(os.getpid()))
    time.sleep(60)
time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
last = 0.7 + 0.01 * (seed % 100)
if best := os.environ.get("FAKE_BEST_STEPS"):
    last -= abs(steps - int(best)) / 10_000
settings |= {"initial_size": 20}
write_run(
    out,
    [0.5] * settings["rounds"] + [last],
    **settings,
    threads=os.environ.get("TF_NUM_INTRAOP_THREADS"),
)
if exports:
    metadata = out / "export/classifier/1/assets.extra/metadata.json"
    metadata.parent.mkdir(parents=True, exist_ok=True)
    metadata.write_text(json.dumps({"round": settings["rounds"]}))

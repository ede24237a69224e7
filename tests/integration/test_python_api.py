"""What the Python API promises of a process that is somebody else's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.repository import REPOSITORY

PROGRAM = """
import os, sys
before = dict(os.environ)
import tensorflow as tf
from tensorflow.python.framework import config
import bgadl_tf

class Told(bgadl_tf.Callback):
    rounds = []
    def on_round(self, record):
        self.rounds.append(record.round)

settings = bgadl_tf.RunConfig(dataset="digits", method="bald", classifier="lenet", rounds=1,
                              steps=2, mc_samples=2, candidates=40)
outcome = bgadl_tf.train(settings, sys.argv[1], callbacks=[Told()])
assert [record["round"] for record in outcome.rounds] == Told.rounds == [0, 1]
assert not config.is_op_determinism_enabled()
assert tf.config.threading.get_intra_op_parallelism_threads() == 0
assert tf.keras.config.image_data_format() == "channels_last"
assert {k: v for k, v in os.environ.items() if k not in before} == {}, os.environ.keys() - before
"""


def test_train_changes_no_setting_of_the_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "run")]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""From a folder to a version: whole, half there, batched."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bgadl_tf.serving.server.batching import BatchingRunner
from bgadl_tf.serving.server.flags import Flags
from bgadl_tf.serving.server.inference import Servable, predict
from bgadl_tf.serving.server.loader import make_loader
from bgadl_tf.serving.server.manager import Manager
from bgadl_tf.serving.server.metrics import Metrics
from bgadl_tf.serving.server.savedmodel import SavedModel
from bgadl_tf.serving.server.status import Code
from tests.support.model_folders import config, refused, states
from tests.support.prometheus_page import value
from tests.support.saved_models import echo, half_plus


def load(folder: Path, metrics: Metrics | None = None, **flags: Any) -> Servable:
    loader = make_loader(Flags(model_base_path="/m", **flags), metrics or Metrics())
    return loader("m", 1, folder)


def floats(*values: float) -> dict[str, Any]:
    return {"x": np.array(values, np.float32)}


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return half_plus(2, tmp_path_factory.mktemp("half") / "1")


@pytest.fixture(scope="module")
def echoing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return echo(tmp_path_factory.mktemp("echo") / "1")


def test_half_a_folder_does_not_disturb_the_version_before(half: Path, tmp_path: Path) -> None:
    base = tmp_path / "a base, with: \"odd' names"
    shutil.copytree(half, base / "1")
    manager = Manager(make_loader(Flags(model_base_path="/m"), Metrics()))
    manager.configure([config(base)])

    def is_refused() -> str:
        for _ in range(2):
            manager.poll()
        status = manager.status("m", 2).model_version_status[0]
        assert status.state == status.END
        assert status.status.error_code != Code.OK
        assert str(tmp_path) not in status.status.error_message
        assert "/pytest" not in status.status.error_message
        with manager.acquired("m") as (number, servable):
            assert number == 1
            assert predict(servable, "", floats(4))["y"].tolist() == [4]
        shutil.rmtree(base / "2")
        manager.poll()
        return str(status.status.error_message)

    (base / "2").mkdir()
    assert is_refused()
    for name in ("saved_model.pb", "variables/variables.index"):
        shutil.copytree(half, base / "2")
        (base / "2" / name).unlink()
        assert is_refused()
    for name in ("saved_model.pb", "variables/variables.index",
                 "variables/variables.data-00000-of-00001"):  # fmt: skip
        shutil.copytree(half, base / "2")
        whole = (base / "2" / name).read_bytes()
        (base / "2" / name).write_bytes(whole[: len(whole) // 2])
        assert is_refused()
    shutil.copytree(half, base / "2")
    manager.poll()
    assert states(manager) == {2: "AVAILABLE", 1: "END"}
    manager.close()


def test_other_tags_are_not_found(half: Path) -> None:
    with pytest.raises(RuntimeError, match="tags"):
        load(half, saved_model_tags="serve,gpu")


class TestBatching:
    def test_merged_answers_are_the_separate_ones(self, echoing: Path) -> None:
        metrics = Metrics()
        alone, merged = load(echoing), load(echoing, metrics, enable_batching=True)
        chance = np.random.default_rng(0)
        requests = [
            {
                "a": chance.normal(size=[rows, 2]).astype(np.float32),
                "b": chance.integers(0, 9, [rows], dtype=np.int32),
            }
            for rows in chance.integers(1, 9, 300)
        ]
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda one: predict(merged, "", one), requests))
        for request, answer in zip(requests, answers, strict=True):
            expected = predict(alone, "", request)
            np.testing.assert_array_equal(answer["a_again"], request["a"])
            np.testing.assert_allclose(answer["sum"], expected["sum"], rtol=1e-6)
        name = ":tensorflow:serving:batching_session:processed_batch_size_count"
        assert 0 < value(metrics.page(), name) < 300, "nothing was merged"
        alone.close()
        merged.close()

    def test_a_bad_row_fails_its_caller_alone(self, echoing: Path) -> None:
        loaded = load(echoing, enable_batching=True)
        with ThreadPoolExecutor(16) as pool:
            values = [-1.0 if number % 7 == 0 else float(number) for number in range(120)]
            futures = [pool.submit(predict, loaded, "root", floats(value)) for value in values]
            for value, future in zip(values, futures, strict=True):
                if value < 0:
                    with pytest.raises(Exception, match="negative row"):
                        future.result()
                else:
                    assert future.result()["y"] == pytest.approx([value**0.5])
        loaded.close()

    def test_what_cannot_be_merged_is_refused(self, echoing: Path, half: Path) -> None:
        loaded, other = load(echoing, enable_batching=True), load(half, enable_batching=True)
        with refused(Code.INVALID_ARGUMENT, "at least one dimension"):
            predict(other, "", {"x": np.float32(1)})
        n = {"n": np.array([1, 2], np.int32)}
        with refused(Code.FAILED_PRECONDITION, "0 dimensions"):
            predict(loaded, "scalar", n)
        with refused(Code.FAILED_PRECONDITION, "0th dimension"):
            predict(loaded, "ragged", n)
        loaded.close()
        other.close()

    def test_parameters_of_the_server_and_of_the_version(self, half: Path, tmp_path: Path) -> None:
        folder = shutil.copytree(half, tmp_path / "1")
        (tmp_path / "batching.config").write_text("max_batch_size { value: 5 }")
        flags = {
            "enable_batching": True,
            "batching_parameters_file": str(tmp_path / "batching.config"),
        }
        own = {"enable_per_model_batching_parameters": True}

        def size(**more: Any) -> int:
            loaded = load(folder, **{**flags, **more})
            loaded.close()
            runner = loaded.runner
            assert isinstance(runner, BatchingRunner)
            return runner._batching.max_batch_size

        assert size(**own) == 5
        (folder / "batching_params.pbtxt").write_text("max_batch_size { value: 3 }")
        assert size() == 5
        assert size(**own) == 3
        assert isinstance(load(folder, **own).runner, SavedModel)
        (folder / "batching_params.pbtxt").write_text("max_batch_size { value: 0 }")
        with refused(Code.INVALID_ARGUMENT, "batching_params.pbtxt: max_batch_size"):
            size(**own)
        (folder / "batching_params.pbtxt").write_text("max_batch_size {")
        manager = Manager(make_loader(Flags(model_base_path="/m", **flags, **own), Metrics()))
        manager.configure([config(tmp_path)])
        message = manager.status("m", 1).model_version_status[0].status.error_message
        assert message.startswith("batching_params.pbtxt 1/batching_params.pbtxt is malformed")

"""``bgadl score --model FILE.keras``: a network that was trained elsewhere ranks images."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from bgadl_tf.cli import main
from bgadl_tf.core import durable
from bgadl_tf.data.images.png import to_png
from bgadl_tf.data.load import load_dataset
from bgadl_tf.models.mc_dropout import StochasticHead
from bgadl_tf.models.predictive import seeded_masks
from bgadl_tf.serving.score_command import SOME_FAILED
from tests.support.model_files import digits_model, saved, shifted
from tests.support.score_tools import table

RATE, MC_SAMPLES, SEED, COUNT = 0.4, 8, 7, 40
Score = Callable[..., int]


@pytest.fixture(scope="module")
def trained() -> keras.Model:
    train = load_dataset("digits").train
    return digits_model(train.examples_of(train.ids), np.array(train.labels))


@pytest.fixture
def file(trained: keras.Model, tmp_path: Path) -> Path:
    return saved(trained, tmp_path / "digits.keras")


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Test images as files, and one that is none."""
    folder, test = tmp_path / "pool", load_dataset("digits").test
    folder.mkdir()
    for id_ in test.ids[:COUNT]:
        (folder / f"{id_}.png").write_bytes(to_png(test.examples_of([id_])[0]))
    return folder


@pytest.fixture
def score(file: Path, pool: Path, tmp_path: Path) -> Score:
    """The command; returns its exit status."""

    def score(*flags: str) -> int:
        return main([
            "score", str(pool), "--model", str(file), "--pixel-range", "0,255", "--dropout",
            str(RATE), "--mc-samples", str(MC_SAMPLES), "--batch-size", "9",
            "--out", str(tmp_path / "scores.csv"), *flags,
        ])  # fmt: skip

    return score


def by_numpy(model: keras.Model, pool: Path, seed: int) -> dict[str, tuple[float, float]]:
    """BALD and predictive entropy by id: K passes one by one, under the masks of the seed."""
    test = load_dataset("digits").test
    ids = sorted(path.stem for path in pool.iterdir())
    trunk = keras.Model(model.inputs[0], model.get_layer("hidden").output)
    hidden = np.asarray(trunk(test.examples_of(ids).astype(np.float32)))
    head = StochasticHead(10, rates=(RATE,))
    head.build((None, 16))
    (masks,) = seeded_masks(head, np.int64(seed), MC_SAMPLES)
    kernel, bias = model.layers[-1].get_weights()
    passes = np.stack([_softmax(hidden * mask @ kernel + bias) for mask in np.asarray(masks)])
    total = _entropy(passes.mean(0))
    bald = total - _entropy(passes).mean(0)
    assert bald.std() > 0.01
    return {f"{i}.png": (b, t) for i, b, t in zip(ids, bald.tolist(), total.tolist(), strict=True)}


def _softmax(logits: NDArray[Any]) -> NDArray[Any]:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _entropy(probs: NDArray[Any]) -> NDArray[Any]:
    return -(probs * np.log(probs)).sum(-1)


def test_it_ranks_as_mc_dropout_does_and_goes_on_where_it_was_stopped(
    score: Score,
    trained: keras.Model,
    file: Path,
    pool: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (pool / "broken.png").write_bytes(to_png(np.zeros((8, 8, 1), np.uint8))[:30])
    append, writes = durable.append_json_lines, 0

    def interrupted(*arguments: Any) -> None:
        nonlocal writes
        writes += 1
        if writes == 3:
            raise KeyboardInterrupt
        append(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(durable, "append_json_lines", interrupted)
        assert score("--seed", str(SEED)) == 130
    partial = tmp_path / "scores.csv.partial"
    kept = partial.read_text().splitlines()
    assert len(kept) > 1
    assert json.loads(kept[0])["class_names"] == [str(number) for number in range(10)]

    # Another file, or another way to ask it, would mix scores that do not compare.
    original = file.read_bytes()
    saved(shifted(keras.models.clone_model(trained)), file)
    capsys.readouterr()
    assert score() == 2
    assert "the file of 'digits.keras' has changed since the scores" in capsys.readouterr().err
    file.write_bytes(original)
    assert score("--dropout", "0.2") == 2
    assert "whose dropout is 0.4, not 0.2" in capsys.readouterr().err
    assert partial.read_text().splitlines() == kept

    assert score("--top", "2", "--copy-to", str(tmp_path / "top")) == SOME_FAILED
    assert "with 'digits.keras', seed 7" in capsys.readouterr().err
    (pool / "broken.png").unlink()
    expected = by_numpy(trained, pool, SEED)
    rows = table(tmp_path / "scores.csv")
    assert len(rows) == COUNT
    for row in rows:
        bald, entropy = expected[row["id"]]
        assert float(row["bald"]) == pytest.approx(bald, abs=1e-5)
        assert float(row["predictive_entropy"]) == pytest.approx(entropy, abs=1e-5)
    assert [float(row["bald"]) for row in rows] == sorted(
        (float(row["bald"]) for row in rows), reverse=True
    )
    assert sorted(path.name for path in (tmp_path / "top").iterdir()) == sorted(
        row["id"] for row in rows[:2]
    )
    (failed,) = table(tmp_path / "scores.failed.csv")
    assert failed["id"] == "broken.png"
    assert not partial.exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--server", "http://127.0.0.1:1"], "--server: only a model on a server takes that"),
        (["--patience", "1", "--label", "x"], "--label, --patience: only a model on a server"),
        (["--timeout", "1"], "--timeout: only a model on a server"),
        (["--model-version", "1"], "--model-version: only a model on a server"),
        (["--model", "classifier"], "--pixel-range, --dropout, --mc-samples: only a model in a"),
        (["--model", "cats.h5"], "--model is 'cats.h5'; expected the name of a model on a server"),
        (["--model", "model:none.keras"], "model none.keras cannot be read: No such file"),
        (["--dropout", "0"], "--dropout is 0; it must be between 0 and 1"),
        (["--mc-samples", "1"], "--mc-samples is 1; it must be at least 2"),
        (["--image-size", "16"], "takes images of 8x8 pixels; leave it out"),
        (["--pixel-range", "0"], "--pixel-range is '0'; expected LOW,HIGH"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_fit_is_one_line(
    score: Score,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    message: str,
) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert score(*flags) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("bgadl: ")
    assert message in line
    assert sorted(tmp_path.rglob("*")) == before

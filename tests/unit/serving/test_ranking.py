"""``bgadl score`` from end to end: what comes out."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bgadl_tf.cli import main
from bgadl_tf.serving.ranked_files import COLUMNS
from bgadl_tf.serving.score_command import SOME_FAILED
from tests.support.fake_grpc import grpc_server
from tests.support.fake_model import CLASSES, FakeModel, bald
from tests.support.score_tools import (
    IDS,
    Score,
    address,
    content_of,
    expected_order,
    model,
    pool,
    score,
    table,
)

__all__ = ["address", "model", "pool", "score"]


# Ranked output


def test_a_ranking(score: Score, tmp_path: Path, model: FakeModel) -> None:
    assert score("--seed", "5") == 0
    rows = table(tmp_path / "scores.csv")
    assert list(rows[0]) == list(COLUMNS)
    assert [row["id"] for row in rows] == expected_order(5)
    assert [row["rank"] for row in rows] == [str(n) for n in range(1, len(IDS) + 1)]
    for row in rows:
        assert float(row["bald"]) == pytest.approx(bald(content_of(row["id"]), 5, 3), rel=1e-7)
        assert float(row["expected_entropy"]) == 0.5
        assert row["class_name"] == CLASSES[int(row["label"])]
        assert (row["model_version"], row["seed"]) == ("3", "5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pool", "scores.csv"]
    assert len(model.seen) == len(IDS)


def test_json_lines_and_grpc_give_the_same(score: Score, tmp_path: Path, model: FakeModel) -> None:
    score("--seed", "5")
    with grpc_server(model) as address:
        assert score("--seed", "5", out="scores.jsonl", server=address) == 0
    lines = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert [{name: str(value) for name, value in line.items()} for line in lines] == table(
        tmp_path / "scores.csv"
    )


def test_ties_are_broken_by_id(score: Score, pool: Path, tmp_path: Path) -> None:
    for path in pool.rglob("*.png"):
        path.write_bytes(content_of("the same"))
    score("--seed", "5")
    ids = [row["id"] for row in table(tmp_path / "scores.csv")]
    same = [id_ for id_ in ids if id_.endswith(".png")]
    assert same == sorted(same)


def test_a_seed_is_drawn_and_recorded(score: Score, tmp_path: Path) -> None:
    score()
    score(out="again.csv")
    seeds = [{row["seed"] for row in table(tmp_path / f"{n}.csv")} for n in ("scores", "again")]
    assert len(seeds[0]) == len(seeds[1]) == 1
    assert seeds[0] != seeds[1]
    score("--seed", next(iter(seeds[0])), out="replay.csv")
    assert (tmp_path / "replay.csv").read_text() == (tmp_path / "scores.csv").read_text()


def test_without_class_names_indices_stand_for_them(
    score: Score, tmp_path: Path, model: FakeModel
) -> None:
    model.metadata = None
    assert score() == 0
    rows = table(tmp_path / "scores.csv")
    assert all(row["class_name"] == row["label"] for row in rows)


def test_the_images_on_top_are_listed(
    score: Score, capsys: pytest.CaptureFixture[str], model: FakeModel
) -> None:
    assert score("--seed", "5", "--top", "3") == 0
    written = capsys.readouterr()
    listed = [line.split("\t") for line in written.out.splitlines()]
    assert [fields[-1] for fields in listed] == expected_order(5)[:3]
    assert [fields[0] for fields in listed] == ["1", "2", "3"]
    assert "scored 20 images with version 3 of 'classifier', seed 5" in written.err


def test_the_images_on_top_are_copied(score: Score, tmp_path: Path) -> None:
    assert score("--seed", "5", "--top", "4", "--copy-to", str(tmp_path / "top")) == 0
    copied = [path for path in (tmp_path / "top").rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path / "top").as_posix() for path in copied} == {
        *expected_order(5)[:4]
    }
    for path in copied:
        id_ = path.relative_to(tmp_path / "top").as_posix()
        assert path.read_bytes() == content_of(id_)


def test_a_dataset(address: str, tmp_path: Path, model: FakeModel) -> None:
    out, top = tmp_path / "scores.csv", tmp_path / "top"
    flags = ["--dataset", "digits", "--split", "test", "--server", address, "--seed", "1"]
    assert main(["score", *flags, "--out", str(out), "--top", "2", "--copy-to", str(top)]) == 0
    rows = table(out)
    assert len(rows) == len(model.seen) > 100
    assert sorted(path.name for path in top.iterdir()) == sorted(
        f"{row['id']}.png" for row in rows[:2]
    )


def test_names_that_are_not_utf8(
    score: Score, pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = os.fsencode(pool) + b"/\xff.png"
    Path(os.fsdecode(name)).write_bytes(content_of("x"))
    assert score("--top", "100", "--copy-to", str(tmp_path / "top")) == 0
    assert "ÿ.png" in {row["id"] for row in table(tmp_path / "scores.csv")}
    assert "\tÿ.png\n" in capsys.readouterr().out
    assert (tmp_path / "top" / "ÿ.png").read_bytes() == content_of("x")


# Images without a score


def test_bad_images_are_listed_apart(
    score: Score, pool: Path, tmp_path: Path, model: FakeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model.bad = {content_of("cat/c.png")}
    (pool / "empty.png").touch()
    (pool / "gone.png").symlink_to(pool / "nowhere")
    os.mkfifo(pool / "pipe.png")
    assert score("--seed", "5") == SOME_FAILED
    rows = table(tmp_path / "scores.csv")
    assert [row["id"] for row in rows] == [i for i in expected_order(5) if i != "cat/c.png"]
    failed = {row["id"]: row["error"] for row in table(tmp_path / "scores.failed.csv")}
    assert set(failed) == {"cat/c.png", "empty.png"}
    assert "got junk" in failed["cat/c.png"]
    assert failed["empty.png"] == "cannot be read: the file is empty"
    said = capsys.readouterr().err
    assert "2 images have no score; see " in said
    assert "bgadl: left out: 2 (.hidden, .hidden.png): hidden\n" in said
    assert "bgadl: left out: 1 (notes.txt): not an image\n" in said
    assert "bgadl: left out: 1 (gone.png): a broken link\n" in said
    assert "bgadl: left out: 1 (pipe.png): not a regular file\n" in said
    for name in ("empty", "gone", "pipe"):
        (pool / f"{name}.png").unlink()
    model.bad = set()
    assert score("--seed", "5") == 0
    assert not (tmp_path / "scores.failed.csv").exists()


# Bad input


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--batch-size", "0"], "--batch-size is 0; it must be at least 1"),
        (["--top", "0"], "--top is 0; it must be at least 1"),
        (["--copy-to", "x"], "--copy-to needs --top"),
        (["--seed", "-1"], "seed is -1; it must be from 0"),
        (["--timeout", "0"], "timeout is 0 s; it must be positive"),
        (["--patience", "-1"], "--patience is -1 s; it must not be negative"),
        (["--model-version", "1", "--label", "x"], "a version and a label are given"),
        (["--server", "127.0.0.1:8500"], "names no protocol: write http://127.0.0.1:8500 (REST)"),
        (["--server", "http://127.0.0.1:1", "--patience", "0"], "Connection refused; gave up"),
        (["--dataset", "digits"], "give either a FOLDER of images or --dataset NAME"),
        (["--model", "nothing"], "Could not find any versions of model nothing"),
        (["--out", "scores.txt"], "expected a file ending in .csv or .jsonl"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    score: Score,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    message: str,
) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert score(*flags) == 2
    lines = [line.rpartition("\r")[2] for line in capsys.readouterr().err.splitlines()]
    assert [line for line in lines if line.startswith("bgadl")] == [lines[-1]]
    assert message in lines[-1]
    assert sorted(tmp_path.rglob("*")) == before


def test_folders_for_copies(
    score: Score, pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score("--top", "1", "--copy-to", str(pool / "top")) == 2
    assert "lies in the folder that is scored" in capsys.readouterr().err
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "old.png").touch()
    assert score("--top", "1", "--copy-to", str(tmp_path / "top")) == 2
    assert "is not empty; use a new folder" in capsys.readouterr().err


def test_folders_without_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for folder, message in (("empty", "holds no images"), ("none", "does not exist")):
        assert main(["score", str(tmp_path / folder), "--out", str(tmp_path / "x.csv")]) == 2
        assert message in capsys.readouterr().err

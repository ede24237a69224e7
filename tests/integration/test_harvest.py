"""From a served model's traffic back into the pool of the run that it comes from."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bgadl_tf import cli
from bgadl_tf.core import durable, seeding
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.harvest import ledger
from bgadl_tf.harvest.harvest import Settings
from bgadl_tf.labelling.taken_up import taken_up
from bgadl_tf.loop.further import mutual_information
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.train import train
from tests.support import photos

KNOWN, NEW = range(200), range(300, 360)


def config(root: Path, **settings: Any) -> RunConfig:
    return RunConfig(**{
        "dataset": f"folder:{root}", "method": "bald", "classifier": "lenet", "image_size": 28,
        "initial_size": 20, "query_size": 10, "rounds": 1, "steps": 30, "batch_size": 16,
        "mc_samples": 5, **settings,
    })  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``photos``, a finished ``run`` on them, and ``traffic``; not to be changed."""
    folder = tmp_path_factory.mktemp("harvest")
    paths = photos.save_digits(folder / "photos", KNOWN)
    assert train(config(folder / "photos"), folder / "run").exported is not None
    photos.save_digits(folder / "traffic", NEW, "classifier")
    traffic = folder / "traffic"
    shutil.copy(paths[0], traffic / "copy.png")
    image = np.asarray(Image.open(paths[1])).astype(np.int16)
    nearly = np.clip(image + (image > 100), 0, 255).astype(np.uint8)
    Image.fromarray(nearly).save(traffic / "nearly.png")
    Image.open(paths[2]).save(traffic / "again.jpg", quality=90)
    Image.open(paths[3]).point(lambda value: min(255, round(value * 1.1))).save(
        traffic / "bright.png"
    )
    (traffic / "notes.txt").write_text("no image")
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of it that may be changed."""
    for name in ("photos", "run", "traffic"):
        shutil.copytree(finished / name, tmp_path / name)
    start = json.loads((tmp_path / "run" / "config.json").read_text())
    start["dataset"] = f"folder:{tmp_path / 'photos'}"
    (tmp_path / "run" / "config.json").write_text(json.dumps(start))
    return tmp_path


def harvested(folder: Path, *flags: str) -> list[dict[str, str]]:
    """What became of each image, by the command."""
    assert cli.main(["harvest", str(folder / "run"), str(folder / "traffic"), *flags]) == 0
    with (folder / "run" / "harvest" / "harvest.csv").open() as file:
        return list(csv.DictReader(file))


def test_what_is_informative_and_new_joins_the_pool(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted((folder / "photos").rglob("*.png"))
    rows = harvested(folder, "--quantile", "0", "--dry-run")
    assert sorted((folder / "photos").rglob("*.png")) == before
    assert not (folder / "run" / "harvest.jsonl").exists()
    decisions = {row["id"]: row for row in rows}
    assert len(decisions) == len(NEW) + 4
    changed = {"copy.png": 0, "nearly.png": 1, "again.jpg": 2, "bright.png": 3}
    for name, of in changed.items():
        assert decisions[name]["decision"] == "near-duplicate"
        assert decisions[name]["of"].endswith(f"{of:04}.png")
    joins = [row for row in rows if row["decision"] == "joins"]
    assert len(joins) > len(NEW) / 2

    rows = harvested(folder, "--quantile", "0.5", "--most", "6")
    joined = [row for row in rows if row["decision"] == "joins"]
    assert len(joined) == 6
    scores = [float(row["bald"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    threshold = np.quantile(scores, 0.5)
    assert all(float(row["bald"]) > threshold for row in joined)
    below = [row for row in rows if row["decision"] == "below the quantile"]
    assert all(float(row["bald"]) <= threshold for row in below)
    assert below
    assert {row["model_version"] for row in rows} == {"1"}
    for row in joined:
        original = (folder / "traffic" / row["id"]).read_bytes()
        assert (folder / "photos" / row["pool_id"]).read_bytes() == original
    origins = ledger.read(folder / "run")
    assert [(one.id, one.image) for one in origins] == [(r["pool_id"], r["id"]) for r in joined]
    assert {(one.model_version, one.round) for one in origins} == {(1, 2)}
    assert "6 joins" in capsys.readouterr().out

    again = {row["id"]: row["decision"] for row in harvested(folder, "--quantile", "0.5")}
    assert {again[row["id"]] for row in joined} == {"in the pool already"}
    assert len(ledger.read(folder / "run")) == sum(
        decision in ("joins", "in the pool already") for decision in again.values()
    )


def test_scores_are_those_of_the_loop_which_finds_what_joined(folder: Path) -> None:
    rows = {row["pool_id"]: row for row in harvested(folder, "--quantile", "0.8")}
    with taken_up(folder / "run", rounds=2, query_size=10) as opened:
        loop = opened.loop
        assert loop.history.starts[-1]["added"]
        ids = [one.id for one in ledger.read(folder / "run")]
        assert all(id_ in loop.dataset.train for id_ in ids)
        assert loop.round == 2
        seed = seeding.mask_seed(loop.plan.seed, loop.round)
        assert {row["seed"] for row in rows.values()} == {str(seed)}
        parts = loop.scorer.look(loop.examples.source_of(ids), seed, mutual_information)
        found = np.concatenate([part for (part,) in parts])
        assert found == pytest.approx([float(rows[id_]["bald"]) for id_ in ids], abs=1e-5)
        assert {*ids} <= {*loop.pool.candidates(0, np.random.default_rng(0))}


def test_a_new_version_scores_all_anew(folder: Path) -> None:
    first = harvested(folder, "--quantile", "0.5", "--dry-run")
    assert train(config(folder / "photos", rounds=2), folder / "run").exported is not None
    second = harvested(folder, "--quantile", "0.5", "--dry-run")
    assert {row["model_version"] for row in first} == {"1"}
    assert {row["model_version"] for row in second} == {"2"}
    assert {r["id"]: r["bald"] for r in first} != {r["id"]: r["bald"] for r in second}


def test_a_harvest_that_was_stopped_is_given_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, count = durable.atomic_write_bytes, 0

    def stops(path: Path, content: bytes) -> None:
        nonlocal count
        if path.parent.name == "unlabelled":
            count += 1
            if count == 3:
                raise KeyboardInterrupt
        write(path, content)

    flags = ["harvest", str(folder / "run"), str(folder / "traffic"), "--quantile", "0.8"]
    with monkeypatch.context() as patch:
        patch.setattr(durable, "atomic_write_bytes", stops)
        assert cli.main(flags) == cli.INTERRUPTED
    assert len(list((folder / "photos" / "unlabelled").iterdir())) == 2
    assert not ledger.read(folder / "run")
    rows = harvested(folder, "--quantile", "0.8")
    taken = {row["pool_id"] for row in rows if row["decision"] in ("joins", "in the pool already")}
    assert {one.id for one in ledger.read(folder / "run")} == taken
    assert {f"unlabelled/{p.name}" for p in (folder / "photos" / "unlabelled").iterdir()} == taken


def test_what_cannot_be_is_told_before_anything_is_done(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*flags: str) -> str:
        assert cli.main(["harvest", *flags]) == cli.BAD_INPUT
        return capsys.readouterr().err

    run, traffic = str(folder / "run"), str(folder / "traffic")
    assert "is the folder of no run" in refused(str(tmp_path / "nothing"), traffic)
    assert "lies in" in refused(run, str(folder / "photos"))
    assert "does not exist" in refused(run, str(folder / "nothing"))
    assert "--quantile is 1; expected" in refused(run, traffic, "--quantile", "1")
    assert "add --server" in refused(run, traffic, "--model-version", "2")
    shutil.rmtree(folder / "run" / "export")
    assert "holds no exported classifier" in refused(run, traffic)
    assert not (folder / "run" / "harvest").exists()
    with pytest.raises(ConfigError, match="--most is 0; it must be at least 1"):
        Settings(most=0)
    with pytest.raises(ConfigError, match="--distance is nan; it must not be negative"):
        Settings(distance=float("nan"))

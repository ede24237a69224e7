"""A person labels a folder of images: ask, wait, learn what is answered, go on."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bgadl_tf.cli import main
from tests.support.run_tools import SMALL, everything, no_export, no_pictures

__all__ = ["no_export", "no_pictures"]

WAITING = 3


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two classes that can be told apart, and images of nobody knows which."""
    rng = np.random.default_rng(0)

    def save(path: Path, brightness: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 60, (8, 8), dtype=np.uint8) + brightness).save(path)

    for number in range(10):
        save(tmp_path / "images" / "dark" / f"{number}.png", 0)
        save(tmp_path / "images" / "light" / f"{number}.png", 150)
    for number in range(20):
        save(tmp_path / "images" / f"{number:02}.png", 150 * (number % 2))
    return tmp_path / "images"


def run(images: Path, out: Path, *more: str) -> int:
    return main([
        "train", "--dataset", f"folder:{images}", "--method", "bald", *SMALL, "--steps", "5",
        "--rounds", "2", "--initial-size", "16", *more, "--out", str(out),
    ])  # fmt: skip


def asked(out: Path) -> list[str]:
    """Ids in to_label.csv that have no label yet."""
    with (out / "to_label.csv").open(newline="") as file:
        return [row["id"] for row in csv.DictReader(file) if not row["label"]]


def answer(out: Path, answers: dict[str, str]) -> None:
    with (out / "to_label.csv").open(newline="") as file:
        rows = [
            {**row, "label": answers.get(row["id"], row["label"])} for row in csv.DictReader(file)
        ]
    with (out / "to_label.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "label"])
        writer.writeheader()
        writer.writerows(rows)


def truth(id_: str) -> str:
    return ("dark", "light")[int(id_.removesuffix(".png")) % 2]


def ledger(out: Path) -> dict[str, dict[str, object]]:
    records = [json.loads(line) for line in (out / "labels.jsonl").read_text().splitlines()]
    assert len({record["id"] for record in records}) == len(records), "asked twice"
    return {record["id"]: record for record in records}


def finished(out: Path) -> list[int]:
    return [json.loads(line)["round"] for line in (out / "rounds.jsonl").read_text().splitlines()]


@pytest.mark.usefixtures("no_pictures", "no_export")
def test_ask_label_tell_over_restarts(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run(images, out) == WAITING
    assert "to_label.csv" in capsys.readouterr().out.splitlines()[-1]
    assert finished(out) == [0]
    first = asked(out)
    assert len(first) == 4
    assert all("/" not in id_ for id_ in first), "the labels of images in class folders are known"
    assert len(ledger(out)) == 16

    # Nothing answered: nothing changes.
    before = everything(out)
    assert run(images, out) == WAITING
    assert {k: v for k, v in everything(out).items() if "tensorboard" not in k} == {
        k: v for k, v in before.items() if "tensorboard" not in k
    }

    # Some answered: they are recorded at once.
    answer(out, {id_: truth(id_) for id_ in first[:2]})
    assert run(images, out) == WAITING
    assert [ledger(out)[id_]["label"] for id_ in first[:2]] == [
        int(truth(i) == "light") for i in first[:2]
    ]
    assert ledger(out)[first[0]]["source"] == "file:to_label.csv"
    assert finished(out) == [0]
    assert asked(out) == first[2:]

    # The rest answered, one by 'skip': the next round asks.
    answer(out, {first[2]: "skip", first[3]: truth(first[3])})
    assert run(images, out) == WAITING
    assert finished(out) == [0, 1]
    assert ledger(out)[first[2]]["label"] is None
    second = asked(out)
    assert len(second) == 4
    assert not {*second} & {*first}

    # A ledger that a crash cut short takes the answer from the file again.
    content = (out / "labels.jsonl").read_bytes()
    (out / "labels.jsonl").write_bytes(content[:-9])
    assert run(images, out) == WAITING
    assert (out / "labels.jsonl").read_bytes() == content
    assert asked(out) == second

    answer(out, {id_: truth(id_) for id_ in second})
    assert run(images, out) == 0
    assert finished(out) == [0, 1, 2]
    assert len(ledger(out)) == 16 + 8
    last = json.loads((out / "rounds.jsonl").read_text().splitlines()[-1])
    assert last["labelled"] == 16 + 7

    before = everything(out)
    assert run(images, out) == 0
    assert everything(out) == before


@pytest.mark.usefixtures("no_pictures", "no_export")
def test_a_label_that_is_no_class_is_refused_and_nothing_is_lost(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run(images, out) == WAITING
    recorded = (out / "labels.jsonl").read_bytes()
    ids = asked(out)
    answer(out, {ids[0]: "dark", ids[1]: "grey"})
    filled = (out / "to_label.csv").read_bytes()
    assert run(images, out) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("bgadl: ")
    assert "'grey' is not a class; allowed: dark, light" in message
    assert (out / "to_label.csv").read_bytes() == filled
    assert (out / "labels.jsonl").read_bytes() == recorded


@pytest.mark.usefixtures("no_pictures", "no_export")
def test_known_labels_beyond_the_initial_set_are_not_asked_of_a_person(
    images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    while (status := run(images, out, "--initial-size", "4", "--query-size", "12")) == WAITING:
        ids = asked(out)
        assert all("/" not in id_ for id_ in ids)
        answer(out, {id_: truth(id_) for id_ in ids})
    assert status == 0
    sources = {id_: record["source"] for id_, record in ledger(out).items()}
    assert {"/" in id_ for id_, source in sources.items() if source == "held-back"} == {True}
    assert len(sources) == 4 + 24

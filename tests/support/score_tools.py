"""What the tests of ``bgadl score`` share: a pool, a fake server and the command."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bgadl_tf.cli import main
from tests.support.examples import tiny_png
from tests.support.fake_model import FakeModel, bald
from tests.support.fake_rest import rest_server

IDS = sorted(
    ["a.png", "b.JPG", "cat/c.png", "cat/d.jpeg", *(f"deep/er/{n:02}.png" for n in range(16))]
)
Score = Callable[..., int]


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def address(model: FakeModel) -> Iterator[str]:
    with rest_server(model) as address:
        yield address


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Images in class folders and outside, and what is none."""
    folder = tmp_path / "pool"
    folder.mkdir()
    (folder / "notes.txt").write_text("cats and dogs")
    for id_ in [*IDS, ".hidden.png", ".hidden/x.png"]:
        path = folder / id_
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content_of(id_))
    return folder


@pytest.fixture
def score(address: str, pool: Path, tmp_path: Path) -> Score:
    """The command; returns its exit status."""

    def score(*flags: str, out: str = "scores.csv", server: str = address) -> int:
        try:
            return main([
                "score", str(pool), "--server", server, "--out", str(tmp_path / out),
                "--batch-size", "3", "--patience", "0.5", *flags,
            ])  # fmt: skip
        except SystemExit as stop:
            return int(stop.code or 0)

    return score


def content_of(id_: str) -> bytes:
    return tiny_png(id_)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def expected_order(seed: int, version: int = 3, ids: list[str] = IDS) -> list[str]:
    return sorted(ids, key=lambda id_: (-bald(content_of(id_), seed, version), id_))

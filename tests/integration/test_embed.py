"""``bgadl embed``: features in a folder, whatever happens while they are written or later."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tqdm import tqdm

from bgadl_tf.cli import main
from bgadl_tf.core.errors import BgadlError, DataError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.embeddings.hold import held
from bgadl_tf.data.embeddings.rows import DigestedRows
from bgadl_tf.data.embeddings.store import Lacking
from bgadl_tf.data.load import load_dataset
from bgadl_tf.engine import embedding as engine
from bgadl_tf.engine.embedding import Embedder
from bgadl_tf.runs import embedding
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.embed import embed
from tests.support.backbones import save_tiny, tiny
from tests.support.photos import digits, rows_of, save_digits

SHOWN = rows_of((0, 1), 0, 120)


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    save_digits(tmp_path / "photos", SHOWN)
    backbone = save_tiny(tmp_path / "tiny.keras")
    return RunConfig(dataset=f"folder:{tmp_path / 'photos'}", views=2, **backbone)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images went through the backbone, each time."""
    counts: list[int] = []
    run = Embedder.__call__

    def counted(self: Embedder, images: Any, digests: Any, lacking: Lacking) -> Any:
        counts.append(len(lacking.rows))
        return run(self, images, digests, lacking)

    monkeypatch.setattr(Embedder, "__call__", counted)
    return counts


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".npy", ".txt")
    }


def load(folder: Path) -> Dataset:
    return load_dataset(f"embeddings:{folder}")


def vectors(dataset: Dataset) -> dict[str, list[float]]:
    return {
        id_: vector
        for part in (dataset.train, dataset.test)
        for id_, vector in zip(part.ids, part.examples[:].tolist(), strict=True)
    }


def test_the_folder_is_a_dataset_like_the_images(
    config: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--dataset", config.dataset, "--views", "2", "--backbone", str(config.backbone)]
    out = tmp_path / "features"
    assert main(["embed", *flags, "--pixel-range", "0,1", "--out", str(out)]) == 0
    images, dataset, model = load_dataset(config.dataset), load(out), tiny()
    counts = f"6 features of {len(images.train)} images to train on and {len(images.test)} to test"
    assert counts in capsys.readouterr().out
    assert dataset.class_names == images.class_names == ("one", "zero")
    assert dataset.intake.left_out == {}
    for ours, theirs in ((dataset.train, images.train), (dataset.test, images.test)):
        assert ours.ids == theirs.ids
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        expected = model(theirs.examples[:] / np.float32(255.0))
        np.testing.assert_allclose(ours.examples[:], expected, atol=2e-3)
    stored = np.load(out / "train_embeddings.npy")
    assert (stored.dtype, stored.shape) == (np.float16, (len(images.train), 6))
    views = dataset.train.views
    assert views is not None
    assert views.shape == (len(stored), 2, 6)
    assert views.dtype == np.float32
    part = dataset.train.part(np.array([3, 1]))
    assert part.views is not None
    np.testing.assert_array_equal(part.views[:], views[:][[3, 1]])
    assert dataset.embedded is not None
    ids = [dataset.test.ids[0], dataset.train.ids[0]]
    np.testing.assert_array_equal(
        dataset.embedded.images(ids)[1], images.train.examples_of(ids[1:])[0]
    )


class KilledError(Exception):
    """Stands for kill -9: nothing of the process is left but what is on disk."""


def killed_after(appends: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Appending fails after so many times, halfway through; the call that mends it."""
    append, left = DigestedRows.append, [appends]

    def failing(self: DigestedRows, digests: Any, rows: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            with self._rows.open("ab") as file:
                file.write(rows.tobytes()[:-1])
        if left[0] <= 0:
            raise KilledError
        append(self, digests, rows)

    monkeypatch.setattr(DigestedRows, "append", failing)
    return lambda: monkeypatch.setattr(DigestedRows, "append", append)


@pytest.mark.parametrize("appends", [1, 4, 11])
def test_killed_and_resumed_it_is_the_same_bit_for_bit(
    appends: int, config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    seen: list[int],
) -> None:  # fmt: skip
    monkeypatch.setattr(engine, "CHUNK", 4)
    monkeypatch.setattr(embedding, "FLUSH_SECONDS", 0.0)
    embed(config, tmp_path / "whole")
    whole, out = sum(seen), tmp_path / "killed"
    seen[:] = []
    mend = killed_after(appends, monkeypatch)
    with pytest.raises(KilledError):
        embed(config, out)
    mend()
    (out / ".train_views.npy.x1.tmp").write_bytes(b"half")
    with pytest.raises(DataError, match="half written: run the command 'bgadl embed'"):
        load(out)
    killed = sum(seen)
    embed(config, out)
    assert files(out) == files(tmp_path / "whole")
    assert not [*out.glob(".*.tmp")]
    # Three files for each chunk of 4 to train on; what was kept is not computed again.
    assert sum(seen) - killed == whole - 4 * ((appends - 1) // 3)
    assert vectors(load(out)) == vectors(load(tmp_path / "whole"))


def test_what_is_finished_is_left_as_it_is(
    config: RunConfig, tmp_path: Path, seen: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "features"
    embed(config, out)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    embed(config, out)
    assert sum(seen) == len(SHOWN)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    assert f"{out} holds these features already" in caplog.text
    embed(dataclasses.replace(config, max_unreadable=0.5), out)
    facts = json.loads((out / "embedding.json").read_text())
    assert facts["dataset"]["max_unreadable"] == 0.5
    assert sum(seen) == len(SHOWN)


def test_interrupted_it_keeps_what_it_has(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: list[int]
) -> None:
    monkeypatch.setattr(engine, "CHUNK", 4)
    update, calls = tqdm.update, []

    def interrupted(bar: Any, count: int) -> Any:
        calls.append(count)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return update(bar, count)

    monkeypatch.setattr(tqdm, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        embed(config, tmp_path / "features")
    whole = len(SHOWN)
    seen[:] = []
    embed(config, tmp_path / "features")
    assert sum(seen) == whole - 12


def test_of_a_changed_dataset_only_what_is_new_is_computed(
    config: RunConfig, tmp_path: Path, seen: list[int]
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "features"
    embed(config, out)
    before = vectors(load(out))
    seen[:] = []
    save_digits(photos, new := rows_of((0, 1, 2), 120, 180))
    (photos / "one").rename(photos / "unity")
    sorted((photos / "zero").iterdir())[0].unlink()
    images, labels = digits()
    replaced = sorted((photos / "zero").iterdir())[0]
    other = int(np.flatnonzero(labels == 5)[0])
    Image.fromarray(images[other]).save(replaced)
    embed(config, out)
    # Of those held out before, others have to have views now.
    assert len(new) < sum(seen) < len(new) + len(SHOWN) // 2
    dataset = load(out)
    loaded = load_dataset(config.dataset)
    assert dataset.train.ids == loaded.train.ids
    assert set(dataset.class_names) == {"zero", "two", "unity"}
    for id_, vector in vectors(dataset).items():
        if id_ == f"zero/{replaced.name}":
            assert vector != before[id_]
        elif (old := id_.replace("unity", "one")) in before:
            np.testing.assert_allclose(vector, before[old], atol=2e-3)
    embed(config, tmp_path / "fresh")
    for name, content in files(tmp_path / "fresh").items():
        if "embeddings" in name or "views" in name:
            fresh = np.load(tmp_path / "fresh" / name)
            np.testing.assert_allclose(np.load(out / name), fresh, atol=2e-3)
        else:
            assert (out / name).read_bytes() == content


def test_other_features_need_another_folder(config: RunConfig, tmp_path: Path) -> None:
    out = tmp_path / "features"
    embed(config, out)
    before = files(out)
    save_tiny(tmp_path / "other.keras", seed=2)
    save_tiny(tmp_path / "large.keras", (12, 12, 1))
    others: dict[str, dict[str, Any]] = {
        "they are of another backbone": {"backbone": f"model:{tmp_path / 'other.keras'}"},
        r"image_shape was \[8, 8, 1\], now \[12, 12, 1\]": {
            "backbone": f"model:{tmp_path / 'large.keras'}", "image_size": 12,
        },
        "store was float16, now float32": {"store": "float32"},
        "views was 2, now 0;": {"views": 0},
        "dataset was 'folder:.*', now 'digits'": {"dataset": "digits"},
        "part was None, now '1/2'": {"part": "1/2"},
    }  # fmt: skip
    for message, settings in others.items():
        changed = RunConfig(**{**config.to_json(), **settings})
        with pytest.raises(
            BgadlError, match=f"--out .* holds other features: .*{message}.*another --out"
        ):
            embed(changed, out)
    assert files(out) == before
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    for place, message in (
        ("notes", "holds 'a.txt' but no embedding.json"),
        ("photos/x", "inside"),
    ):
        with pytest.raises(BgadlError, match=message):
            embed(config, tmp_path / place)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "--backbone is missing: expected keras:NAME or model:FILE.keras"),
        (("--backbone", "tiny.keras"), "the network is 'tiny.keras'; expected keras:NAME"),
        (("--backbone", "model:no.keras", "--pixel-range", "0,1"), "no.keras does not exist"),
        (("--backbone", "keras:VGG16", "--weights", "none"), "--weights is none, and features of"),
        (("--views", "-1"), "--views is -1; it must be at least 0"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], message: str
) -> None:
    assert main(["embed", *flags, "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()


def test_a_second_process_waits_and_says_so(
    config: RunConfig, tmp_path: Path, seen: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    out, waiting = tmp_path / "features", threading.Event()

    class Said(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            if "waiting" in record.getMessage():
                waiting.set()
            return True

    caplog.handler.addFilter(Said())
    with held(out):
        second = threading.Thread(target=embed, args=(config, out))
        second.start()
        assert waiting.wait(60)
        assert not seen
    second.join()
    assert f"another process computes the features in {out}: waiting for it" in caplog.text
    assert load(out).shape == (6,)


def test_what_a_text_file_cannot_hold_is_refused_before_any_work(
    config: RunConfig, tmp_path: Path, seen: list[int]
) -> None:
    (path,) = save_digits(tmp_path / "photos", rows_of((0,), 150, 165)[:1])
    path.rename(path.with_name("two\nlines.png"))
    with pytest.raises(DataError, match=r"two\\nlines\.png' cannot be a line of a text file"):
        embed(config, tmp_path / "features")
    assert not seen


# Folders that cannot be used


def broken(name: str, folder: Path) -> None:
    """Damage a folder as its name says."""
    array = np.load(folder / "train_embeddings.npy")
    views = np.load(folder / "train_views.npy")
    facts = json.loads((folder / "embedding.json").read_text())
    if name == "half written":
        facts["complete"] = False
    elif name == "truncated":
        content = (folder / "train_embeddings.npy").read_bytes()
        (folder / "train_embeddings.npy").write_bytes(content[:-1])
    elif name == "nan":
        array[3, 2] = np.nan
        np.save(folder / "train_embeddings.npy", array)
    elif name == "nan in a view":
        views[3, 1, 2] = np.nan
        np.save(folder / "train_views.npy", views)
    elif name == "fewer views":
        np.save(folder / "train_views.npy", views[:, :1])
    elif name == "fewer rows":
        np.save(folder / "train_views.npy", views[1:])
    elif name == "no views":
        (folder / "train_views.npy").unlink()
    elif name == "unexpected views":
        facts["views"] = 0
    elif name == "another type":
        np.save(folder / "train_embeddings.npy", array.astype(np.float32))
    elif name == "no backbone":
        (folder / "backbone.keras").unlink()
    elif name == "another format":
        facts["format"] = 2
    elif name == "not all facts":
        del facts["store"]
    (folder / "embedding.json").write_text(json.dumps(facts))
    if name == "no json":
        (folder / "embedding.json").write_text("{")


def read_views(folder: Path) -> None:
    views = load(folder).train.views
    assert views is not None
    views[:]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of features whose images are beside it."""
    root = tmp_path_factory.mktemp("written")
    save_digits(root / "photos", SHOWN)
    backbone = save_tiny(root / "tiny.keras")
    embed(RunConfig(dataset=f"folder:{root / 'photos'}", views=2, **backbone), root / "features")
    return root


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("half written", "are half written: run the command 'bgadl embed'"),
        ("truncated", r"cannot read .*train_embeddings\.npy: mmap length"),
        ("nan", "component 2 of vector '.*' is nan"),
        ("nan in a view", "component 2 of view 1 of vector '.*' is nan"),
        (
            "fewer views",
            r"train_views\.npy holds float16 \[.*, 1, 6\]; expected float16 \[.*, 2, 6\]",
        ),
        ("fewer rows", r"train_views\.npy holds float16"),
        ("no views", r"train_views\.npy is missing"),
        ("unexpected views", r"has a train_views\.npy, but its features have no views"),
        ("another type", r"train_embeddings\.npy holds float32 .*expected float16"),
        ("no backbone", r"has no backbone\.keras"),
        ("another format", r"embedding\.json is not of format 1"),
        ("not all facts", r"embedding\.json does not say what is needed"),
        ("no json", r"embedding\.json cannot be read"),
    ],
)
def test_a_damaged_folder_is_refused_in_one_line(
    written: Path, tmp_path: Path, name: str, message: str
) -> None:
    shutil.copytree(written / "features", tmp_path / "features")
    broken(name, tmp_path / "features")
    with pytest.raises(DataError, match=message) as caught:
        read_views(tmp_path / "features")
    assert "\n" not in str(caught.value)
    if "remove that folder" in str(caught.value) and name != "unexpected views":
        settings: dict[str, Any] = {
            "dataset": f"folder:{written / 'photos'}",
            "views": 2,
            "pixel_range": "0,1",
        }
        config = RunConfig(backbone=f"model:{written / 'tiny.keras'}", **settings)
        with pytest.raises(DataError, match=message):
            embed(config, tmp_path / "features")


def test_images_are_had_only_where_they_are_still_the_same(written: Path, tmp_path: Path) -> None:
    shutil.copytree(written, tmp_path / "copy")
    root = tmp_path / "copy"
    facts = json.loads((root / "features" / "embedding.json").read_text())
    facts["dataset"]["dataset"] = f"folder:{root / 'photos'}"
    (root / "features" / "embedding.json").write_text(json.dumps(facts))

    def images(id_: str) -> Any:
        embedded = load(root / "features").embedded
        assert embedded is not None
        return embedded.images([id_])

    first, second, third = load(root / "features").train.ids[:3]
    assert images(first).shape == (1, 8, 8, 1)
    (root / "photos" / second).write_bytes((root / "photos" / first).read_bytes())
    (root / "photos" / third).unlink()
    for id_, message in (
        (second, "is another one than its features"),
        (third, "is no longer in"),
        ("nobody", "there are no features of 'nobody'"),
    ):
        with pytest.raises(DataError, match=message):
            images(id_)
    shutil.rmtree(root / "photos")
    with pytest.raises(
        DataError, match=r"images that the features in .* are of cannot be had: fold"
    ):
        images(first)


def test_where_nothing_came_of_the_first_try_another_one_may_differ(
    config: RunConfig, tmp_path: Path
) -> None:
    out, large = tmp_path / "features", "0,3e38"  # sums of such numbers are not finite
    with pytest.raises(DataError, match="gives a feature of nan"):
        embed(dataclasses.replace(config, pixel_range=large), out)
    assert embed(config, out).complete
    embed(config, tmp_path / "anew")
    assert files(out) == files(tmp_path / "anew")


def test_vectors_of_no_known_image_are_refused(config: RunConfig, tmp_path: Path) -> None:
    out = tmp_path / "features"
    embed(config, out)
    np.save(out / "pool_embeddings.npy", np.zeros((3, 6), np.float16))
    with pytest.raises(DataError, match=r"holds 3 training vectors beside the \d+ that 'bgadl em"):
        load(out)

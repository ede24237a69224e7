from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from bgadl_tf.core.errors import ConfigError, UnknownNameError
from bgadl_tf.data import load
from bgadl_tf.data.intake import Intake
from bgadl_tf.data.loader import LOADERS, LoadRequest


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, LoadRequest]]:
    made: list[tuple[str, LoadRequest]] = []

    class Loaded(NamedTuple):
        name: str = "found"
        intake: Intake = Intake(notes=("two of them are alike",))

    def loader_of(kind: str) -> Callable[[LoadRequest], Loaded]:
        def load(request: LoadRequest) -> Loaded:
            made.append((kind, request))
            return Loaded()

        return load

    monkeypatch.setattr(LOADERS, "get", loader_of)
    return made


def test_kinds_of_datasets() -> None:
    assert LOADERS.names() == ("arrays", "digits", "embeddings", "folder", "tfds")


@pytest.mark.parametrize(
    ("spec", "kind", "argument"),
    [
        ("digits", "digits", ""),
        ("folder:/a:b/c", "folder", "/a:b/c"),
        ("arrays:/a/b", "arrays", "/a/b"),
        ("embeddings:/a/b", "embeddings", "/a/b"),
        ("folder", "folder", ""),
        ("mnist", "tfds", "mnist"),
        ("imagenet_resized/32x32", "tfds", "imagenet_resized/32x32"),
        ("tfds:mnist:3.0.1", "tfds", "mnist:3.0.1"),
    ],
)
def test_a_spec_picks_loader_and_argument(
    spec: str,
    kind: str,
    argument: str,
    calls: list[tuple[str, LoadRequest]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    load.load_dataset(spec, data_dir="d", image_size=16, seed=3, stream=True)
    assert calls == [(kind, LoadRequest(argument, "d", 16, 3, True))]
    assert caplog.messages == ["found: two of them are alike"]


def test_an_unknown_kind_lists_the_known_ones() -> None:
    known = "arrays, digits, embeddings, folder, tfds"
    with pytest.raises(UnknownNameError, match=f"'xyz' in 'xyz:1'; known: {known}"):
        load.load_dataset("xyz:1")


def test_digits_end_to_end() -> None:
    assert len(load.load_dataset("digits").train) == 1300


@pytest.mark.parametrize("kind", ["digits", "arrays:x", "embeddings:x", "mnist"])
def test_a_file_of_labels_belongs_to_a_folder(kind: str) -> None:
    with pytest.raises(ConfigError, match=r"--labels is 'a\.csv', but .* is no folder of images"):
        load.load_dataset(kind, labels="a.csv")


def test_new_classes_come_last_and_none_comes_twice() -> None:
    names = load.load_dataset("digits", new_classes=("x", "3", "a", "x")).class_names
    assert names == (*"0123456789", "x", "a")

"""A file has the same pixels in training, in ``bgadl score`` and in a client, and one score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from bgadl_tf.core.errors import ConfigError, DataError
from bgadl_tf.core.types import Id, Images
from bgadl_tf.data.images import image_files, prepared, resize
from bgadl_tf.data.images.looking import look_at
from bgadl_tf.data.images.tree import read_tree
from bgadl_tf.export.models import export_models
from bgadl_tf.serving.client.client import Client
from bgadl_tf.serving.client.images import strings
from bgadl_tf.serving.sources import folder_source
from tests.support import image_files as files
from tests.support.fake_model import FakeModel
from tests.support.fake_rest import rest_server
from tests.support.learners import small_learner
from tests.support.session_model import SessionModel

SIZE = 8
SOUND = files.sound()
GREY = {name: content for name, content in SOUND.items() if prepared.pixels(content).shape[-1] == 1}


class Case(NamedTuple):
    """A folder of files, and a model of as many channels as they have together, or are given."""

    root: Path
    mode: str
    channels: int | None
    model: SessionModel
    metadata: dict[str, object]

    def trained_on(self, *, stream: bool) -> dict[Id, Images]:
        """What training reads of each file, uint8 [H, W, D]."""
        entries = [*read_tree(self.root).root.all_files()]
        read = image_files.read_images(
            self.root,
            entries,
            look_at(entries),
            image_size=SIZE,
            resize=self.mode,
            stream=stream,
            max_unreadable=0.0,
            channels=self.channels,
        )
        return dict(zip(read.ids, read.images[:], strict=True))


@pytest.fixture(
    scope="module",
    params=[
        ("stretch", 3, None),
        ("crop", 3, None),
        ("pad", 3, None),
        ("stretch", 1, None),
        ("pad", 1, None),
        ("crop", 1, 1),
    ],
    ids=lambda param: f"{param[0]}-{param[1]}" + ("-as the run" if param[2] else ""),
)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    mode, channels, given = request.param
    root = tmp_path_factory.mktemp("pool")
    for name, content in (SOUND if channels == 3 or given else GREY).items():
        (root / name).write_bytes(content)
    learner = small_learner("plain", "lenet", (SIZE, SIZE, channels))
    out = tmp_path_factory.mktemp("export")
    folder = export_models(learner, out, mc_samples=4, resize=mode).folder("classifier")
    metadata = json.loads((folder / "assets.extra/metadata.json").read_text())
    return Case(root, mode, given, SessionModel(folder), metadata)


def test_there_is_something_to_compare() -> None:
    assert len(GREY) > 8
    assert len(SOUND) > 3 * len(GREY)


def test_memory_and_files_give_the_same_pixels(case: Case) -> None:
    in_memory, streamed = case.trained_on(stream=False), case.trained_on(stream=True)
    assert in_memory.keys() == streamed.keys()
    assert len(in_memory) == len([*case.root.iterdir()])
    for id_, image in in_memory.items():
        np.testing.assert_array_equal(image, streamed[id_])


def test_every_file_has_one_score(case: Case) -> None:
    """A graph that is given what is sent computes what it computes of what is trained on."""
    trained = case.trained_on(stream=False)
    source = folder_source(case.root)
    assert source.ids == [*trained]
    seeds = np.arange(len(trained))
    sent = strings([source.item(id_).read() for id_ in source.ids])
    by_bytes = case.model("bald_bytes_seeded", image_bytes=sent, seed=seeds)
    by_pixels = case.model("bald_seeded", images=np.stack([*trained.values()]), seed=seeds)
    for name, values in by_pixels.items():
        np.testing.assert_array_equal(by_bytes[name], values)
    assert len(np.unique(by_pixels["bald"])) > len(seeds) // 2


def test_clients_send_what_is_scored(case: Case) -> None:
    model, source = FakeModel(), folder_source(case.root)
    contents = [(case.root / id_).read_bytes() for id_ in source.ids]
    with rest_server(model) as address, Client(address) as client:
        client.bald(contents, 5)
        client.classify(contents)
    assert model.seen == 2 * [source.item(id_).read() for id_ in source.ids]


def test_models_say_what_they_take(case: Case) -> None:
    assert case.metadata["resize"] == case.mode
    assert str(case.metadata["image_bytes"]).startswith(
        "8-bit PNG or JPEG, upright as stored (EXIF is ignored), at most 16777216 pixels; "
    )


def test_a_model_gives_files_of_the_other_kind_one_score_too(case: Case) -> None:
    """Colour for a model of grey images, and grey for one of colour, in any format."""
    channels = case.trained_on(stream=False).popitem()[1].shape[-1]
    for name in ("colour.WebP", "turned 6.PNG", "wide colour.png", "grey.BMP", "wide.tif"):
        pixels = prepared.pixels(SOUND[name])
        sent = strings([prepared.prepared(SOUND[name])])
        scored = case.model("bald_bytes_seeded", image_bytes=sent, seed=np.array([3]))
        if pixels.shape[-1] == channels:
            shown = pixels
        elif channels == 3:
            shown = np.repeat(pixels, 3, axis=-1)
        else:
            red, green, blue = np.moveaxis(pixels.astype(float), -1, 0)
            grey = np.round(0.299 * red + 0.587 * green + 0.114 * blue)
            shown = grey.astype(np.uint8)[..., np.newaxis]
        small = resize.resize(shown[np.newaxis], SIZE, case.mode)
        expected = case.model("bald_seeded", images=small, seed=np.array([3]))
        # Colour becomes grey in whole numbers, which may round the other way.
        np.testing.assert_allclose(scored["bald"], expected["bald"], rtol=0.05)


@pytest.mark.parametrize("name", files.damaged())
def test_files_that_cannot_be_read_are_named_by_their_number(name: str) -> None:
    content, why = files.damaged()[name]
    model = FakeModel()
    with rest_server(model) as address, Client(address) as client:
        with pytest.raises(DataError) as caught:
            client.bald([SOUND["colour.PNG"], content], 5)
        assert str(caught.value).startswith(f"images[1] cannot be read: {why}")
        with pytest.raises(DataError, match=r"images\[0\] is a str; expected the bytes"):
            client.classify(["a.png"])  # type: ignore[list-item]


def test_a_way_to_resize_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="resize is 'squeeze'; choose from stretch, crop, pad"):
        export_models(small_learner("plain"), tmp_path, resize="squeeze")
    assert not [*tmp_path.iterdir()]

"""One score everywhere: what is served is what the loop computed, whoever asks beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.export.models import export_models, on_one_device
from bgadl_tf.learners.learner import Learner
from bgadl_tf.models import noise
from tests.support.examples import some_images, some_labels
from tests.support.learners import small_learner
from tests.support.repository import REPOSITORY
from tests.support.scoring import predict
from tests.support.session_model import SessionModel

FACTS = {"class_names": [*"abcdefghij"], "round": 3}
SEEDS = np.array([5, 5, 9, 2**53 - 1, 0, 9, 5])
BALD = ("bald", "predictive_entropy", "expected_entropy", "probabilities")


class Case(NamedTuple):
    """An exported learner, and images for it."""

    learner: Learner
    strategy: tf.distribute.Strategy
    folder: Path
    served: SessionModel
    images: np.ndarray

    def expected(self, strategy: tf.distribute.Strategy | None = None) -> dict[str, np.ndarray]:
        """What the loop's scorer gives each image under its seed, row by row."""
        learner = self.learner if strategy is None else on_one_device(self.learner)
        scorer = Scorer(learner, strategy or self.strategy, 20, chunk=16)
        rows: dict[str, list[Any]] = {name: [] for name in BALD}
        for row, seed in enumerate(SEEDS):
            moments = predict(scorer, self.images, int(seed))
            rows["bald"].append(scores.mutual_information(moments)[row])
            rows["predictive_entropy"].append(scores.predictive_entropy(moments)[row])
            rows["expected_entropy"].append(moments.expected_entropy[row])
            rows["probabilities"].append(moments.mean_probs[row])
        return {name: np.array(values) for name, values in rows.items()}


@pytest.fixture(scope="module", params=["gal_cnn", "resnet18-mirrored"])
def case(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    one_device: tf.distribute.Strategy,
    mirrored: tf.distribute.Strategy,
) -> Case:
    """A classifier without BatchNorm, and one whose statistics two replicas have moved."""
    if request.param == "gal_cnn":
        strategy, shape = one_device, (28, 28, 1)
        learner = small_learner("plain", "gal_cnn", shape)
    else:
        strategy, shape = mirrored, (32, 32, 3)
        with strategy.scope():
            learner = small_learner("plain", "resnet18", shape)
        Trainer(learner, learner.space, strategy, 16).train(
            some_images(32, shape, 1), some_labels(32), (1, 2), steps=3
        )
    out = tmp_path_factory.mktemp("export")
    exported = export_models(learner, out, mc_samples=20, facts=FACTS)
    folder = exported.folder("classifier")
    assert folder == out / "classifier" / "1"
    return Case(learner, strategy, folder, SessionModel(folder), some_images(7, shape))


def test_served_scores_are_the_loops_alone_or_among_other_requests_of_other_seeds(
    case: Case,
) -> None:
    expected = case.expected()
    assert expected["bald"].std() > 0
    loaded = tf.saved_model.load(str(case.folder))
    encoded = np.array([tf.io.encode_png(image).numpy() for image in case.images])
    answers = [
        case.served("bald_seeded", images=case.images, seed=SEEDS),
        case.served("bald_bytes_seeded", image_bytes=encoded, seed=SEEDS),
        loaded.signatures["bald_seeded"](
            images=tf.constant(case.images), seed=tf.constant(SEEDS)
        ),
    ]  # fmt: skip
    alone = [
        case.served("bald_seeded", images=case.images[i : i + 1], seed=SEEDS[i : i + 1])
        for i in range(7)
    ]
    answers.append({name: np.concatenate([one[name] for one in alone]) for name in alone[0]})
    for answer in answers:
        np.testing.assert_array_equal(answer["seed"], SEEDS)
        for name in BALD:
            np.testing.assert_allclose(answer[name], expected[name], atol=1e-5, err_msg=name)
            assert np.asarray(answer[name]).dtype == np.float32


def test_where_a_learner_was_trained_does_not_matter(
    case: Case, one_device: tf.distribute.Strategy
) -> None:
    expected, copied = case.expected(), case.expected(one_device)
    for name in BALD:
        np.testing.assert_allclose(copied[name], expected[name], atol=1e-5)


def test_the_deterministic_prediction(case: Case) -> None:
    probabilities = np.exp(case.learner(case.images))
    encoded = np.array([tf.io.encode_png(image).numpy() for image in case.images])
    for answer in (
        case.served("serving_default", images=case.images),
        case.served("serving_bytes", image_bytes=encoded),
    ):
        np.testing.assert_allclose(answer["probabilities"], probabilities, atol=1e-5)
        np.testing.assert_array_equal(answer["label"], probabilities.argmax(1))
        assert answer["label"].dtype == np.int64


def test_fresh_masks_are_new_in_every_call_and_can_be_replayed(case: Case) -> None:
    encoded = np.array([tf.io.encode_png(image).numpy() for image in case.images])
    seen = set()
    for _ in range(3):
        for inputs in ({"images": case.images}, {"image_bytes": encoded}):
            name = "bald" if "images" in inputs else "bald_bytes"
            first = case.served(name, **inputs)
            again = case.served(f"{name}_seeded", **inputs, seed=first["seed"])
            for output, values in first.items():
                np.testing.assert_array_equal(again[output], values)
            assert 0 <= first["seed"].min() == first["seed"].max() < 2**53
            seen.add(int(first["seed"][0]))
    assert len(seen) == 6


def test_files_of_any_size_are_resized_as_a_folder_is_read(case: Case, tmp_path: Path) -> None:
    from PIL import Image

    from bgadl_tf.data.images.image_files import read_images
    from bgadl_tf.data.images.looking import look_at
    from bgadl_tf.data.images.tree import Entry

    height, _, channels = case.images.shape[1:]
    entries = [Entry(name, str(tmp_path / name)) for name in ("a.png", "b.jpg")]
    for entry, shape in zip(entries, [(40, 31, channels), (17, 50, channels)], strict=True):
        Image.fromarray(some_images(1, shape)[0].squeeze()).save(entry.path)
    encoded = np.array([Path(entry.path).read_bytes() for entry in entries], object)
    by_bytes = case.served("bald_bytes_seeded", image_bytes=encoded, seed=SEEDS[:2])
    read = read_images(
        tmp_path,
        entries,
        look_at(entries),
        image_size=height,
        resize="stretch",
        stream=False,
        max_unreadable=0.0,
    )
    by_pixels = case.served("bald_seeded", images=read.images[:], seed=SEEDS[:2])
    np.testing.assert_array_equal(by_bytes["bald"], by_pixels["bald"])


def test_the_model_says_what_it_is(case: Case) -> None:
    keys = np.array(["", "class_names", "image_shape", "nothing"], object)
    texts = case.served("metadata", keys=keys)["values"]
    told, names, shape, nothing = (json.loads(text) for text in texts)
    assert told == json.loads((case.folder / "assets.extra/metadata.json").read_text())
    assert names == FACTS["class_names"]
    assert shape == [*case.images.shape[1:]]
    assert nothing is None
    assert told["mc_samples"] == 20
    assert set(told["signatures"]) == case.served.signatures


HOSTILE = """
import sys

for name in ("keras", "tf_keras", "tensorflow_probability", "bgadl_tf"):
    sys.modules[name] = None
sys.path.insert(0, "tests/support")
import numpy as np
import tensorflow as tf
from session_model import SessionModel

served = SessionModel(sys.argv[1])
H, W, D = map(int, sys.argv[2:])
good = {"images": np.zeros((2, H, W, D), np.uint8), "seed": np.array([1, 2]), "keys": [b"", b"x"],
        "image_bytes": np.array([tf.io.encode_png(np.zeros((H, W, D), np.uint8)).numpy()] * 2)}
bad = {
    "images": [np.zeros(s, np.uint8) for s in
               [(), (2,), (2, H), (H, W, D), (0, H, W, D), (2, H, W, D + 1), (2, H + 1, W, D),
                (2, H * W * D), (2, 1, H, W, D), (2, H, W, 0)]]
              + [np.zeros((2, H, W, D), np.float32), np.zeros((2, H, W, D), np.int64)],
    "seed": [np.int64(1), np.zeros((2, 1), np.int64), np.zeros((0,), np.int64),
             np.zeros((3,), np.int64), np.zeros((2,), np.int32), np.zeros((2,), np.float32)],
    "keys": [np.array(b""), np.array([[b""]]), np.array([], object), np.zeros((2,), np.int64)],
    "image_bytes": [np.array(b"x"), np.array([[b"x"]]), np.array([], object),
                    np.array([good["image_bytes"][0], b"junk"]),
                    np.array([good["image_bytes"][0], b""]), np.zeros((2,), np.int64)],
}
count = 0
for name in sorted(served.signatures):
    inputs = [*served.meta.signature_def[name].inputs]
    sound = {key: np.asarray(good[key]) for key in inputs}
    served(name, **sound)
    for key in inputs:
        for value in bad[key]:
            try:
                served(name, **{**sound, key: value})
            except tf.errors.InvalidArgumentError:
                count += 1
            else:
                sys.exit(f"{name} took {key} {value!r}")
    served(name, **sound)
print("survived", count)
"""


def test_malformed_requests_are_errors_and_the_model_needs_tensorflow_alone(case: Case) -> None:
    run = subprocess.run(
        [sys.executable, "-c", HOSTILE, str(case.folder), *map(str, case.images.shape[1:])],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    assert run.stdout == "survived 70\n"


def test_fresh_masks_do_not_depend_on_the_seed_of_the_exporting_process(tmp_path: Path) -> None:
    seeds = []
    for version in range(2):
        keras.utils.set_random_seed(1)
        exported = export_models(small_learner("plain"), tmp_path, mc_samples=4, facts=FACTS)
        assert exported.version == version + 1
        served = SessionModel(exported.folder("classifier"))
        seeds += [int(served("bald", images=some_images(2))["seed"][0]) for _ in range(2)]
    assert len({*seeds}) == 4


def test_without_dropout_there_is_no_bald(tmp_path: Path) -> None:
    from bgadl_tf.learners.plain import Plain
    from bgadl_tf.models.classifiers.base import CLASSIFIERS

    learner = Plain(CLASSIFIERS.get("lenet")((8, 8, 1), 10, dropout=0.0))
    exported = export_models(learner, tmp_path, mc_samples=4, facts=FACTS)
    assert exported.signatures == {
        "classifier": ("serving_default", "serving_bytes", "metadata")
    }  # fmt: skip
    assert not (tmp_path / "generator").exists()


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, SessionModel]:
    learner = small_learner("vaeacgan")
    exported = export_models(
        learner, tmp_path_factory.mktemp("generator"), mc_samples=4, facts=FACTS
    )
    return learner, SessionModel(exported.folder("generator"))


def test_every_generated_image_is_of_its_label_and_seed_alone(
    generator: tuple[Any, SessionModel],
) -> None:
    learner, served = generator
    labels, images = some_labels(7).astype(np.int64), some_images(7)
    drawn = served("serving_default", label=labels, seed=SEEDS)["images"]
    augmented = served("augment", images=images, label=labels, seed=SEEDS)["images"]
    assert drawn.dtype == augmented.dtype == np.uint8
    for row, seed in enumerate(SEEDS):
        own = slice(row, row + 1)
        pair = noise.pair(seed)
        for batch, expected in (
            (drawn, learner.generate(labels[own], pair)),
            (augmented, learner.augment(images[own], labels[own], pair)),
        ):
            np.testing.assert_allclose(batch[own], expected, atol=1)
    alone = served("augment", images=images[:1], label=labels[:1], seed=SEEDS[:1])["images"]
    np.testing.assert_allclose(alone, augmented[:1], atol=1)
    assert (augmented[0] != augmented[2]).any()


@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_out_of_range_is_an_error(generator: tuple[Any, SessionModel], label: int) -> None:
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=rf"label from 0 to 9; got\] \[{label}\]"
    ):
        generator[1]("serving_default", label=np.array([3, label]), seed=np.array([1, 2]))


def test_a_learner_without_encoder_only_generates(tmp_path: Path) -> None:
    exported = export_models(small_learner("acgan"), tmp_path, mc_samples=4, facts=FACTS)
    assert exported.signatures["generator"] == ("serving_default", "metadata")

"""GAAL: where descent ends, which images are asked about, and what the loop does with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import check_needs, create
from bgadl_tf.acquisition.dcgan import DCGAN
from bgadl_tf.acquisition.descent import descend
from bgadl_tf.acquisition.gaal import GAAL, to_boundary
from bgadl_tf.acquisition.mixed import Mixed
from bgadl_tf.acquisition.query import Query
from bgadl_tf.acquisition.simple_gan import SimpleGAN
from bgadl_tf.acquisition.synthesis import Synthesises
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.data.class_subset import ClassSubset
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.oracles.network import NetworkSettings
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier
from tests.support.learners import small_learner
from tests.support.pool_view import CLASSES, GivenView, random_evidence

EVIDENCE = random_evidence(40, side=8)
IDS = tuple(f"image-{number:02}" for number in range(40))
SMALL: Mapping[str, Any] = {"steps": 3, "latent_dim": 4, "width": 0.1}


@dataclass(frozen=True)
class Remembering(GivenView):
    """A view that keeps what is remembered."""

    kept: dict[str, Any] = field(default_factory=dict)

    def remember(self, name: str, make: Callable[[], Mapping[str, NDArray[Any]]]) -> Any:
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]


def view(round_: int = 1, kept: dict[str, Any] | None = None) -> Remembering:
    labels = {IDS[row]: row % CLASSES for row in range(30, 40)}
    return Remembering(EVIDENCE, IDS, range(30), 7, labels, round_, {} if kept is None else kept)


def ask(
    acquisition: Synthesises | None = None, size: int = 6, seed: int = 0, round_: int = 1
) -> Query:
    return (acquisition or GAAL(**SMALL)).query(view(round_), size, np.random.default_rng(seed))


def line(points: tf.Tensor) -> tf.Tensor:
    """|w^T z + b| / |w|, w = (1, -1), b = 1/2."""
    weights = tf.constant([[1.0], [-1.0]])
    return tf.abs((points @ weights)[:, 0] + 0.5) / np.sqrt(2.0)


@pytest.mark.parametrize("steps", [2, 10])
def test_the_worked_example(steps: int) -> None:
    # w = (1, -1), b = .5, G the identity, z = (1, 2): f = -.5, and the nearest point of the line.
    start = tf.constant([[1.0, 2.0]])
    np.testing.assert_allclose(line(start), [0.353553], rtol=1e-5)
    found = descend(line, start, steps, 1.0)
    np.testing.assert_allclose(found, [[1.25, 1.75]], atol=1e-6)
    np.testing.assert_allclose(line(found), [0.0], atol=1e-6)


def test_steps_are_bounded_and_each_point_goes_its_own_way() -> None:
    start = tf.constant([[1.0, 2.0], [10.0, 0.0], [0.5, 1.0]])
    once = descend(line, start, 1, 0.1)
    np.testing.assert_allclose(tf.norm(once - start, axis=1), [0.1, 0.1, 0.0], atol=1e-6)
    np.testing.assert_array_equal(once[0], descend(line, start[:1], 1, 0.1)[0])


def test_the_best_point_of_the_way_counts() -> None:
    def narrow(points: tf.Tensor) -> tf.Tensor:  # the step is far too long
        return tf.sqrt(tf.abs(points[:, 0]))

    start = tf.constant([[0.3], [2.0]])
    found = descend(narrow, start, 9, 5.0)
    assert (narrow(found) <= narrow(start)).numpy().all()


def test_where_it_is_flat_or_no_number_nothing_moves() -> None:
    start = tf.constant([[1.0, 2.0]])
    for value in (3.0, float("nan")):
        found = descend(lambda points, value=value: 0.0 * points[:, 0] + value, start, 5, 1.0)
        np.testing.assert_array_equal(found, start)


def test_of_a_linear_classifier_the_distance_is_that_of_the_machine() -> None:
    classifier = CLASSIFIERS.get("linear")((2,), 2)
    classifier.head.stages[0].kernel.assign([[1.5, 2.5], [1.0, 0.0]])  # w_1 - w_0 = (1, -1)
    classifier.head.stages[0].bias.assign([0.25, 0.75])
    points = tf.random.stateless_normal((20, 2), (1, 2))
    np.testing.assert_allclose(to_boundary(classifier, points), line(points), rtol=1e-5, atol=1e-6)


def test_what_is_asked_is_nearer_to_the_boundary_than_what_it_began_from() -> None:
    gaal = GAAL(steps=60, latent_dim=4, width=0.2, learning_rate=2e-3)
    asked, random = ask(gaal), ask(replace(gaal, descents=0))
    assert asked.facts["distance"] < 0.5 * asked.facts["distance_at_first"]
    assert asked.facts["distance_at_first"] == pytest.approx(random.facts["distance_at_first"])
    assert asked.facts["latent_shift"] > 0
    assert random.facts["latent_shift"] == 0


def test_scores_are_those_of_the_images_that_are_admitted() -> None:
    asked = ask()
    assert asked.examples is not None
    assert asked.examples.dtype == np.uint8
    assert asked.examples.shape == (6, 8, 8, 1)
    seen = tf.constant(asked.examples, tf.float32) / 255.0
    np.testing.assert_allclose(
        asked.scores, -to_boundary(EVIDENCE.classifier, seen), rtol=1e-4, atol=1e-6
    )
    assert asked.facts["distance"] == pytest.approx(-np.mean(asked.scores), rel=1e-5)


def test_the_classifier_never_meets_values_beyond_its_own_range(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The unofficial port hands the tanh images of its G, in [-1, 1], to a machine that was trained
    # on pixels in [0, 1].
    seen: list[tuple[float, float]] = []
    features = type(EVIDENCE.classifier).features

    def watched(self: Classifier, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        def note(values: tf.Tensor) -> None:
            seen.append((float(tf.reduce_min(values)), float(tf.reduce_max(values))))

        tf.py_function(note, [examples], [])
        return features(self, examples, training)

    monkeypatch.setattr(type(EVIDENCE.classifier), "features", watched)
    ask(replace(GAAL(**SMALL), steps=20))
    assert len(seen) > 20
    assert min(low for low, _ in seen) >= 0
    assert 0.5 < max(high for _, high in seen) <= 1


def test_pixels_of_g_are_those_of_the_data(one_device: tf.distribute.Strategy) -> None:
    digits = load_dataset("digits").train.examples[:]
    gan = DCGAN((8, 8, 1), 8, 0.3, 1e-3)
    gan.begin(0)
    means: list[dict[str, float]] = []
    Trainer(gan, gan.space, one_device, 32, labelled=False).train(
        None, None, (1, 2), 400, unlabelled=digits, progress=lambda _, new: means.append(new)
    )
    assert {*means[0]} == {"fooling", "discrimination"}
    made = gan.space.from_float(gan.make(tf.random.stateless_normal((200, 8), (1, 2)))).numpy()
    mean, expected = made.mean(0).ravel(), digits.mean(0).ravel()
    assert np.corrcoef(mean, expected)[0, 1] > 0.9
    assert mean.mean() == pytest.approx(expected.mean(), rel=0.25)
    assert made.std(0).mean() > 0.5 * digits.std(0).mean()  # not always the same


def test_g_is_trained_once_and_then_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[int] = []
    train = GivenView.train
    monkeypatch.setattr(
        GivenView, "train", lambda self, *a, **kw: [trained.append(1), train(self, *a, **kw)]
    )
    kept: dict[str, Any] = {}
    first = GAAL(**SMALL).query(view(1, kept), 3, np.random.default_rng(1))
    weights = {name: value.copy() for name, value in kept["gaal"].items()}
    again = GAAL(**SMALL).query(view(1, kept), 3, np.random.default_rng(1))
    GAAL(**SMALL).query(view(2, kept), 3, np.random.default_rng(2))
    assert len(trained) == 1
    np.testing.assert_array_equal(again.examples, first.examples)  # as after a restart
    for name, value in weights.items():
        np.testing.assert_array_equal(kept["gaal"][name], value)


def test_the_labels_of_the_pool_are_never_read() -> None:
    one = GAAL(**SMALL).query(view(), 4, np.random.default_rng(0))
    labels = {IDS[row]: (row + 1) % CLASSES for row in range(30, 40)}
    other = GAAL(**SMALL).query(
        Remembering(EVIDENCE, IDS, range(30), 7, labels), 4, np.random.default_rng(0)
    )
    np.testing.assert_array_equal(one.examples, other.examples)


def test_simple_gan_looks_at_no_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> tf.Tensor:
        raise AssertionError

    asked = ask(SimpleGAN(**SMALL))
    monkeypatch.setattr(type(EVIDENCE.classifier), "features", never)
    again = ask(SimpleGAN(**SMALL))
    assert asked.scores == (0.0,) * 6
    assert asked.ids == tuple(f"simple_gan-1-{number}" for number in range(6))
    np.testing.assert_array_equal(asked.examples, again.examples)


@pytest.mark.parametrize("size", [1, 100])
def test_any_number_is_asked_about(size: int) -> None:
    asked = ask(SimpleGAN(**SMALL), size)
    assert asked.examples is not None
    assert len({image.tobytes() for image in asked.examples}) == len({*asked.ids}) == size


def test_a_generator_that_always_makes_the_same_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def collapsed(self: DCGAN, latents: tf.Tensor, training: bool = False) -> tf.Tensor:
        return tf.fill((tf.shape(latents)[0], 8, 8, 1), 0.5) + 0.0 * latents[0, 0]

    monkeypatch.setattr(DCGAN, "make", collapsed)
    monkeypatch.setattr(GivenView, "train", lambda *_, **__: None)
    with pytest.raises(PoolError, match="makes only 1 different examples; give it more --option"):
        ask(GAAL(**SMALL), 2)
    assert len(ask(GAAL(**SMALL), 1).ids) == 1


def test_a_classifier_that_has_diverged_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        type(EVIDENCE.classifier), "features",
        lambda self, examples, training=False: tf.fill((tf.shape(examples)[0], 64), np.nan),
    )  # fmt: skip
    with pytest.raises(ScoreError, match="'gaal-1-0'"):
        ask()


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("steps", 0, "at least 1"), ("latent_dim", 0, "at least 1"), ("width", 0, "positive"),
        ("learning_rate", -1, "positive"), ("descents", -1, "at least 0"),
        ("longest", 0, "positive"),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be(option: str, value: float, expected: str) -> None:
    with pytest.raises(ConfigError, match=rf"--option gaal.{option} is {value}; .* {expected}"):
        GAAL(**{option: value})
    with pytest.raises(ConfigError, match=r"--option mixed.every is 0; it must be at least 1"):
        Mixed(GAAL(), every=0)


def test_images_of_a_size_that_g_cannot_draw_are_refused() -> None:
    check_needs("gaal", GAAL(), small_learner("svm", "linear"))
    with pytest.raises(ConfigError, match="'gaal' needs Drawable"):
        check_needs("gaal", GAAL(), small_learner("svm", "linear", (4, 4, 1)))


def test_the_mixed_scheme_takes_a_random_batch_after_every_five() -> None:
    acquisition = create("mixed:simple_gan", lambda name, _: SMALL if name == "simple_gan" else {})
    kept: dict[str, Any] = {}
    rounds = range(1, 14)
    asked = [acquisition.query(view(r, kept), 4, np.random.default_rng(r)) for r in rounds]
    from_pool = [r for r, query in zip(rounds, asked, strict=True) if query.examples is None]
    assert from_pool == [6, 12]
    assert {*asked[5].ids} <= {*IDS[:30]}
    assert asked[5].ids != asked[11].ids


# In the loop


@pytest.fixture(scope="module")
def task() -> Dataset:
    """Fives against sevens."""
    return ClassSubset(("5", "7")).of(load_dataset("digits"))


def loop_of(task: Dataset, folder: Path, acquisition: Any) -> ActiveLearner:
    learner = CLASSIFIERS.get("linear")(task.shape, 2)
    plan = Plan(rounds=2, query_size=6, initial_size=20, candidates=0, steps=50, batch_size=20)
    loop = ActiveLearner(learner, acquisition, task, folder=folder, plan=plan)
    loop.oracle_network = NetworkSettings(steps=500)
    return loop


def test_in_simulation_a_network_answers_and_nothing_is_learnt_twice(
    task: Dataset, tmp_path: Path
) -> None:
    # Variants of the unofficial port add what was bought to the training set twice.
    acquisition = GAAL(steps=400, latent_dim=8, width=0.3, learning_rate=1e-3)
    loop = loop_of(task, tmp_path, acquisition)
    records = []
    while not loop.finished:
        record = loop.step()
        assert record is not None
        records.append(record)
    asked = [loop.journal.query(round_) for round_ in (1, 2)]
    ids = [id_ for query in asked if query for id_ in query.ids]
    assert len(ids) == len({*ids}) == 12
    declined = [record.facts.get("declined", 0.0) for record in records]
    assert records[-1].labelled == 20 + 12 - sum(declined) == loop.pool.labelled_count
    assert {*loop.pool.skipped} <= {*ids}
    assert len(loop.pool.skipped) == sum(declined) < 12
    sources = {record.id: record.source for record in loop.journal.ledger.records()}
    assert {sources[id_] for id_ in ids} == {"network"}
    assert {source for id_, source in sources.items() if id_ not in ids} == {"held-back"}
    examples, labels = loop.training_set.labelled(2)
    assert len(examples) == len(labels) == loop.pool.labelled_count
    bought = [id_ for id_ in ids if id_ in loop.pool.labels]
    for image in loop.examples.of(bought):
        assert (examples == image).all((1, 2, 3)).sum() == 1


def test_no_generator_learns_from_what_one_has_made(task: Dataset, tmp_path: Path) -> None:
    loop = loop_of(task, tmp_path, SimpleGAN(steps=5, latent_dim=8, width=0.3))
    loop.step()
    asked = loop.ask()
    assert {*asked.ids} < {*loop.pool.ids}
    every = loop.training_set.everything()
    assert len(every) == len(task.train)
    np.testing.assert_array_equal(every[:], task.train.examples[:])


def test_after_a_restart_the_same_is_asked(task: Dataset, tmp_path: Path) -> None:
    acquisition = SimpleGAN(steps=5, latent_dim=8, width=0.3)
    loop = loop_of(task, tmp_path, acquisition)
    loop.step()
    asked = loop.ask()
    images = loop.examples.of(asked.ids)
    loop.journal.close()
    again = loop_of(task, tmp_path, acquisition)
    assert again.ask() == asked
    np.testing.assert_array_equal(again.examples.of(asked.ids), images)
    again.step()
    assert not {*again.ask().ids} & {*asked.ids}

"""VAAL: the worked example of methods 2.7, an autoencoder that learns, and what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import logit
from sklearn.datasets import load_digits

from bgadl_tf.acquisition import vaal
from bgadl_tf.acquisition.acquisition import check_needs, create
from bgadl_tf.acquisition.adversarial_vae import AdversarialVAE
from bgadl_tf.acquisition.query import Query
from bgadl_tf.acquisition.vaal import VAAL
from bgadl_tf.core.errors import ConfigError, DivergenceError, PoolError
from bgadl_tf.core.types import Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models import losses
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.models.losses import relative_reconstruction
from bgadl_tf.models.membership import discrimination, fooling
from tests.support.learners import weights_of
from tests.support.pool_view import GivenEvidence, GivenView, linear

Vectors = NDArray[np.floating[Any]]

SMALL: Mapping[str, Any] = {
    "beta": 1.0, "adversarial_weight": 1.0, "learning_rate": 2e-3, "vae_steps": 1,
}  # fmt: skip


def test_the_worked_example() -> None:
    labelled, unlabelled = tf.constant(logit([[0.8], [0.3]]), tf.float32)
    np.testing.assert_allclose(fooling(labelled, unlabelled), [1.427116], atol=1e-6)
    np.testing.assert_allclose(discrimination(labelled, unlabelled), [0.579818], atol=1e-6)
    found = losses.kl_divergence(tf.constant([[1.0, 0.0]]), tf.constant([[0.0, np.log(4)]]))
    np.testing.assert_allclose(found, [1.306853], atol=1e-6)


@pytest.mark.parametrize("shape", [(6,), (4, 4, 1)])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_error_is_relative_to_the_variance(shape: tuple[int, ...], scale: float) -> None:
    examples = tf.random.stateless_normal((50, *shape), (1, 2)) * scale
    mean = tf.broadcast_to(tf.reduce_mean(examples, 0), examples.shape)
    assert float(tf.reduce_mean(relative_reconstruction(examples, mean))) == pytest.approx(
        1, rel=1e-5
    )
    assert relative_reconstruction(examples, examples).numpy().max() == 0
    alike = tf.ones((5, *shape))
    assert relative_reconstruction(alike, 2 * alike).numpy().tolist() == [0] * 5


def test_the_autoencoder_of_digits_learns() -> None:
    images = (load_digits().images[:600, :, :, None] * 15.9).astype(np.uint8)
    networks = AdversarialVAE((8, 8, 1), 32, 0.25, **SMALL)
    networks.begin(0)
    means: dict[str, float] = {}
    Trainer(networks, networks.space, tf.distribute.get_strategy(), 32).train(
        images[:100], np.zeros(100, np.int32), (1, 2), 200, unlabelled=images[100:],
        progress=lambda step, new: means.update(new),
    )  # fmt: skip
    # Without a latent the error is Z, and the divergence of a collapsed posterior 0 nats: so it is
    # where the divergence is summed over the batch, as released.
    assert means["reconstruction"] < 0.6 * 32
    assert means["divergence"] > 3


def test_a_step_of_d_does_not_move_e_and_the_adversary_does() -> None:
    batch = Batch(
        tf.random.stateless_normal((8, 5), (1, 2)), tf.zeros(8, tf.int32),
        tf.random.stateless_normal((8, 5), (3, 4)),
    )  # fmt: skip
    moved = []
    for weight in (0.0, 0.0, 1.0):
        networks = AdversarialVAE((5,), 3, 0.1, **{**SMALL, "adversarial_weight": weight})
        networks.begin(0)
        before = weights_of(networks)
        networks.train_step(batch)
        after = weights_of(networks)
        moved.append({name: after[name] - before[name] for name in after})
        assert any(np.abs(change).max() > 0 for name, change in moved[-1].items()
                   if name.startswith("discriminator"))  # fmt: skip
    differ = {name.partition("/")[0] for name in moved[0]
              if not np.array_equal(moved[0][name], moved[2][name])}  # fmt: skip
    assert differ == {"encoder"}
    np.testing.assert_equal(moved[0], moved[1])


def view_of(vectors: Vectors, labels: Mapping[int, Label], at_once: int = 7) -> GivenView:
    log_probs = linear(vectors.shape[1], 3)(tf.constant(vectors, tf.float32)).numpy()
    evidence = GivenEvidence.of_tables(log_probs[None], vectors.astype(np.float32))
    ids = [f"x{row:03}" for row in range(len(vectors))]
    rows = [row for row in range(len(vectors)) if row not in labels]
    return GivenView(
        evidence, ids, rows, at_once, labels={ids[row]: y for row, y in labels.items()}
    )


def ask(view: GivenView, size: int, seed: int = 0, **options: Any) -> Query:
    options = {"steps": 2, "width": 0.1, "latent_dim": 3, **options}
    return VAAL(**options).query(view, size, np.random.default_rng(seed))


def clusters(count: int = 80) -> Vectors:
    """Rows of even numbers about (0, 0, 0), of odd ones about (6, 6, 6)."""
    noise = np.random.default_rng(0).normal(size=(count, 3))
    return 6.0 * (np.arange(count) % 2)[:, None] + noise


def test_what_is_unlike_the_labelled_ones_is_asked_for() -> None:
    # DeepAL+ trains D with the same target for both, and takes the highest D.
    view = view_of(clusters(), dict.fromkeys(range(0, 40, 2), 0))
    query = ask(view, 20, steps=300, learning_rate=2e-3, latent_dim=8, width=0.5)
    assert all(int(id_[1:]) % 2 for id_ in query.ids)
    assert query.scores[0] > 0


def test_scores_do_not_depend_on_what_is_scored_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    # BatchNorm is at inference.
    view = view_of(clusters(), dict.fromkeys(range(0, 40, 2), 0))
    expected = ask(view, 60, steps=5)
    monkeypatch.setattr(vaal, "BLOCK", 1)
    found = ask(view, 60, steps=5)
    found, expected = (dict(zip(*query[:2], strict=True)) for query in (found, expected))
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("sizes", [[7], [3, 4], [1] * 7, [6, 1, 0], [2, 2, 3]])
def test_blocks_do_not_depend_on_the_cut(sizes: list[int]) -> None:
    rows = np.arange(14, dtype=np.float32).reshape(7, 2)
    parts = np.split(rows, np.cumsum(sizes)[:-1])
    blocks = [*vaal.blocks_of(parts, 3)]
    assert [len(block) for block in blocks] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate(blocks), rows)


def test_the_seed_decides() -> None:
    view = view_of(clusters(), {0: 0, 1: 1})
    assert ask(view, 5, 1) == ask(view, 5, 1)
    assert ask(view, 5, 1).scores != ask(view, 5, 2).scores


def test_constant_features_and_a_pool_of_one() -> None:
    query = ask(view_of(np.ones((20, 3)), {0: 0}), 19)
    assert len({*query.ids}) == 19
    assert np.isfinite(query.scores).all()
    assert ask(view_of(clusters(6), dict.fromkeys(range(5), 0)), 1).ids == ("x005",)


def test_without_labels_or_candidates_it_is_an_error() -> None:
    with pytest.raises(PoolError, match="nothing is labelled yet"):
        ask(view_of(clusters(6), {}), 1)
    with pytest.raises(PoolError, match="only 4 candidates"):
        ask(view_of(clusters(6), {0: 0, 1: 0}), 5)


def test_what_is_not_finite_is_an_error() -> None:
    vectors = clusters(10)
    vectors[3, 1] = np.nan
    with pytest.raises(DivergenceError, match="not finite"):
        ask(view_of(vectors, {0: 0}), 2, steps=20)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("steps", 0, r"vaal\.steps is 0; it must be at least 1"),
        ("vae_steps", 0, r"vaal\.vae_steps is 0; it must be at least 1"),
        ("latent_dim", 0, r"vaal\.latent_dim is 0; it must be at least 1"),
        ("beta", -1.0, r"vaal\.beta is -1\.0; it must be at least 0"),
        ("adversarial_weight", -1.0, r"vaal\.adversarial_weight is -1\.0; it must be at least 0"),
        ("width", 0.0, r"vaal\.width is 0\.0; it must be positive"),
        ("learning_rate", 0.0, r"vaal\.learning_rate is 0\.0; it must be positive"),
    ],
)
def test_impossible_options_are_refused(option: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create("vaal", lambda name, owner: {option: value})


def test_images_of_other_sizes_are_refused_at_the_start() -> None:
    kind = LEARNERS.get("plain")
    for shape, fits in (((96, 8, 3), True), ((97, 96, 3), False), ((12,), True)):
        classifier = CLASSIFIERS.get("lenet" if len(shape) > 1 else "mlp")(shape, 3)
        learner = kind.create(classifier, kind.options_type())
        if fits:
            check_needs("vaal", VAAL(), learner)
        else:
            with pytest.raises(ConfigError, match=r"'vaal' needs Drawable \(.*of 8 to 96 pixels"):
                check_needs("vaal", VAAL(), learner)


def learner_of(strategy: tf.distribute.Strategy) -> ActiveLearner:
    rng = np.random.default_rng(0)
    examples = rng.integers(0, 256, (60, 8, 8, 1), dtype=np.uint8)
    labels = (np.arange(60) % 3).astype(np.int32)
    dataset = Dataset.from_arrays(
        examples, labels, test_examples=examples[:9], test_labels=labels[:9]
    )
    kind = LEARNERS.get("plain")
    with strategy.scope():
        learner = kind.create(CLASSIFIERS.get("lenet")((8, 8, 1), 3), kind.options_type())
    plan = Plan(rounds=2, query_size=4, initial_size=6, candidates=40, steps=2, batch_size=6)
    acquisition = VAAL(steps=3, width=0.1, latent_dim=3)
    return ActiveLearner(learner, acquisition, dataset, plan=plan, strategy=strategy)


def test_in_the_loop_and_made_again_the_query_is_the_same(
    one_device: tf.distribute.Strategy,
) -> None:
    active = learner_of(one_device)
    assert active.run()
    assert [record["labelled"] for record in active.journal.finished()] == [6, 10, 14]
    assert active.scorer.score_traces == 1
    again = learner_of(one_device)
    again.step()
    assert again.ask() == active.journal.query(1)


@pytest.mark.slow
def test_on_two_replicas_as_on_one(
    one_device: tf.distribute.Strategy, mirrored: tf.distribute.Strategy
) -> None:
    queries = []
    for strategy in (one_device, mirrored):
        active = learner_of(strategy)
        active.step()
        query = active.ask(40)
        queries.append(dict(zip(query.ids, query.scores, strict=True)))
    assert queries[1] == pytest.approx(queries[0], rel=0.05, abs=0.01)

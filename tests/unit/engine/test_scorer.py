"""Scores of a pool do not depend on chunks, order or replicas, and are traced once."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, ScoreAcquisition
from bgadl_tf.core.calibration import CalibrationBins
from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Images, Rows
from bgadl_tf.engine import scorer as scoring
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.learners.abilities import TellsLabelled
from bgadl_tf.learners.plain import Plain
from bgadl_tf.models import noise, predictive
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from tests.support.examples import RecordedImages, some_images, some_labels
from tests.support.learners import reseed, small_learner
from tests.support.pool_view import GivenEvidence
from tests.support.scoring import bald, bald_of, predict, seen

IMAGES = some_images(37)
SEED = 2**53 - 1


@pytest.mark.parametrize("classifier", ["gal_cnn", "resnet18"])
def test_neither_chunk_nor_order_matters(
    classifier: str, one_device: tf.distribute.Strategy
) -> None:
    # The released code mixes the passes of different images (methods, fault 1).
    learner = small_learner("plain", classifier)
    bald = {}
    for chunk in (5, 16, 64):
        scorer = Scorer(learner, one_device, 10, chunk)
        bald[chunk] = bald_of(scorer, IMAGES, SEED)
        assert scorer.score_traces == 1
    shuffled = np.random.default_rng(0).permutation(37)
    permuted = bald_of(scorer, IMAGES[shuffled], SEED)
    np.testing.assert_allclose(permuted, bald[64][shuffled], atol=1e-6)
    np.testing.assert_allclose(bald[5], bald[64], atol=1e-6)
    np.testing.assert_allclose(bald[16], bald[64], atol=1e-6)
    assert bald[64].std() > 0


def test_the_fast_path_equals_whole_passes_one_by_one(
    one_device: tf.distribute.Strategy,
) -> None:
    learner = small_learner("plain", "gal_cnn")
    head = learner.classifier.head
    masks = head.mc_masks(noise.pair(SEED), 10)
    features = learner.classifier.features(tf.cast(IMAGES, tf.float32) / 255.0)
    passes = [head(features, masks=[mask[k : k + 1] for mask in masks]) for k in range(10)]
    plain = predictive.from_log_probs(tf.stack(passes))
    fast = predict(Scorer(learner, one_device, 10, chunk=16), IMAGES, SEED)
    for one, other in zip(fast, plain, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_another_seed_is_another_set_of_masks(one_device: tf.distribute.Strategy) -> None:
    scorer = Scorer(small_learner("plain"), one_device, 10, chunk=64)
    first, other = (predict(scorer, IMAGES, seed).expected_entropy for seed in (2, 3))
    assert not np.array_equal(first, other)


def test_evaluation_counts_every_image_once(one_device: tf.distribute.Strategy) -> None:
    learner = small_learner("plain")
    scorer = Scorer(learner, one_device, 10, chunk=16)
    labels = some_labels(37)
    log_probs = learner(IMAGES).numpy().astype(np.float64)
    result = scorer.evaluate(IMAGES, labels)
    assert result.accuracy == pytest.approx(np.mean(log_probs.argmax(1) == labels))
    assert result.nll == pytest.approx(-np.mean(log_probs[np.arange(37), labels]), rel=1e-6)
    bins = CalibrationBins()  # of all at once
    bins.add(np.exp(log_probs.max(1)), log_probs.argmax(1) == labels)
    expected = bins.result()
    assert result.calibration is not None
    assert expected is not None
    assert result.calibration.ece == pytest.approx(expected.ece, rel=1e-4)
    assert sum(result.calibration.count) == 37
    scorer.evaluate(IMAGES[:20], labels[:20])
    assert scorer.evaluation_traces == 1


def test_evaluation_is_deterministic_and_uses_moving_statistics(
    one_device: tf.distribute.Strategy,
) -> None:
    # pytorch-bda evaluates in training mode (methods, fault 11): accuracy depends on batch mates.
    learner = small_learner("plain", "resnet18")
    scorer = Scorer(learner, one_device, 10, chunk=16)
    whole = scorer.evaluate(IMAGES, some_labels(37)).nll
    alone = [scorer.evaluate(IMAGES[i : i + 1], some_labels(37)[i : i + 1]).nll for i in range(37)]
    assert whole == pytest.approx(np.mean(alone), rel=1e-6)


def test_stored_images_are_read_chunk_by_chunk_and_score_the_same(
    one_device: tf.distribute.Strategy,
) -> None:
    scorer = Scorer(small_learner("plain", "gal_cnn"), one_device, 10, chunk=16)
    stored = RecordedImages(IMAGES)
    parts = [part for (part,) in scorer.look(stored, SEED, bald)]
    assert [len(part) for part in parts] == [16, 16, 5]
    assert stored.asked == [[*range(16)], [*range(16, 32)], [*range(32, 37)]]
    np.testing.assert_array_equal(np.concatenate(parts), bald_of(scorer, IMAGES, SEED))
    labels = some_labels(37)
    assert scorer.evaluate(stored, labels) == scorer.evaluate(IMAGES, labels)
    assert scorer.score_traces == scorer.evaluation_traces == 1


def test_the_next_chunk_is_read_while_the_present_one_is_scored(
    one_device: tf.distribute.Strategy,
) -> None:
    scorer = Scorer(small_learner("plain"), one_device, 10, chunk=16)
    following = threading.Event()

    class Waits(RecordedImages):
        def read(self, rows: Rows) -> Images:
            if rows[0] == 16:
                following.set()
            return super().read(rows)

    parts = scorer.look(Waits(IMAGES), SEED, bald)
    next(parts)
    # Nobody has asked for a second part.
    assert following.wait(60)
    parts.close()


@pytest.mark.parametrize("chunk", [5, 64])
def test_an_image_that_cannot_be_read_is_named_and_the_thread_ends(
    chunk: int, one_device: tf.distribute.Strategy
) -> None:
    scorer = Scorer(small_learner("plain"), one_device, 10, chunk)

    class Broken(RecordedImages):
        def read(self, rows: Rows) -> Images:
            if 20 in rows:
                raise DataError("row 20 cannot be read")
            return super().read(rows)

    for use in (
        lambda: predict(scorer, Broken(IMAGES), SEED),
        lambda: scorer.evaluate(Broken(IMAGES), some_labels(37)),
    ):
        with pytest.raises(DataError, match="row 20 cannot be read"):
            use()
    parts = scorer.look(RecordedImages(IMAGES), SEED, bald)
    next(parts)
    parts.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("read-ahead")]


@pytest.fixture(scope="module", params=["float32", "mixed_bfloat16"])
def looks(
    request: pytest.FixtureRequest, one_device: tf.distribute.Strategy
) -> list[tuple[Scorer, GivenEvidence]]:
    """In chunks of two sizes, a scorer and all that it sees."""
    learner = Plain(CLASSIFIERS.get("gal_cnn")((8, 8, 1), 10, dtype=request.param))
    learner.compile()
    reseed(learner)
    scorers = [Scorer(learner, one_device, 23, chunk) for chunk in (5, 16)]
    return [(scorer, seen(scorer, IMAGES, SEED)) for scorer in scorers]


@pytest.mark.parametrize("name", [*ACQUISITIONS])
def test_scores_inside_the_graph_are_those_of_the_predictive_distribution(
    name: str, looks: list[tuple[Scorer, GivenEvidence]]
) -> None:
    kind = ACQUISITIONS.get(name)
    if not issubclass(kind, ScoreAcquisition) or TellsLabelled in kind.needs:
        pytest.skip("gives no scores of its own")
    if name == "dfal":
        pytest.skip("follows the network's gradient, which no distribution shows")
    score = kind().score
    for scorer, evidence in looks:
        inside = np.concatenate([part for (part,) in scorer.look(IMAGES, SEED, score)])
        np.testing.assert_allclose(inside, score(evidence), atol=1e-6)
        assert inside.dtype == np.float32


def test_new_weights_are_scored_with_new_kernels(one_device: tf.distribute.Strategy) -> None:
    """The masked kernels are made once a pass over the pool, and not once for ever."""
    learner = small_learner("plain", "resnet18")
    scorer = Scorer(learner, one_device, 10, chunk=16)
    before = predict(scorer, IMAGES, SEED)
    reseed(learner, 1)
    after, fresh = (predict(s, IMAGES, SEED) for s in (scorer, Scorer(learner, one_device, 10, 16)))
    np.testing.assert_array_equal(after.mean_probs, fresh.mean_probs)
    assert not np.array_equal(after.mean_probs, before.mean_probs)
    assert scorer.score_traces == 1


def test_few_images_are_not_padded_to_a_whole_chunk(
    one_device: tf.distribute.Strategy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "STEP", 8)
    learner = small_learner("plain", "gal_cnn")
    sizes = []
    features = learner.classifier.features
    monkeypatch.setattr(
        learner.classifier,
        "features",
        lambda images, *rest: sizes.append(images.shape[0]) or features(images, *rest),
    )
    scorer = Scorer(learner, one_device, 10, chunk=30)
    for count, size in ((1, 8), (8, 8), (9, 16), (29, 30), (37, 30)):
        few = predict(scorer, IMAGES[:count], SEED)
        assert (sizes[-1], len(few.expected_entropy)) == (size, count)
    assert sizes == [8, 16, 30]


def test_many_vectors_come_in_larger_chunks_and_few_are_not_filled_up(
    one_device: tf.distribute.Strategy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "VECTORS", 2000)
    scorer = Scorer(small_learner("plain", "mlp", (3,)), one_device, 2)
    for count, sizes in ((16_000, [2000] * 8), (2_100, [1000, 1000, 100]), (150, [150])):
        vectors = np.zeros((count, 3), np.float32)
        assert [len(scores) for (scores,) in scorer.look(vectors, 0, bald)] == sizes

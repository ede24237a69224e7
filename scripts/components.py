"""How many principal components features need, and what rules without labels choose: ``--help``.

Trains ``plain`` with the ``mlp`` on initial sets, as round 0 of a study does, at several widths.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

import bgadl_tf
from bgadl_tf.core.types import Floats
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.projection import Projection
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS

Vector = NDArray[np.float64]
SHARES = (0.5, 0.75, 0.9)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the page's two tables of one dataset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", help="of features, e.g. embeddings:runs/embeddings/cifar10")
    parser.add_argument("--part", default="1/2", help="of the dataset (default: %(default)s)")
    parser.add_argument("--labels", type=int, nargs="+", default=[50, 100, 500])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--widths", type=int, nargs="*", default=[32, 64, 128, 256])
    given = parser.parse_args(arguments)
    dataset = bgadl_tf.load_dataset(given.dataset, part=given.part)
    for rule, number in chosen(dataset.train.examples[:]).items():
        print(f"| {rule} | {number} |", flush=True)
    for width in (*given.widths, None):
        projected = Projection.fit(dataset.train.examples, width).of(dataset)
        cells = []
        for labels in given.labels:
            found = [accuracy(projected, labels, given.steps, s) for s in range(given.seeds)]
            cells.append(f"{100 * np.mean(found):.2f} ± {100 * np.std(found, ddof=1):.2f}")
        print(f"| {width or dataset.shape[0]} | {' | '.join(cells)} |", flush=True)


def accuracy(dataset: Dataset, labels: int, steps: int, seed: int) -> float:
    """Test accuracy in [0, 1] after round 0."""
    plain = LEARNERS.get("plain")
    learner = plain.create(
        CLASSIFIERS.get("mlp")(dataset.shape, dataset.classes),
        plain.options_type(learning_rate=0.002),
    )
    learner.compile()
    plan = Plan(rounds=0, initial_size=labels, steps=steps, batch_size=64, seed=seed)
    record = bgadl_tf.ActiveLearner(learner, "random", dataset, plan=plan).step()
    assert record is not None
    assert record.test_accuracy is not None
    return record.test_accuracy


def chosen(vectors: Floats) -> Mapping[str, int]:
    """Components by rule, of vectors ``[N, F]``."""
    rng = np.random.default_rng(0)
    standard = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    deviation = standard.std(axis=0)
    standard /= np.where(deviation > 0.0, deviation, 1.0)
    count, width = standard.shape
    found = spectrum(standard)
    shuffled = spectrum(np.stack([rng.permutation(column) for column in standard.T], axis=1))
    stick = np.cumsum(1.0 / np.arange(width, 0, -1))[::-1] * found.sum() / width
    order = rng.permutation(count)
    share = found / found.sum()
    numbers = {
        "participation ratio of the variances": round(found.sum() ** 2 / np.square(found).sum()),
        "exponential of their entropy": round(
            float(np.exp(-(share * np.log(np.maximum(share, 1e-300))).sum()))
        ),
        "variance above 1 (Kaiser, 1960)": int((found > 1.0).sum()),
        "parallel analysis (Horn, 1965), columns shuffled": first(found <= shuffled),
        "variance above the Marchenko-Pastur edge": int(
            (found > (1.0 + np.sqrt(width / count)) ** 2).sum()
        ),
        "broken stick (Frontier, 1976)": first(found <= stick),
        "probabilistic PCA (Tipping and Bishop, 1999), held-out likelihood": likeliest(
            standard[order[: count // 2]], standard[order[count // 2 :]]
        ),
    }
    for least in SHARES:
        numbers[f"{100 * least:g} % of the variance"] = first(np.cumsum(share) >= least) + 1
    return numbers


def spectrum(vectors: Vector) -> Vector:
    """Variances of the principal components of centred vectors, falling."""
    return np.maximum(np.linalg.eigvalsh(vectors.T @ vectors / len(vectors))[::-1], 0.0)


def first(found: NDArray[np.bool_]) -> int:
    """The first place that is true."""
    return int(np.argmax(found))


def likeliest(train: Vector, held_out: Vector) -> int:
    """Components under which probabilistic PCA finds held-out vectors the likeliest."""
    variances, axes = np.linalg.eigh(train.T @ train / len(train))
    variances, axes = np.maximum(variances[::-1], 1e-9), axes[:, ::-1]
    seen = np.square(held_out @ axes).mean(axis=0)
    width = len(variances)
    scores = []
    for kept in range(1, width):
        noise = variances[kept:].mean()
        scores.append(
            -np.log(variances[:kept]).sum() - (seen[:kept] / variances[:kept]).sum()
            - (width - kept) * np.log(noise) - seen[kept:].sum() / noise
        )  # fmt: skip
    return int(np.argmax(scores)) + 1


if __name__ == "__main__":
    main()

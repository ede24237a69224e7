"""Training labels of which some are wrong, as those of people are; the test set stays right."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

import numpy as np

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import UNLABELLED, Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.id_hash import BITS, hash_of

KINDS = ("uniform", "confused")
RATE = 0.2


@dataclass(frozen=True)
class LabelNoise:
    """How an answer can be wrong, whoever asks for it.

    With C classes in order, an example of class c is, with a probability of ``rate``, labelled

    - ``uniform``: as any of the other classes, all alike ("symmetric");
    - ``confused``: as class c + 1, the last one as the first: classes are taken for a certain
      other one ("pair flipping", Han et al. 2018, "Co-teaching", section 4).

    Which examples are labelled wrongly, and as what, follows from the seed and their ids: whatever
    asks for an example of a run, and however often, has the same answer.

    Args:
        kind: One of ``KINDS``.
        rate: From above 0 to below 1.

    Raises:
        ConfigError: There is no such kind or rate.
    """

    kind: str
    rate: float = RATE

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(
                f"--label-noise is {self.kind!r}; choose from none, {', '.join(KINDS)}"
            )
        if not 0.0 < self.rate < 1.0:
            raise ConfigError(
                f"--label-noise-rate is {self.rate:g}; expected the share of labels that are "
                "wrong, between 0 and 1"
            )

    @classmethod
    def asked_for(cls, kind: str, rate: float) -> Self | None:
        """None for ``none``.

        Raises:
            ConfigError: As above, or a rate is given without a kind.
        """
        if kind != "none":
            return cls(kind, rate)
        if rate != RATE:
            raise ConfigError(
                f"--label-noise-rate is {rate:g}, but --label-noise is none: give "
                f"{' or '.join(KINDS)}, or leave it out"
            )
        return None

    def answer(self, id_: Id, label: Label, classes: int, seed: int) -> Label:
        """What an example is labelled as.

        Args:
            id_: Of the example.
            label: Its class, from 0 to ``classes`` - 1.
            classes: C.
            seed: Root seed.
        """
        named = f"{seed} {id_}"
        if hash_of(named, "label noise") >= self.rate * 2**BITS:
            return label
        step = 1 + hash_of(named, "wrong label") % (classes - 1) if self.kind == "uniform" else 1
        return (label + step) % classes

    def of(self, dataset: Dataset, seed: int) -> Dataset:
        """The same with other labels of some training examples.

        Raises:
            ConfigError: A training example has no label.
        """
        train = dataset.train
        if unknown := int((train.labels == UNLABELLED).sum()):
            raise ConfigError(
                f"--label-noise is {self.kind!r}, but {unknown} of the {len(train)} training "
                f"examples of {dataset.name!r} have no label: wrong answers are simulated where "
                "right ones are known; leave it out, or label them all"
            )
        answers = np.array(
            [
                self.answer(id_, label, dataset.classes, seed)
                for id_, label in zip(train.ids, train.labels.tolist(), strict=True)
            ],
            train.labels.dtype,
        )
        wrong = int((answers != train.labels).sum())
        note = (
            f"label noise, {self.kind} at a rate of {self.rate:g}: {wrong} of {len(train)} "
            "training labels are wrong"
        )
        return dataclasses.replace(
            dataset,
            name=f"{dataset.name} ({self.kind} label noise {self.rate:g})",
            train=dataclasses.replace(train, labels=answers),
            intake=dataclasses.replace(dataset.intake, notes=(*dataset.intake.notes, note)),
        )

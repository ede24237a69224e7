"""Synthesised images as files, for the person who labels them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bgadl_tf.acquisition.simple_gan import SimpleGAN
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.runs import synthesised
from tests.support.examples import some_images, some_labels, some_vectors

PLAN = Plan(rounds=2, query_size=4, initial_size=6, candidates=0, steps=2, batch_size=8)


def loop_of(examples: Any, folder: Path) -> ActiveLearner:
    """A loop that somebody labels: nothing is held back."""
    dataset = Dataset.from_arrays(
        examples, None, test_examples=examples[:9], test_labels=some_labels(9) % 2
    )
    learner = CLASSIFIERS.get("linear")(dataset.shape, 2)
    acquisition = SimpleGAN(steps=2, latent_dim=4, width=0.1)
    loop = ActiveLearner(learner, acquisition, dataset, folder=folder / "run", plan=PLAN)
    loop.tell({id_: number % 2 for number, id_ in enumerate(loop.ask().ids)})
    loop.fit()
    return loop


def test_a_person_finds_them_under_their_ids(tmp_path: Path) -> None:
    loop = loop_of(some_images(30), tmp_path)
    asked = loop.ask()
    assert loop.step() is None  # no network stands in for a person
    pool = loop.pool.unlabelled_ids[0]
    synthesised.write(loop, (*asked.ids, pool), tmp_path)
    files = sorted((tmp_path / "synthesised").iterdir())
    assert [file.name for file in files] == sorted(f"{id_}.png" for id_ in asked.ids)
    for id_, image in zip(asked.ids, loop.examples.of(asked.ids), strict=True):
        found = np.asarray(Image.open(tmp_path / "synthesised" / f"{id_}.png"))
        np.testing.assert_array_equal(found, image[..., 0])


def test_nothing_is_written_of_the_pool(tmp_path: Path) -> None:
    loop = loop_of(some_images(30), tmp_path)
    synthesised.write(loop, loop.pool.unlabelled_ids[:3], tmp_path)
    assert not (tmp_path / "synthesised").exists()


def test_nobody_can_look_at_features(tmp_path: Path) -> None:
    loop = loop_of(some_vectors(30), tmp_path)
    with pytest.raises(ConfigError, match=r"4 synthesised examples .* features, which nobody"):
        synthesised.write(loop, loop.ask().ids, tmp_path)

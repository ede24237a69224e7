from __future__ import annotations

import pytest

from bgadl_tf.study import shared_labels
from tests.support.study.folders import curve


def test_runs_of_a_seed_are_taken_at_the_counts_that_both_have() -> None:
    ours = {0: curve([20, 30, 40], [0.5, 0.6, 0.9]), 1: curve([20, 30], [0.5, 0.6]), 2: LONE}
    theirs = {0: curve([30, 40, 50], [0.4, 0.7, 0.8]), 1: curve([30, 40], [0.4, 0.7])}
    own, other = shared_labels.aligned(ours, theirs)
    # Seed 1 has one count in common, and seed 2 no run beside it.
    assert [*own] == [*other] == [0]
    assert own[0].labelled.tolist() == other[0].labelled.tolist() == [30, 40]
    assert own[0].accuracy.tolist() == [0.6, 0.9]
    assert other[0].accuracy.tolist() == [0.4, 0.7]


LONE = curve([20], [0.5])


@pytest.mark.parametrize("labelled", [[20], [20, 30]])
def test_curves_of_the_same_counts_stay_as_they_are(labelled: list[float]) -> None:
    one = curve(labelled, [0.5] * len(labelled))
    own, _ = shared_labels.aligned({0: one}, {0: one})
    assert own[0].labelled.tolist() == labelled

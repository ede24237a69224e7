"""Whether the runs of one seed are alike but for what is compared: what a comparison rests on.

Runs of one seed share their initial set, unless an acquisition chooses its own. Those that also
share the learner and every setting but what concerns the acquisition are the same run until it
first asks: their round 0 must be equal to the last bit. Learners that add further examples, made or
copied, are to add as many to each real one. Where curves have other labelled counts, what is paired
is compared at those alone that both runs have (``shared_labels``), which is said.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from bgadl_tf.core import durable
from bgadl_tf.core.errors import BgadlError
from bgadl_tf.core.types import Id
from bgadl_tf.runs import records
from bgadl_tf.study import runs
from bgadl_tf.study.markdown import listed
from bgadl_tf.study.runs import Run

_OF_THE_ACQUISITION = ("acquisition_options", "rounds", "query_size")
"""Settings of the protocol that round 0 knows nothing of."""

_NAMED = 6
"""Arms that share what is usual are named up to this many."""

_OF_ROUND_0 = ("labelled", "test_accuracy", "test_nll")


def doubts(found: Iterable[Run]) -> Iterator[str]:
    """What speaks against comparing the runs, in sentences; nothing where nothing does.

    Args:
        found: Runs with a learning curve, of any arms and seeds.
    """
    by_seed: dict[int, list[Run]] = defaultdict(list)
    for run in found:
        if not run.is_reference and run.rounds:
            by_seed[run.seed].append(run)
    initial = {
        seed: {run.arm: initial_ids(run) for run in by_seed[seed]} for seed in sorted(by_seed)
    }
    yield from _other_initial_sets(initial)
    yield from _other_counts(by_seed)
    for seed, of_arms in initial.items():
        yield from _other_round_0(seed, by_seed[seed], of_arms)
    yield from _other_ratios(run for group in by_seed.values() for run in group)


def initial_ids(run: Run) -> frozenset[Id] | None:
    """What the run's first round learnt from; None where its ledger is not there or damaged."""
    try:
        records = durable.read_json_lines(run.folder / "labels.jsonl", mend=False).records
        return frozenset(str(r["id"]) for r in records if r["round"] == 0) or None
    except (BgadlError, LookupError, TypeError):
        return None


def _other_initial_sets(
    initial: Mapping[int, Mapping[str, frozenset[Id] | None]],
) -> Iterator[str]:
    known = {
        seed: {arm: ids for arm, ids in of_arms.items() if ids is not None}
        for seed, of_arms in initial.items()
    }
    for seeds, others, usual in _unusual(known):
        yield (
            f"{seeds}: {others} began with another initial set than {usual}, "
            "so that more differs between them than what was asked"
        )


def _other_counts(by_seed: Mapping[int, Sequence[Run]]) -> Iterator[str]:
    counts = {
        seed: {run.arm: tuple(run.curve.labelled) for run in by_seed[seed] if run.measured.rounds}
        for seed in sorted(by_seed)
    }
    for seeds, others, usual in _unusual(counts):
        yield (
            f"{seeds}: {others} measured at other numbers of labels than {usual}; differences of "
            "the final accuracy and of the AUBC are over those numbers alone that both runs have"
        )


def _unusual(by_seed: Mapping[int, Mapping[str, Hashable]]) -> Iterator[tuple[str, str, str]]:
    """Seeds, arms that have something of their own there, and those that have what most have."""
    found: dict[tuple[tuple[str, ...], tuple[str, ...]], list[int]] = defaultdict(list)
    for seed, of_arms in by_seed.items():
        if len({*of_arms.values()}) > 1:
            most = Counter(of_arms.values()).most_common(1)[0][0]
            usual = tuple(arm for arm, own in of_arms.items() if own == most)
            found[tuple(arm for arm in of_arms if arm not in usual), usual].append(seed)
    for (others, usual), seeds in found.items():
        rest = _named(usual) if len(usual) <= _NAMED else f"the other {len(usual)} arms"
        of = f"{'seed' if len(seeds) == 1 else 'seeds'} {listed([str(seed) for seed in seeds])}"
        yield of, _named(others), rest


def _other_round_0(
    seed: int, group: Sequence[Run], initial: Mapping[str, frozenset[Id] | None]
) -> Iterator[str]:
    alike: dict[Hashable, list[Run]] = defaultdict(list)
    for run in group:
        if initial[run.arm] is not None:
            alike[(_until_it_asks(run), initial[run.arm])].append(run)
    for same in alike.values():
        values = {run.arm: tuple(run.rounds[0].get(key) for key in _OF_ROUND_0) for run in same}
        if len({*values.values()}) > 1:
            yield (
                f"seed {seed}: {_named(values)} are the same run until they first ask, but their "
                "round 0 is not the same; were they made by several machines or versions?"
            )


def _other_ratios(found: Iterable[Run]) -> Iterator[str]:
    arms: dict[float, dict[str, None]] = defaultdict(dict)
    for run in found:
        count = records.fact(run.rounds[-1], "further_per_real")
        if count is not None:
            arms[count][run.arm] = None
    if len(arms) > 1:
        ratios = [f"{count:g} of {_named(names)}" for count, names in sorted(arms.items())]
        yield (
            "further examples beside each real one in a step: "
            f"{listed(ratios)}; more of them are more computation, and perhaps more help"
        )


def _until_it_asks(run: Run) -> str:
    """Every setting that round 0 depends on."""
    known = {"learner", "options", *(run.config.keys() - {*runs.NOT_PROTOCOL})}
    settings = {key: run.config.get(key) for key in known - {*_OF_THE_ACQUISITION}}
    return json.dumps(settings, sort_keys=True)


def _named(arms: Iterable[str]) -> str:
    return listed([f"`{arm}`" for arm in arms])

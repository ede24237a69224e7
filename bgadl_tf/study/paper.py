"""Table 1 of Tran et al. (2019), and final accuracies in its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bgadl_tf.study.intervals import interval
from bgadl_tf.study.markdown import NONE, spread, table
from bgadl_tf.study.runs import Run

COLUMNS = {
    "bgadl": "AL w. VAEACGAN", "al-acgan": "AL w. ACGAN", "al-pmda": "AL w. PMDA",
    "bald": "AL without DA", "bda": "BDA (partial)", "random": "random",
}  # fmt: skip
"""Methods, in the paper's order, and what it calls them."""

TABLE_1 = {
    ("mnist", "resnet18"): "99.53±.05 99.45±.02 99.37±.15 99.33±.10 99.33±.04 99.00±.13",
    ("mnist", "resnet18pa"): "99.68±.08 99.57±.07 99.49±.09 99.35±.11 99.35±.07 99.20±.12",
    ("cifar10", "resnet18"): "87.63±.11 86.80±.45 82.17±.35 79.72±.19 85.08±.31 77.29±.23",
    ("cifar10", "resnet18pa"): "91.13±.10 90.70±.24 87.70±.39 85.51±.21 86.90±.27 80.69±.19",
    ("cifar100", "resnet18"): "68.05±.17 66.50±.63 55.24±.57 50.57±.20 65.76±.40 49.67±.52",
    ("cifar100", "resnet18pa"): "69.69±.13 67.79±.76 59.67±.60 55.82±.31 65.79±.51 54.77±.29",
}
"""Accuracy (%) after the last round by dataset and classifier, mean ± sd, in ``COLUMNS``' order."""

RUNS = 3
"""Behind every number of the paper's table."""

ROUNDS = 150
"""After which the paper's table is taken."""

QUERY_SIZE = 100
"""Labels that the paper asks for in a round."""

INITIAL = {"mnist": 1_000, "cifar10": 5_000, "cifar100": 15_000}
"""Labels that the paper starts from, by dataset (recalled, not read again)."""

PIXELS = {"mnist": 28, "cifar10": 32, "cifar100": 32}
"""A side of its images, by dataset."""


def published(dataset: str, classifier: str) -> dict[str, tuple[float, float]]:
    """Mean and sd (%) by method.

    Raises:
        KeyError: The paper has no such row.
    """
    cells = TABLE_1[dataset, classifier].split()
    found = {}
    for method, cell in zip(COLUMNS, cells, strict=True):
        mean, sd = cell.split("±")
        found[method] = (float(mean), float(sd))
    return found


def paper_table(arms: Mapping[str, Sequence[Run]]) -> str | None:
    """Final accuracies of the paper's methods; beneath them the paper's own where it has them.

    Args:
        arms: Finished runs by arm, each with a learning curve.

    Returns:
        The table, and what may be read from it; None without one of the paper's methods.
    """
    shown = {arm: arms[arm] for arm in COLUMNS if arm in arms and arms[arm][0].method == arm}
    if not shown:
        return None
    config = next(iter(shown.values()))[0].config
    dataset, classifier = str(config.get("dataset", "")), str(config.get("classifier", ""))
    finals = {
        arm: interval([run.curve.accuracy[-1] for run in group]) for arm, group in shown.items()
    }
    cells = [spread(finals[arm], 100, 2) if arm in finals else NONE for arm in COLUMNS]
    rows = [[f"here: {dataset}, {classifier or 'default classifier'}", *cells]]
    reasons = [*_other_settings(next(iter(shown.values()))[0])]
    if not reasons:
        theirs = published(dataset, classifier)
        cells = [f"{mean:.2f} ± {sd:.2f}" for mean, sd in theirs.values()]
        rows.append([f"Tran et al.: {dataset}, {classifier}", *cells])
        note = (
            f"The paper's means are of {RUNS} runs, after {ROUNDS} rounds; it does not say where "
            "its classifier had dropout, nor all other settings."
        )
    else:
        note = f"Table 1 of the paper is not put beside it: {'; '.join(reasons)}."
    return table(["accuracy (%), mean ± sd", *COLUMNS.values()], rows) + f"\n{note}\n"


def _other_settings(run: Run) -> list[str]:
    """Why the paper's numbers are of something else, in words."""
    config = run.config
    found = []
    dataset, classifier = config.get("dataset"), config.get("classifier")
    if (dataset, classifier) not in TABLE_1:
        found.append(
            "it has ResNet18 and ResNet18pa on MNIST, CIFAR-10 and CIFAR-100, and this is "
            f"{classifier or 'the default classifier'} on {dataset}"
        )
    if config.get("backbone"):
        found.append("it learns in pixels, and this in the features of a backbone")
    if (rounds := int(config["rounds"])) != ROUNDS:
        found.append(f"it is taken after {ROUNDS} rounds, and this after {rounds}")
    if (size := config.get("query_size", QUERY_SIZE)) != QUERY_SIZE:
        found.append(f"it asks for {QUERY_SIZE} labels a round, and this for {size}")
    theirs = INITIAL.get(str(dataset), config.get("initial_size"))
    if (first := config.get("initial_size")) != theirs:
        found.append(f"it starts from {theirs:,} labels, and this from {first:,}")
    if (pixels := config.get("image_size")) not in (None, PIXELS.get(str(dataset))):
        found.append(f"it has images of their own size, and this of {pixels} pixels a side")
    usual = {"imbalance": "none", "label_noise": "none", "repeated": 1.0}
    changed = [name for name in ("part", "classes", "test_dataset") if config.get(name)]
    changed += [name for name, value in usual.items() if config.get(name, value) != value]
    if changed:
        found.append(f"it is of the whole dataset as it stands, and here {changed[0]} is set")
    return found

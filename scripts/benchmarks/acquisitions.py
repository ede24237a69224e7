"""What one query of every acquisition costs: seconds and memory, beside peers where there are any.

``python -m scripts.benchmarks.acquisitions --help``. What is measured is kept at once, and a later
call goes on with the rest.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from scripts.benchmarks import environment, query_table, results
from scripts.benchmarks.limits import Limits
from scripts.benchmarks.query_contender import Rules
from scripts.benchmarks.query_contest import contest
from scripts.benchmarks.query_costs import (
    COSTS,
    Cost,
    Measured,
    Setting,
    added,
    begin_run,
    is_done,
    read,
)
from scripts.benchmarks.rivals.acquisition_peers import PEERS, Peer

POOLS = (
    ("vectors", 2000), ("images", 2000), ("vectors", 20_000), ("images", 20_000),
    ("vectors", 1_000_000),
)  # fmt: skip
"""Spaces and N, the quick ones first."""

SIZES = {"batchbald": (10, 100)}
SIZE = 100
"""b, and of those that have several."""

INNER = "bald"
"""What wrappers wrap."""


def make_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.benchmarks.acquisitions",
        description="Measure one query of every acquisition, each in a process of its own, and of "
        "the peers that are installed. Settings that the results hold already are left out.",
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="acquisition; repeatable")
    parser.add_argument("--size", action="append", type=int, metavar="N", help="pool; repeatable")
    parser.add_argument("--space", choices=("images", "vectors"), help="of the pool")
    parser.add_argument(
        "--limit", type=float, default=1800.0, metavar="SECONDS", help="of a query (default: 1800)"
    )
    parser.add_argument(
        "--memory", type=float, default=4.0, metavar="GIB",
        help="resident memory of a process that no file backs (default: 4)",
    )  # fmt: skip
    parser.add_argument(
        "--repeats", type=int, default=3, metavar="N",
        help="queries after the first one, if that took less than a minute (default: 3)",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="(default: 2)")
    parser.add_argument("--data-dir", metavar="FOLDER", help="prepared TFDS dataset cifar10")
    parser.add_argument(
        "--out", type=Path, default=COSTS, metavar="FILE.json",
        help="results; beside those of record the page is brought up to date, too",
    )  # fmt: skip
    parser.add_argument("--again", action="store_true", help="measure also what is there")
    parser.add_argument("--list", action="store_true", help="name what is to be measured and stop")
    parser.add_argument("--table", action="store_true", help="render the table and stop")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    parser = make_parser()
    arguments = parser.parse_args(argv)
    if arguments.table:
        print(query_table.markdown(read(arguments.out)))
        return 0
    environment.prepare(arguments.threads)
    wanted = settings(names(), arguments.only, arguments.size, arguments.space)
    if not wanted:
        parser.error("nothing is called so, or no pool is of that size")
    saved = read(arguments.out)
    left = [s for s in wanted if arguments.again or not is_done(saved, s, _names(peers_of(s)))]
    print(f"{len(left)} of {len(wanted)} settings are to be measured", flush=True)
    if arguments.list:
        print("\n".join(setting.key for setting in left))
        return 0
    rules = Rules(
        limits=Limits(seconds=arguments.limit, mib=1024 * arguments.memory),
        repeats=arguments.repeats,
        data_dir=arguments.data_dir and str(Path(arguments.data_dir).absolute()),
    )
    _run(left, rules, arguments.threads, arguments.out)
    return 0


def names() -> list[str]:
    """Every registered acquisition, wrappers around ``INNER``."""
    from bgadl_tf.acquisition.acquisition import ACQUISITIONS, wraps

    return [f"{name}:{INNER}" if wraps(name) else name for name in ACQUISITIONS]


def settings(
    known: Sequence[str],
    only: Sequence[str] | None = None,
    counts: Sequence[int] | None = None,
    space: str | None = None,
) -> list[Setting]:
    """What is to be measured, in that order.

    Args:
        known: Acquisitions.
        only: Those among them; of a wrapper its own name will do.
        counts: Pools of these sizes alone.
        space: Pools of this space alone.
    """
    return [
        Setting(acquisition=name, space=where, count=count, size=size)
        for where, count in POOLS
        if (not counts or count in counts) and space in (None, where)
        for name in known
        if not only or name in only or name.partition(":")[0] in only
        for size in SIZES.get(name, (SIZE,))
    ]


def peers_of(setting: Setting) -> list[Peer]:
    """Who makes it, too, and is installed: of vectors, of which they take arrays."""
    if setting.space != "vectors":
        return []
    return [peer for peer in PEERS.get(setting.acquisition, ()) if peer.is_there]


def _names(peers: Sequence[Peer]) -> list[str]:
    # What needs a fact of ours is not there if ours was stopped.
    return [peer.name for peer in peers if not peer.fact]


def _run(left: Sequence[Setting], rules: Rules, threads: int, out: Path) -> None:
    from scripts.benchmarks import images, machine

    about = {
        **machine.describe(),
        "threads": threads,
        "images": "cifar10" if "cifar10" in images.real(rules.data_dir) else "stand-ins",
    }
    saved, run = begin_run(read(out), about)
    with _pools() as pool_of:
        for setting in left:
            print(f"{setting.key}:", flush=True)
            pool = pool_of(setting.count) if setting.space == "vectors" else Path()
            costs = contest(setting, peers_of(setting), rules, pool)
            for cost in costs:
                print(f"  {told(cost)}", flush=True)
            measured = Measured(
                setting=setting, costs=tuple(costs), seconds=rules.limits.seconds,
                mib=rules.limits.mib, run=run,
            )  # fmt: skip
            saved = added(saved, measured)
            results.write(out, saved)
            if out.resolve() == COSTS:
                page = query_table.filled(query_table.PAGE.read_text(), saved)
                query_table.PAGE.write_text(page)


def told(cost: Cost) -> str:
    """One line."""
    if cost.stopped:
        ended = f"{cost.stopped} after {cost.first:.1f} s" if cost.first else cost.stopped
        return f"{cost.name}: {ended}, {cost.peak:.0f} MiB {cost.why}"
    same = "" if cost.same is None else f"; {cost.same} of {cost.determined} picks as ours"
    return (
        f"{cost.name}: {cost.usual:.3g} s (first {cost.first:.3g}, seeing {cost.seeing:.3g}, "
        f"training {cost.training:.3g}), {cost.before:.0f} to {cost.peak:.0f} MiB{same}"
    )


@contextlib.contextmanager
def _pools() -> Iterator[Callable[[int], Path]]:
    """From N to a file of vectors, written once."""
    from scripts.benchmarks import query_loops, vectors

    with tempfile.TemporaryDirectory() as folder:

        def pool_of(count: int) -> Path:
            path = Path(folder) / f"{count}.npy"
            if not path.exists():
                vectors.mapped(path, query_loops.total(count), query_loops.WIDTH)
            return path

        yield pool_of


if __name__ == "__main__":
    sys.exit(main())

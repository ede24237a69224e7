from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scripts.benchmarks import disk_pools
from scripts.benchmarks.children.pool import opened
from scripts.benchmarks.memory import Peak
from tests.support.examples import some_images, some_labels

IMAGES, LABELS = some_images(12, (28, 28, 1)), np.sort(some_labels(12))


@pytest.mark.parametrize("source", ["array", "records", "folder"])
def test_a_pool_on_disk_reads_as_it_was_written(source: str, tmp_path: Path) -> None:
    path = {
        "array": lambda: disk_pools.write_array(tmp_path, IMAGES),
        "records": lambda: disk_pools.write_records(tmp_path, IMAGES, LABELS),
        "folder": lambda: disk_pools.write_folder(tmp_path, IMAGES, LABELS),
    }[source]()
    np.testing.assert_array_equal(opened(source, path, 0, None)[:], IMAGES)


def test_a_peak_sees_what_was_given_back() -> None:
    with Peak() as peak:
        before = peak.mib
        assert np.ones(2**22).sum() == 2**22  # 32 MiB
    assert peak.mib >= before

"""``--scaling`` and ``--components``: of vectors, and of nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs import scaling
from bgadl_tf.runs.config import RunConfig

IMAGES = ("arrays", (8, 8, 3))


@pytest.mark.parametrize("name", ["--scaling", "--components"])
@pytest.mark.parametrize("value", ["standard", "none"])
def test_images_are_not_scaled(name: str, value: str) -> None:
    settings: dict[str, Any] = {"scaling": value} if name == "--scaling" else {"components": 3}
    with pytest.raises(ConfigError, match=f"{name} is given, but dataset 'arrays' holds images"):
        scaling.chosen(RunConfig(**settings), *IMAGES, {})


def test_a_run_of_images_is_taken_up_with_what_its_folder_says() -> None:
    assert scaling.chosen(RunConfig(), *IMAGES, {}) == "none"
    assert scaling.chosen(RunConfig(scaling="none"), *IMAGES, {"scaling": "none"}) == "none"

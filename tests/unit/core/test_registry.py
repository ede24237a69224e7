from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bgadl_tf.core.errors import ConfigError, UnknownNameError
from bgadl_tf.core.registry import Registry


def make() -> Registry[int]:
    registry: Registry[int] = Registry("thing")
    registry.register("one")(1)
    registry.register("three")(3)
    return registry


def test_get_returns_what_was_registered() -> None:
    assert make().get("one") == 1


def test_names_are_sorted_and_iterable() -> None:
    registry = make()
    registry.register("a")(0)
    assert registry.names() == ("a", "one", "three") == tuple(registry)


def test_register_returns_the_thing_itself() -> None:
    assert make().register("ten")(10) == 10


def test_a_name_taken_is_refused() -> None:
    with pytest.raises(ValueError, match="thing 'one' is registered twice"):
        make().register("one")(2)


def test_an_unknown_name_lists_the_known_ones_and_a_close_one() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown thing 'thre' \(did you mean 'three'\?\)"):
        make().get("thre")
    with pytest.raises(ConfigError, match=r"unknown thing 'xyz'; known: one, three$"):
        make().get("xyz")


def test_modules_of_the_package_are_imported_at_the_first_look_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "registry_under_test"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from bgadl_tf.core.registry import Registry\n"
        "THINGS: Registry[int] = Registry('thing', 'registry_under_test')\n"
    )
    (package / "seven.py").write_text(
        "from registry_under_test import THINGS\nTHINGS.register('seven')(7)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    things: Registry[int] = __import__("registry_under_test").THINGS
    assert "registry_under_test.seven" not in sys.modules
    assert things.get("seven") == 7

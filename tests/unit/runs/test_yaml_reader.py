from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs import yaml_reader
from tests.support.study.protocols import write_study


def test_anchors_and_merged_mappings(tmp_path: Path) -> None:
    text = "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3\n"
    assert yaml_reader.read(write_study(tmp_path, text)) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 3, "y": 2},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: 1\nb: 2\na: 3\n",
            r"study.yaml, line 3 is no YAML that can be used: 'a' stands there tw",
        ),
        ("a: {b: 1, b: 2}\n", "line 1 .* 'b' stands there twice"),
        ("a: 1\n  b: [\n", "line 2 is no YAML"),
        ("a: [1\nb: 2\n", "line 2 is no YAML"),
        ("a: b\n\tc: 1\n", "line 2 is no YAML"),
        ("a: !!python/object/apply:os.getcwd []\n", "line 1 is no YAML"),
        ("{[a]: 1}: 2\n", "is no YAML"),
        ("a: \x00\n", "is no YAML"),
        ("a: 1\n---\nb: 2\n", "is no YAML"),
        ("a: 2020-13-45\n", "is no YAML"),
        ("[" * 5000, "is no YAML"),
        ("arms: &a\n  bgadl: *a\n", r"line 2 is no YAML .*: \*a stands within &a, which would"),
        ("a: &a [1, [*a]]\n", r"line 1 is no YAML .*: \*a stands within &a"),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        yaml_reader.read(write_study(tmp_path, text))


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no file .*/none\.yaml; give the path"):
        yaml_reader.read(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"cannot read .* directory"):
        yaml_reader.read(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9\n")
    with pytest.raises(ConfigError, match=r"not text in UTF-8 \(byte 3\)"):
        yaml_reader.read(tmp_path / "latin.yaml")

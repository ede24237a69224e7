"""The page of a project offers the classes of a run, and nothing else."""

from __future__ import annotations

import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.labelling.labelstudio.label_config import LabelConfig, made_for

TEN = tuple(str(number) for number in range(10))


def test_a_config_is_made() -> None:
    config = made_for(TEN)
    assert (config.control, config.image, config.field) == ("label", "image", "image")
    assert config.choices == TEN
    assert '<Choice value="7" hotkey="7"' in config.text
    names = ["a<b", "ü&", *(f"class {number}" for number in range(9))]
    config = made_for(names)
    assert config.choices == tuple(names)
    assert '<Choice value="class 7" hotkey="0"' in config.text
    assert '<Choice value="class 8" />' in config.text


def test_late_classes_are_added() -> None:
    config = LabelConfig.of(
        '<View><!-- ours --><Image name="photo" value="$file"/><Choices name="kind" toName="photo">'
        '<Choice value="dog" hotkey="2"/><Choice value="cat" hotkey="q"/></Choices></View>'
    )
    classes = ("cat", "dog", "bird")
    assert config.missing(classes) == ("bird",)
    grown = config.with_choices(("bird",), classes)
    assert grown.choices == ("dog", "cat", "bird")
    assert (grown.control, grown.image, grown.field) == ("kind", "photo", "file")
    assert '<Choice value="bird" hotkey="3"' in grown.text
    assert "<!-- ours -->" in grown.text
    assert not grown.missing(classes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<View/>", "has 0 <Choices> about an <Image>"),
        ("<View>", "is not XML"),
        (
            '<View><Image name="i" value="$i"/><Choices toName="i" choice="multiple"/></View>',
            "allow 'multiple'; expected choice=\"single\"",
        ),
        (
            '<View><Image name="i" valueList="$i"/><Choices name="c" toName="i"/></View>',
            "its <Image> shows ''",
        ),
    ],
)
def test_other_pages_are_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        LabelConfig.of(text)


def test_other_classes_are_refused() -> None:
    config = made_for(("cat", "dog"))
    with pytest.raises(DataError, match="offers 'dog', no class of the run, whose classes are"):
        config.missing(("cat", "bird"))
    with pytest.raises(DataError, match="offers 'cat', 'dog', and lacks 'bird'"):
        config.missing(("bird", "cat", "dog"))

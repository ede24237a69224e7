from __future__ import annotations

from bgadl_tf.data.images import of_run
from bgadl_tf.data.images.header import Header
from bgadl_tf.data.images.looking import Looked

HEADERS = {
    "a": Header("PNG", (8, 6), grey=True),
    "b": Header("PNG", (6, 8), grey=False),
    "c": Header("JPEG", (6, 8), grey=False, orientation=6),
    "d": Header("PNG", (8, 6), grey=False),
}
LOOKED = Looked(HEADERS, {"x": "cut short"}, {"y": "not an image"})


def test_images_of_another_size_are_unreadable_and_turned_ones_count_as_they_are_seen() -> None:
    found = of_run.of_one_size(LOOKED, (6, 8, 1))
    assert [*found.headers] == ["a", "c", "d"]
    assert found.unreadable == {
        "x": "cut short",
        "b": "6x8 pixels, those of the run are 8x6: resize it, or begin a run with --image-size",
    }
    assert found.others == LOOKED.others
    assert [*LOOKED.headers] == ["a", "b", "c", "d"]


def test_what_is_converted_to_grey_is_counted() -> None:
    assert of_run.notes(LOOKED, ["a", "c", "d"], (6, 8, 1)) == [
        "2 images in colour are converted to grey, as those of the run are grey"
    ]
    assert of_run.notes(LOOKED, ["a", "d"], (6, 8, 1)) == [
        "1 image in colour is converted to grey, as those of the run are grey"
    ]
    assert of_run.notes(LOOKED, ["a"], (6, 8, 1)) == []
    assert of_run.notes(LOOKED, ["a", "d"], (6, 8, 3)) == []

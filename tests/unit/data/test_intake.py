from __future__ import annotations

from bgadl_tf.data.intake import Intake, counted


def test_reasons_come_with_their_number_and_the_first_names() -> None:
    many = {f"{number}.txt": "not an image" for number in range(5)}
    intake = Intake(
        notes=("a note",),
        left_out={".x": "hidden", **many},
        unreadable={"a.png": "the file is empty"},
    )
    assert intake.lines() == [
        "a note",
        "left out: 5 (0.txt, 1.txt, 2.txt and 2 more): not an image",
        "left out: 1 (.x): hidden",
        "unreadable: 1 (a.png): the file is empty",
    ]
    assert intake.lines(shown=5)[1] == (
        "left out: 5 (0.txt, 1.txt, 2.txt, 3.txt, 4.txt): not an image"
    )


def test_formats_and_a_few_sizes_are_all_named() -> None:
    intake = Intake(formats={"JPEG": 2, "PNG": 10}, sizes={(8, 9): 1, (4, 4): 11})
    assert intake.facts() == ["formats: PNG 10, JPEG 2", "sizes: 4x4 11, 8x9 1"]
    assert Intake().facts() == []


def test_of_many_sizes_the_commonest_and_the_range_are_named() -> None:
    intake = Intake(sizes={(8, 9): 1, (4, 40): 11, (7, 7): 2, (5, 3): 1, (6, 6): 1})
    assert intake.facts() == [
        "sizes: 4x40 11, 7x7 2, 5x3 1 and 2 other sizes; 4 to 8 wide, 3 to 40 high"
    ]


def test_one_and_many() -> None:
    assert (counted(1, "image"), counted(0, "image")) == ("1 image", "0 images")
    assert counted(2, "class", "classes") == "2 classes"

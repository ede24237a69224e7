from __future__ import annotations

import pytest

from bgadl_tf.data.id_matching import How, Ids, Match

KNOWN = ("train/cat/1.png", "train/dog/2.png", "pool/ü b.png", "pool/3.jpeg", "sub.dir/v1.2")


@pytest.mark.parametrize(
    ("text", "id_", "how"),
    [
        ("train/cat/1.png", "train/cat/1.png", How.EXACT),
        (" ./train\\cat\\1.png ", "train/cat/1.png", How.SPELLING),
        ("pool/u\N{COMBINING DIAERESIS} b.png", "pool/ü b.png", How.SPELLING),
        ("pool/%C3%BC%20b.png", "pool/ü b.png", How.SPELLING),
        ("TRAIN/Cat/1.PNG", "train/cat/1.png", How.SPELLING),
        (".\\Pool\\U\N{COMBINING DIAERESIS}%20B.PNG", "pool/ü b.png", How.SPELLING),
        ("/home/me/photos/train/dog/2.png", "train/dog/2.png", How.PATH),
        ("C:\\photos\\train\\dog\\2.png", "train/dog/2.png", How.PATH),
        ("file:///photos/pool/%C3%BC%20b.png", "pool/ü b.png", How.PATH),
        ("1.png", "train/cat/1.png", How.NAME),
        ("cat/1.png", "train/cat/1.png", How.NAME),
        ("1", "train/cat/1.png", How.STEM),
        ("dog/2", "train/dog/2.png", How.STEM),
        ("3.jpg", "pool/3.jpeg", How.STEM),
        ("v1.2", "sub.dir/v1.2", How.NAME),
    ],
)
def test_ids_are_found_as_people_write_them(text: str, id_: str, how: How) -> None:
    assert Ids(KNOWN).find(text) == Match(id_, how)
    assert Ids(KNOWN).match(text) == id_


@pytest.mark.parametrize(
    "text", ["", "  ", "4.png", "dog/1.png", "png", "v1", "at/1.png", "train/cat", "train/cat/"]
)
def test_what_is_no_known_id_is_not_found(text: str) -> None:
    assert Ids(KNOWN).find(text) is None
    assert Ids(KNOWN).match(text) is None


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("1.png", ("cat/1.png", "dog/1.png")),
        ("1", ("cat/1.png", "dog/1.jpg")),
        ("/data/cat/1.png", ("cat/1.png", "1.png")),
        (" a ", ("a ", " a")),
        ("IM0.png", ("im0.png", "IM0.PNG")),
        ("u\N{COMBINING DIAERESIS}/x%20y", ("ü/x%20y ", "./ü/x%20y")),
    ],
)
def test_two_that_fit_are_never_chosen_between(text: str, known: tuple[str, ...]) -> None:
    assert Ids(known).find(text) is None


def test_the_nearest_spelling_comes_first() -> None:
    known = ("a%20b.png", "a b.png", "x/1", "1")
    assert Ids(known).match("./a%20b.png") == "a%20b.png"
    assert Ids(known).match("a b.png") == "a b.png"
    assert Ids(known).match("1") == "1"


def test_ids_that_differ_in_case_alone_are_told_apart() -> None:
    known = ("im0.png", "IM0.PNG", "x/Im1.png", "im1.png")
    assert Ids(known).match(" im0.png") == "im0.png"
    assert Ids(known).find("./IM0.PNG") == Match("IM0.PNG", How.SPELLING)
    # All of an id comes before the end of another.
    assert Ids(known).find("Im1.png") == Match("im1.png", How.SPELLING)


def test_names_of_one_example_in_two_cases_mean_it() -> None:
    assert Ids({"im0.png": "new.png", "IM0.PNG": "new.png"}).match("Im0.png") == "new.png"


def test_an_id_with_odd_characters_is_itself() -> None:
    known = ("100%.png", "a\\b.png", ".hidden", "-1")
    assert [Ids(known).match(id_) for id_ in known] == list(known)
    assert Ids(known).match("./100%.png") == "100%.png"

from __future__ import annotations

import pytest

from bgadl_tf.data.class_names import allowed, index_of, index_of_name, resembling

ANIMALS = ("cat", "Dog", "white horse")


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("cat", 0),
        (" CAT ", 0),
        ("white horse\t", 2),
        ("\N{NO-BREAK SPACE}dog", 1),
        ("0", 0),
        ("2", 2),
        ("2.0", 2),
        ("1,00", 1),
        ("3", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("horse", None),
    ],
)
def test_words_are_found_by_name_and_then_by_index(text: str, index: int | None) -> None:
    assert index_of(text, ANIMALS) == index


@pytest.mark.parametrize(
    ("text", "names", "index"),
    [
        ("1", ("1.0", "2.0"), 0),
        ("2", ("1.0", "2.0"), 1),
        ("1,0", ("1.0", "2.0"), 0),
        (" 2.00 ", ("1.0", "2.0"), 1),
        ("0", ("1.0", "2.0"), None),
        ("7", ("007", "008"), 0),
        ("0", ("5", "7"), None),
        ("-1", ("-1", "+1"), 0),
        ("1", ("-1", "+1"), 1),
        ("\N{MINUS SIGN}1", ("-1", "+1"), 0),
        ("1000", ("1e3", "2e3"), 0),
        ("2.00E+03", ("1e3", "2e3"), 1),
        ("1,000", ("10", "1000"), 1),
        ("1,000", ("1", "10"), 0),
        ("0,5", (".5", "1.5"), 0),
        ("12345678901234567890", ("12345678901234567891",), None),
        ("1", ("cat", "2"), None),
        ("nan", ("nan", "inf"), 0),
    ],
)
def test_names_that_are_numbers_are_compared_as_numbers_and_never_indices(
    text: str, names: tuple[str, ...], index: int | None
) -> None:
    assert index_of(text, names) == index


def test_by_name_alone_an_index_is_nothing() -> None:
    assert index_of_name("1", ANIMALS) is None
    assert index_of_name(ANIMALS[1].upper(), ANIMALS) == 1
    assert index_of_name("1.0", ("0", "1")) == 1


def test_the_very_name_comes_before_all_that_is_alike() -> None:
    assert index_of("B", ("b", "B")) == 1
    assert index_of("1", ("1.0", "1")) == 1
    assert index_of(" 7 ", ("007", "7")) == 1
    assert index_of("1", ("one", "two", "1a")) == 1


def test_composed_and_decomposed_characters_are_one() -> None:
    assert index_of("ka\N{COMBINING DIAERESIS}se", ("bee", "käse")) == 1


@pytest.mark.parametrize(
    ("text", "names", "both"),
    [
        ("DOG", ("dog", "Dog"), "'dog' or 'Dog'"),
        ("1,0", ("1", "1.0"), "'1' or '1.0'"),
        ("1,000", ("1.0", "1000"), "'1.0' or '1000'"),
    ],
)
def test_two_that_fit_are_never_chosen_between(
    text: str, names: tuple[str, ...], both: str
) -> None:
    with pytest.raises(ValueError, match=f"could be {both}"):
        index_of(text, names)


def test_what_is_allowed_is_said_in_a_line() -> None:
    assert allowed(ANIMALS) == "cat, Dog, white horse, an index from 0 to 2"
    assert allowed(("1.0", "2.0")) == "1.0, 2.0"
    assert allowed([f"n{i}" for i in range(100)]).endswith("n19, 80 more, an index from 0 to 99")


def test_a_misspelt_name_is_recognised() -> None:
    assert resembling("catt", ANIMALS) == "cat"
    assert resembling("WHITE HORS", ANIMALS) == "white horse"
    assert resembling("aeroplane", ANIMALS) is None
    assert resembling("1.5", ("1.0", "2.0")) is None

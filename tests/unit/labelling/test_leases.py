"""No image is before two tabs."""

from __future__ import annotations

from bgadl_tf.labelling.leases import Leases


class Clock:
    """Stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_no_two_tabs_have_the_same_image() -> None:
    leases = Leases(clock=Clock())
    assert [leases.take(tab, ["a", "b"]) for tab in ("one", "two", "three")] == ["a", "b", None]
    assert [leases.take(tab, ["a", "b"]) for tab in ("two", "one")] == ["b", "a"]
    assert leases.others("one", ["a", "b"]) == ("b",)
    assert leases.others("three", ["a", "b"]) == ("a", "b")
    assert leases.is_with_another("one", "b")
    assert not leases.is_with_another("one", "a")


def test_what_is_answered_makes_place_for_the_next() -> None:
    leases = Leases(clock=Clock())
    leases.take("one", ["a", "b", "c"])
    assert leases.take("two", ["a", "b", "c"]) == "b"
    assert leases.take("one", ["b", "c"]) == "c"
    assert leases.take("one", []) is None
    assert leases.others("two", ["b", "c"]) == ()


def test_a_lease_ends_unless_it_is_renewed() -> None:
    clock = Clock()
    leases = Leases(30.0, clock)
    leases.take("one", ["a", "b"])
    clock.now = 29.0
    assert leases.take("one", ["a", "b"]) == "a"
    assert leases.take("two", ["a", "b"]) == "b"
    clock.now = 58.0
    assert leases.take("two", ["a", "b"]) == "b"
    clock.now = 60.0
    assert not leases.is_with_another("two", "a")
    assert leases.take("three", ["a", "b"]) == "a"
    # Who comes back late finds it taken, and gets another.
    assert leases.take("one", ["a", "b"]) is None
    assert leases.take("one", ["a", "b", "c"]) == "c"


def test_a_tab_that_closes_lets_go() -> None:
    leases = Leases(clock=Clock())
    leases.take("one", ["a"])
    leases.release("one")
    leases.release("nobody")
    assert leases.take("two", ["a"]) == "a"


def test_what_is_given_is_shown_next() -> None:
    leases = Leases(clock=Clock())
    leases.take("one", ["b", "c"])
    leases.give("one", "a")
    assert leases.take("one", ["a", "b", "c"]) == "a"
    assert leases.take("two", ["a", "b", "c"]) == "b"

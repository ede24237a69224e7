from __future__ import annotations

import json
from typing import Any

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.study import file_claims
from bgadl_tf.study.claims import Claims

WHOLE = Claims("bgadl", (("bgadl", "bald"), ("bgadl", "random")), 0.25, (("bgadl", "bald"),))


def test_json_and_back() -> None:
    assert Claims.from_json(json.loads(json.dumps(WHOLE.to_json()))) == WHOLE


def test_as_a_file_has_it() -> None:
    assert file_claims.claims_of(WHOLE.to_json()) == WHOLE
    assert file_claims.claims_of(None) is None
    least = file_claims.claims_of({"wins": {"pairs": [["a", "b"]]}})
    assert least == Claims(wins=(("a", "b"),))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1], "claims is .* expected a mapping with the keys recommended"),
        ({"never_harm": {}}, r"unknown key claims.never_harm \(did you mean 'never_harms'"),
        ({"wins": {"margin": 1}}, "unknown key claims.wins.margin"),
        ({"wins": {"pairs": 3}}, r"claims.wins.pairs is 3; .* \[\[bgadl, bald\]\]"),
        ({"wins": {"pairs": ["ab"]}}, r"claims.wins.pairs\[0\] is 'ab'; expected a list of texts"),
        ({"wins": {"pairs": [["a"]]}}, r"claims.wins.pairs\[0\] is \['a'\]"),
        ({"wins": {"pairs": [["a", "a"]]}}, "claims.wins compares 'a' with itself"),
        ({"wins": {"pairs": [["a", "b"]] * 2}}, r"claims.wins has \['a', 'b'\] twice"),
        ({"never_harms": {"margin": 0, "pairs": [["a", "b"]]}}, "margin is 0.0; expected points"),
        ({"never_harms": {"margin": "1", "pairs": []}}, "margin is '1'; expected points"),
        ({"recommended": 3}, "claims.recommended is 3"),
        ({"recommended": "a"}, "claims has no pairs"),
    ],
)
def test_what_cannot_be_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        file_claims.claims_of(given)


def test_arms_must_exist() -> None:
    WHOLE.check(["random", "bald", "bgadl"])
    with pytest.raises(ConfigError, match="claims names 'random', which is no arm here"):
        WHOLE.check(["bald", "bgadl"])
    with pytest.raises(ConfigError, match="claims names 'c'"):
        Claims("c", wins=(("a", "b"),)).check(["a", "b"])

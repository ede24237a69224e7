from __future__ import annotations

import pytest

from bgadl_tf.serving.client.missing import missing_signature
from bgadl_tf.serving.client.transport import Signature

WANTED = "bald_bytes_seeded"


def signatures(*names: str, inputs: tuple[str, ...] = ("images",)) -> dict[str, Signature]:
    return {name: Signature(dict.fromkeys(inputs), {}) for name in names}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "there", "message"),
    [
        (
            WANTED,
            signatures("serve", "serving_default", "__saved_model_init_op"),
            (
                "has no signature 'bald_bytes_seeded'; it has serve, serving_default: it is a "
                "model without BALD scores; serve one that 'bgadl export RUN' wrote"
            ),
        ),
        (WANTED, {}, "it has none: it is a model without BALD scores"),
        (
            WANTED,
            signatures("serving_default", "serving_bytes", "metadata"),
            "its classifier has no dropout, without which there is no BALD score",
        ),
        (
            WANTED,
            signatures("serving_default", "bald", "bald_seeded"),
            "it does not score image files by a seed; serve one that 'bgadl export RUN' wrote",
        ),
        (WANTED, signatures("bald_bytes"), "it does not score image files by a seed"),
        (
            WANTED,
            signatures("serving_default", "bald", "bald_seeded", inputs=("features",)),
            "it scores vectors of features, and no images",
        ),
        (
            WANTED,
            signatures("serving_default", inputs=("label", "seed")),
            "it is a generator; name the classifier instead",
        ),
        (WANTED, signatures("serving_default", "augment"), "it is a generator"),
        ("augment", signatures("serving_default", "bald"), "has bald, serving_default: is it the"),
    ],
)
def test_what_to_do_is_said(name: str, there: dict[str, Signature], message: str) -> None:
    assert message in missing_signature(name, there)

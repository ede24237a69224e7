"""What to do where a model lacks the signature that it is to be asked by."""

from __future__ import annotations

from collections.abc import Mapping

from bgadl_tf.serving.client.transport import Signature

_EXPORT = "serve one that 'bgadl export RUN' wrote"


def missing_signature(name: str, signatures: Mapping[str, Signature]) -> str:
    """Which signature is missing, which there are, and what to do.

    Args:
        name: Of the signature that is missing.
        signatures: That the model has.
    """
    offered = sorted(key for key in signatures if not key.startswith("__"))
    return f"has no signature {name!r}; it has {', '.join(offered) or 'none'}: " + _advice(
        name, signatures
    )


def _advice(name: str, signatures: Mapping[str, Signature]) -> str:
    scores = any(key.startswith("bald") for key in signatures)
    takes = _inputs(signatures.get("serving_default"))
    if takes == {"label", "seed"} or ("augment" in signatures and not scores):
        return "it is a generator; name the classifier instead"
    if not name.startswith("bald"):
        return "is it the right model?"
    if not scores and "serving_bytes" in signatures and "metadata" in signatures:
        return f"its classifier has no dropout, without which there is no BALD score; {_EXPORT}"
    if not scores:
        return f"it is a model without BALD scores; {_EXPORT}"
    if takes == {"features"}:
        return "it scores vectors of features, and no images"
    return f"it does not score image files by a seed; {_EXPORT} from a run on images"


def _inputs(signature: Signature | None) -> set[str]:
    return set() if signature is None else {*signature.inputs}

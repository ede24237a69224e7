"""A model server in miniature, over REST and gRPC, that misbehaves on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SHAPE = (8, 8, 1)
CLASSES = ("cat", "dog", "owl")
IMAGES, FILES, SEED = ("DT_UINT8", [-1, *SHAPE]), ("DT_STRING", [-1]), ("DT_INT64", [-1])
FLOATS = ("DT_FLOAT", [-1])
PROBABILITIES = ("DT_FLOAT", [-1, len(CLASSES)])
SCORES = {
    "bald": FLOATS, "predictive_entropy": FLOATS, "expected_entropy": FLOATS,
    "probabilities": PROBABILITIES, "seed": SEED,
}  # fmt: skip
PREDICTIONS = {"probabilities": PROBABILITIES, "label": SEED}
Spec = tuple[str, list[int]]
SIGNATURES: dict[str, tuple[dict[str, Spec], dict[str, Spec]]] = {
    "serving_default": ({"images": IMAGES}, PREDICTIONS),
    "serving_bytes": ({"image_bytes": FILES}, PREDICTIONS),
    "bald": ({"images": IMAGES}, SCORES),
    "bald_bytes": ({"image_bytes": FILES}, SCORES),
    "bald_seeded": ({"images": IMAGES, "seed": SEED}, SCORES),
    "bald_bytes_seeded": ({"image_bytes": FILES, "seed": SEED}, SCORES),
    "metadata": ({"keys": FILES}, {"values": FILES}),
    # Of a generator, but one fake is enough.
    "augment": ({"images": IMAGES, "label": SEED, "seed": SEED}, {"images": IMAGES}),
}


class FaultError(Exception):
    """What a request fails with: a code of gRPC, or RESET or SLOW."""

    def __init__(self, code: str, message: str = "on demand") -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class FakeModel:
    """Answers deterministically from content, seed and version.

    Attributes:
        versions: State of each version.
        labels: Versions by label.
        metadata: What the signature ``metadata`` tells; None for a model without it.
        faults: One for each of the next predictions; None lets it through.
        lacks: Signatures that it does not have.
        bad: Contents that are called invalid.
        refuses: Called with each prediction's number before it is answered; may raise.
    """

    versions: dict[int, str] = field(default_factory=lambda: {1: "AVAILABLE", 3: "AVAILABLE"})
    labels: dict[str, int] = field(default_factory=lambda: {"stable": 1})
    metadata: dict[str, Any] | None = field(
        default_factory=lambda: {"class_names": list(CLASSES), "run": "r1"}
    )
    faults: list[FaultError | None] = field(default_factory=list)
    lacks: set[str] = field(default_factory=set)
    bad: set[bytes] = field(default_factory=set)
    refuses: Callable[[int], None] = lambda _: None
    requests: list[tuple[str, int, int]] = field(default_factory=list)
    seen: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def signatures(self) -> dict[str, tuple[dict[str, Spec], dict[str, Spec]]]:
        names = set(SIGNATURES) - self.lacks - ({"metadata"} if self.metadata is None else set())
        return {name: SIGNATURES[name] for name in sorted(names)}

    def statuses(self, name: str) -> dict[int, str]:
        if name != "classifier":
            raise FaultError("NOT_FOUND", f"Could not find any versions of model {name}")
        return dict(self.versions)

    def find(self, name: str, version: int | None, label: str | None) -> int:
        if label is not None:
            if label not in self.labels:
                raise FaultError(
                    "INVALID_ARGUMENT", f"Unrecognized servable version label: {label}"
                )
            version = self.labels[label]
        available = [v for v, state in self.versions.items() if state == "AVAILABLE"]
        version = max(available, default=None) if version is None else version
        if name != "classifier" or version not in available:
            raise FaultError(
                "NOT_FOUND", f"Servable not found for request: Specific({name}, {version})"
            )
        return version

    def predict(
        self, name: str, version: int, signature: str, inputs: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        with self.lock:
            version = self.find(name, version, None)
            if signature == "metadata":
                return {"values": np.array([json.dumps(self.metadata).encode()], dtype=object)}
            number = len(self.requests)
            rows = len(next(iter(inputs.values())))
            self.requests.append((signature, version, rows))
            self.refuses(number)
            if self.faults and (fault := self.faults.pop(0)) is not None:
                raise fault
            if signature == "augment":
                return {"images": 255 - inputs["images"]}
            values = inputs.get("image_bytes", inputs.get("images"))
            contents = [v if isinstance(v, bytes) else np.uint8(v).tobytes() for v in values]
            if self.bad & set(contents):
                raise FaultError("INVALID_ARGUMENT", "Expected image (JPEG, PNG, or GIF), got junk")
            seeds = inputs.get("seed", np.full(rows, 2**53 - 1, np.int64))
            self.seen += contents
            return self.answers(signature, contents, seeds, version)

    def answers(
        self, signature: str, contents: list[bytes], seeds: np.ndarray, version: int
    ) -> dict[str, np.ndarray]:
        u = np.array(
            [bald(c, int(s), version) for c, s in zip(contents, seeds, strict=True)], np.float32
        )
        probabilities = np.stack([u / 2, 1 - u, u / 2], axis=-1).astype(np.float32)
        if not signature.startswith("bald"):
            return {"probabilities": probabilities, "label": probabilities.argmax(axis=-1)}
        return {
            "bald": u,
            "predictive_entropy": u + np.float32(0.5),
            "expected_entropy": np.full_like(u, 0.5),
            "probabilities": probabilities,
            "seed": seeds.astype(np.int64),
        }


def bald(content: bytes, seed: int, version: int) -> float:
    """The score this fake gives."""
    digest = hashlib.sha256(content + f"/{seed}/{version}".encode()).digest()
    return float(np.float32(int.from_bytes(digest[:4], "big") / 2**32))

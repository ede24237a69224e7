"""Metrics under TensorFlow Serving's names, in Prometheus' text form."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

LATENCY_BUCKETS = tuple(10 * 1.8**power for power in range(32))
"""Upper limits, in microseconds; TensorFlow Serving's."""
SIZE_BUCKETS = tuple(float(2**power) for power in range(14))

_PREFIX = ":tensorflow:serving:"


class Metrics:
    """What the server counts.

    Attributes:
        requests: Requests, by model and status.
        latency: Of whole requests, in microseconds.
        runtime: Of TensorFlow alone, in microseconds.
        batch_size: Rows of a batch, where requests are merged.
    """

    def __init__(self) -> None:
        # TensorFlow Serving has none of these.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self.requests = Counter(
            f"{_PREFIX}request_count",
            "Requests.",
            ("model_name", "status"),
            registry=self._registry,
        )
        self.latency = Histogram(
            f"{_PREFIX}request_latency",
            "Microseconds of whole requests.",
            ("model_name", "API", "entrypoint", "status"),
            buckets=LATENCY_BUCKETS,
            registry=self._registry,
        )
        self.runtime = Histogram(
            f"{_PREFIX}runtime_latency",
            "Microseconds in TensorFlow.",
            ("model_name", "API", "runtime"),
            buckets=LATENCY_BUCKETS,
            registry=self._registry,
        )
        self.batch_size = Histogram(
            f"{_PREFIX}batching_session:processed_batch_size",
            "Rows of merged batches.",
            ("model_name",),
            buckets=SIZE_BUCKETS,
            registry=self._registry,
        )

    def page(self) -> str:
        """All of them in text form."""
        text = generate_latest(self._registry).decode()
        # The library ends the name of every counter with _total; TensorFlow Serving does not.
        return text.replace(f"{_PREFIX}request_count_total", f"{_PREFIX}request_count")

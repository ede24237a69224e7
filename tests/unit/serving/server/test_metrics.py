from __future__ import annotations

import pytest

from bgadl_tf.serving.server.metrics import LATENCY_BUCKETS, Metrics
from tests.support.prometheus_page import kinds, label_values, value


def test_names_and_kinds_are_tensorflow_servings() -> None:
    assert kinds(Metrics().page()) == {
        ":tensorflow:serving:request_count": "counter",
        ":tensorflow:serving:request_latency": "histogram",
        ":tensorflow:serving:runtime_latency": "histogram",
        ":tensorflow:serving:batching_session:processed_batch_size": "histogram",
    }


def test_counts_by_label() -> None:
    metrics, count = Metrics(), ":tensorflow:serving:request_count"
    for name, status in (("m", "OK"), ("m", "OK"), ("", "NOT_FOUND"), ('a"\\\n}', "OK")):
        metrics.requests.labels(name, status).inc()
    page = metrics.page()
    assert f'{count}{{model_name="m",status="OK"}} 2' in page
    assert value(page, count) == 4
    assert label_values(page, count, "model_name") == {"m", "", 'a"\\\n}'}
    assert "_total" not in page
    assert "_created" not in page


def test_limits_are_tensorflow_servings_and_distinct() -> None:
    assert LATENCY_BUCKETS[:3] == pytest.approx((10, 18, 32.4))
    metrics, latency = Metrics(), ":tensorflow:serving:request_latency"
    for observed in (0, 5, 1e3, 1e9, 1e12):
        metrics.latency.labels("m", "Predict", "REST", "OK").observe(observed)
    page = metrics.page()
    assert len(label_values(page, f"{latency}_bucket", "le")) == len(LATENCY_BUCKETS) + 1
    assert value(page, f"{latency}_bucket", le="+Inf") == value(page, f"{latency}_count") == 5

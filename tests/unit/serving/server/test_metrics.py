from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bgadl_tf.serving.server.metrics import LATENCY_BUCKETS, Counter, Histogram, Metrics
from tests.support.prometheus_text import parse


def test_an_empty_page_is_well_formed() -> None:
    assert {name: metric.kind for name, metric in parse(Metrics().page()).items()} == {
        ":tensorflow:serving:request_count": "counter",
        ":tensorflow:serving:request_latency": "histogram",
        ":tensorflow:serving:runtime_latency": "histogram",
        ":tensorflow:serving:batching_session:processed_batch_size": "histogram",
    }


def test_counts_by_label() -> None:
    metrics = Metrics()
    for name, status in (("m", "OK"), ("m", "OK"), ("", "NOT_FOUND"), ('a"\\\n}', "OK")):
        metrics.requests.add(name, status)
    assert ':tensorflow:serving:request_count{model_name="m",status="OK"} 2' in metrics.page()
    counts = parse(metrics.page())[":tensorflow:serving:request_count"].samples
    assert sorted(counts.values()) == [1, 1, 2]


def test_histograms_are_cumulative() -> None:
    histogram = Histogram("h", "model", buckets=(1.0, 10.0))
    for value in (0.5, 1.0, 1.1, 10.0, 11.0, 12.0):
        histogram.observe(value, "m")
    assert histogram.lines() == [
        'h_bucket{model="m",le="1"} 2',
        'h_bucket{model="m",le="10"} 4',
        'h_bucket{model="m",le="+Inf"} 6',
        'h_sum{model="m"} 35.6',
        'h_count{model="m"} 6',
    ]


def test_limits_are_tensorflow_servings_and_distinct() -> None:
    assert LATENCY_BUCKETS[:3] == pytest.approx((10, 18, 32.4))
    metrics = Metrics()
    for value in (0, 5, 1e3, 1e9, 1e12):
        metrics.latency.observe(value, "m", "Predict", "REST", "OK")
    page = parse(metrics.page())[":tensorflow:serving:request_latency"]
    assert len(page.samples) == len(LATENCY_BUCKETS) + 3


def test_threads_lose_no_count() -> None:
    counter, histogram = Counter("c", "l"), Histogram("h", "l", buckets=(1.0,))

    def count(_: int) -> None:
        for _ in range(500):
            counter.add("x")
            histogram.observe(0.5, "x")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(8)))
    assert counter.lines() == ['c{l="x"} 4000']
    assert histogram.lines()[-1] == 'h_count{l="x"} 4000'

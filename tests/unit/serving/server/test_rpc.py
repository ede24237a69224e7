from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest import mock

import grpc
from grpc_health.v1 import health_pb2

from bgadl_tf.serving.server.rpc import _Health

Status = health_pb2.HealthCheckResponse


def test_health_is_that_of_the_models_at_the_moment() -> None:
    manager = SimpleNamespace(available=lambda: False)
    health = _Health(SimpleNamespace(manager=manager))  # type: ignore[arg-type]
    context: Any = mock.create_autospec(grpc.ServicerContext)
    request = health_pb2.HealthCheckRequest()
    assert health.Check(request, context).status == Status.NOT_SERVING
    manager.available = lambda: True
    assert health.Check(request, context).status == Status.SERVING
    manager.available = lambda: False
    assert next(health.Watch(request, context)).status == Status.NOT_SERVING
    health.Check(health_pb2.HealthCheckRequest(service="another"), context)
    context.set_code.assert_called_with(grpc.StatusCode.NOT_FOUND)

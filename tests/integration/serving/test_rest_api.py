"""REST but for predict: paths, status, metadata, what it leaves out, other origins, metrics."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.server_process import ServerProcess

CLASSIFY = "classify_x_to_y"


def version_status(version: int, state: str = "AVAILABLE") -> dict[str, Any]:
    ok = {"error_code": "OK", "error_message": ""}
    return {"version": str(version), "state": state, "status": ok}


@pytest.mark.parametrize(
    ("path", "versions"),
    [
        ("half", [1]),
        ("half/versions/1", [1]),
        ("plus", [3, 2, 1]),
        ("plus/versions/2", [2]),
        ("plus/labels/stable", [1]),
        ("half%20a%2fb", [1]),
    ],
)
def test_status(served: ServerProcess, path: str, versions: list[int]) -> None:
    response = served.get(f"/models/{path}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {"model_version_status": [version_status(v) for v in versions]}


def test_status_of_a_version_that_cannot_be_loaded(served: ServerProcess) -> None:
    (status,) = served.get("/models/broken").json()["model_version_status"]
    assert (status["version"], status["state"]) == ("1", "END")
    assert status["status"]["error_code"] != "OK"
    assert status["status"]["error_message"]


def test_metadata(served: ServerProcess) -> None:
    for path in ("half", "half/versions/1"):
        answer = served.get(f"/models/{path}/metadata").json()
        assert answer["model_spec"] == {"name": "half", "signature_name": "", "version": "1"}
        signatures = answer["metadata"]["signature_def"]["signature_def"]
        assert signatures.keys() == {
            "serving_default", "classify_x_to_y", "classify_named", "regress_x_to_y",
            "regress_x2_to_y3",
        }  # fmt: skip
        assert signatures[CLASSIFY]["method_name"] == "tensorflow/serving/classify"
        assert signatures["serving_default"] == {
            "inputs": {"x": tensor_info("x:0", [], unknown_rank=True)},
            "outputs": {"y": tensor_info("add_1:0", [], unknown_rank=True)},
            "method_name": "tensorflow/serving/predict",
            "defaults": {},
        }
        assert signatures[CLASSIFY]["inputs"] == {
            "inputs": tensor_info("examples:0", ["-1"], dtype="DT_STRING")
        }


def tensor_info(
    name: str, sizes: list[str], dtype: str = "DT_FLOAT", unknown_rank: bool = False
) -> dict[str, Any]:
    dims = [{"size": size, "name": ""} for size in sizes]
    return {
        "name": name,
        "dtype": dtype,
        "tensor_shape": {"dim": dims, "unknown_rank": unknown_rank},
    }


def test_metadata_names_the_version_of_a_label(served: ServerProcess) -> None:
    spec = served.get("/models/plus/labels/new/metadata").json()["model_spec"]
    assert spec == {"name": "plus", "signature_name": "", "version": "3"}


MALFORMED = "Malformed request: "


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("GET", "/v1/models/metadata", 404, "Could not find any versions of model metadata"),
        ("GET", "/v1/models/none", 404, "Could not find any versions of model none"),
        ("GET", "/v1/models/half/versions/9", 404, "Could not find version 9 of model half"),
        ("GET", "/v1/models/none/metadata", 404, "Servable not found for request: Latest(none)"),
        ("GET", "/v1/models/half/versions/9/metadata", 404,
         "Servable not found for request: Specific(half, 9)"),
        ("GET", "/v1/models/plus/labels/no/metadata", 400,
         "Unrecognized servable version label: no"),
        *[
            ("POST", f"/v1/models/half/versions/{number}:predict", 400,
             f"Failed to convert version: {number} to numeric.")
            for number in (2**63, 2**64, 10**30)
        ],
        ("GET", f"/v1/models/half/versions/{2**63}", 400, "Failed to convert version"),
        *[
            (*request.split(" ", 1), 400, MALFORMED + request)
            for request in (
                "GET /v1/foo", "POST /v1/foo", "GET /v1/", "GET /v1/models/half/more",
                "POST /v1/models", "POST /v1/models/half", "POST /v1/models/half/metadata",
                "GET /v1/models/half:predict", "GET /v1/models/half/version/1:predict",
                "POST /v1/models/half/version/1:regress", "POST /v1/models/half:explain",
                "POST /v1/models/half/versions/ONE:regress", "POST /v1/models/half/labels/:predict",
                "POST /v1/models/plus/versions/1/labels/stable:predict", "POST /v1/models/:predict",
                "GET /v1/models/", "GET /v1/models/half/", "POST /v1/models/half:predict/",
                "PUT /v1/models/half:predict", "DELETE /v1/models/half", "PATCH /v1/models/half",
                "OPTIONS /v1/models/half", "BREW /v1/models/half",
            )
        ],
        ("GET", "/", 404, "Not found: /"),
        ("GET", "/v1", 404, "Not found: /v1"),
        ("GET", "/v2/models/half", 404, "Not found: /v2/models/half"),
        ("POST", "/models/half:predict", 404, "Not found"),
        ("POST", "/monitoring/prometheus/metrics", 404, "Not found"),
    ],
)  # fmt: skip
def test_other_paths(
    served: ServerProcess, method: str, path: str, status: int, message: str
) -> None:
    response = served.http.request(method, served.rest + path, data=b'{"instances": [1]}')
    assert (response.status_code, message in response.json()["error"]) == (status, True), (
        response.text
    )


@pytest.mark.parametrize("method", ["classify", "regress"])
@pytest.mark.parametrize("path", ["half", "half/versions/1", "plus/labels/stable", "none"])
def test_what_tensorflow_serving_is_needed_for(
    served: ServerProcess, path: str, method: str
) -> None:
    body = {"signature_name": f"{method}_x_to_y", "examples": [{"x": [1.0]}]}
    response = served.post(f"/models/{path}:{method}", body)
    assert response.status_code == 501
    assert response.json() == {
        "error": f"{method} is not implemented by this embedded server; tensorflow/serving "
        "answers it"
    }


def test_predict_takes_any_signature_even_of_serialized_examples(served: ServerProcess) -> None:
    response = served.post(
        "/models/half:predict", {"signature_name": "regress_x_to_y", "inputs": [""]}
    )
    assert response.status_code == 400
    assert "Feature: x" in response.json()["error"]


def test_pages_of_other_origins_may_call_only_if_a_flag_says_so(
    served: ServerProcess, strict: ServerProcess
) -> None:
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "POST, GET",
        "Access-Control-Allow-Headers": "Content-Type",
    }
    url = f"{strict.rest}/v1/models/echo"
    for response in (strict.http.options(url), strict.http.get(url), strict.get("/models/none")):
        assert {name: response.headers[name] for name in headers} == headers
    assert strict.http.options(url).status_code == 200
    assert not any(name in served.get("/models/half").headers for name in headers)


def test_a_body_does_not_wait_for_the_acknowledgement_of_its_header(served: ServerProcess) -> None:
    seconds = [served.get("/models/half").elapsed.total_seconds() for _ in range(10)]
    assert min(seconds) < 0.035  # such waits are of 40 ms


def test_metrics(served: ServerProcess, strict: ServerProcess) -> None:
    path = "/monitoring/prometheus/metrics"
    served.ask("half", {"instances": [1]})
    served.post("/models/half:predict", data=b"{")
    response = served.http.get(served.rest + path)
    assert response.headers["Content-Type"].startswith("text/plain")
    count = ':tensorflow:serving:request_count{model_name="half",status="%s"}'
    for status in ("OK", "INVALID_ARGUMENT"):
        assert count % status in response.text
    assert strict.http.get(strict.rest + path).status_code == 404

from __future__ import annotations

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.serving.client.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "expected", "shown"),
    [
        ("http://a:8501", Address(True, "http://a:8501", False), "http://a:8501"),
        ("HTTP://a:8501/", Address(True, "http://a:8501", False), "http://a:8501"),
        ("https://a/models/", Address(True, "https://a/models", True), "https://a/models"),
        ("http://[::1]:8501", Address(True, "http://[::1]:8501", False), "http://[::1]:8501"),
        ("grpc://a", Address(False, "a:8500", False), "grpc://a:8500"),
        ("grpc://a:1/", Address(False, "a:1", False), "grpc://a:1"),
        ("grpcs://[::1]:1", Address(False, "[::1]:1", True), "grpcs://[::1]:1"),
    ],
)
def test_addresses(text: str, expected: Address, shown: str) -> None:
    assert parse_address(text) == expected
    assert str(parse_address(text)) == shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no protocol"),
        ("a:8500", r"write http://a:8500 \(REST\) or grpc://a:8500 \(gRPC\)"),
        ("ftp://a", "not understood"),
        ("http://", "not understood"),
        ("http://a:port", "Port could not be cast"),
        ("http://a:99999", "out of range"),
        ("http://me:secret@a", "no user"),
        ("http://a?x=1", "no user"),
        ("grpc://a:1/models", "gRPC has no path '/models'"),
        ("http://a/v1", "leave out '/v1"),
        ("http://a/v1/models/classifier", "leave out '/v1"),
    ],
)
def test_what_is_no_address(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse_address(text)
    if "secret" in text:
        assert "secret" not in str(caught.value)

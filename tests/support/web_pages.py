"""A web server that knows nothing of models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.support.http_server import answering

PAGE = "<!DOCTYPE html>\n<html><head><title>\n My  wiki </title></head><body>Hello</body></html>"


@contextmanager
def web_server(
    status: int = 200, content: str = PAGE, headers: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Gives every request the same answer until the block ends; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = content.encode()
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with answering(Handler) as address:
        yield address

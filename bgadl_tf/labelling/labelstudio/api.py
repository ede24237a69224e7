"""Label Studio's HTTP interface: calls, and what went wrong with them in one line."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from bgadl_tf.core.errors import BusyError, ConfigError, RejectedError, ServerError
from bgadl_tf.labelling.labelstudio.tokens import Token

CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 300.0
PAUSES = (1.0, 3.0)
"""Seconds before what only reads is asked again."""

OLDEST, TRIED = (1, 23), "1.23.2"
"""Versions of Label Studio: the first that is taken, and the one that all was tried with."""

PAGE = 100

BUSY = frozenset({429, 502, 503, 504})


class LabelStudio:
    """A Label Studio that is there, lets us in, and is of a version that is understood.

    Args:
        url: Its address, with the path of a proxy if there is one.
        token: Legacy or personal.
        pauses: Seconds before each further try of what only reads.
        clock: Seconds that only grow.
        sleep: Waits.

    Raises:
        ConfigError: The address is none.
        ServerError: It is not there, is none, is of another version or does not let us in.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        pauses: Sequence[float] = PAUSES,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.url = _address(url)
        self._pauses, self._sleep = pauses, sleep
        self._session = requests.Session()
        self._token = Token(token, self._exchange, clock)
        self._check_version(self._read("/api/version", authorised=False))
        self.user = self._read("/api/current-user/whoami")

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def get(self, path: str, **query: object) -> Any:
        """What stands at a path; asked again where the server has no time.

        Raises:
            ServerError: It does not answer, or says no.
        """
        return self._read(path, query)

    def pages(self, path: str, **query: object) -> Iterator[Any]:
        """Whatever a path lists, page by page.

        Raises:
            ServerError: It does not answer, or says no.
        """
        page, seen = 1, 0
        while True:
            answer = self._read(path, {**query, "page": page, "page_size": PAGE})
            listed = answer.get("tasks", answer.get("results", []))
            yield from listed
            page, seen = page + 1, seen + len(listed)
            # A page past the last one is an error.
            if not listed or seen >= answer.get("total", answer.get("count", 0)):
                return

    def send(self, method: str, path: str, body: object, **query: object) -> Any:
        """Change something, once: what is not known to have arrived must not be sent again.

        Raises:
            ServerError: It does not answer, or says no.
        """
        return self._parsed(self._call(method, path, query, body))

    def _read(self, path: str, query: Mapping[str, Any] = {}, authorised: bool = True) -> Any:
        for pause in self._pauses:
            try:
                return self._parsed(self._call("GET", path, query, authorised=authorised))
            except BusyError:
                self._sleep(pause)
        return self._parsed(self._call("GET", path, query, authorised=authorised))

    def _exchange(self, personal: str) -> str:
        body = {"refresh": personal}
        response = self._request("POST", "/api/token/refresh", {}, body, "")
        if response.status_code in (401, 403):
            raise ServerError(
                f"{self.url} does not take the personal access token: {_said(response)} (HTTP "
                f"{response.status_code}); it may be revoked or expired: make a new one under "
                "Account & Settings"
            )
        answer = self._parsed(response)
        if not isinstance(answer, dict) or not isinstance(answer.get("access"), str):
            raise self._nonsense(response)
        return str(answer["access"])

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: object = None,
        authorised: bool = True,
    ) -> requests.Response:
        header = self._token.header() if authorised else ""
        response = self._request(method, path, query, body, header)
        if response.status_code == 401 and authorised and self._token.expire():
            response = self._request(method, path, query, body, self._token.header())
        return response

    def _request(
        self, method: str, path: str, query: Mapping[str, Any], body: object, header: str
    ) -> requests.Response:
        def authorise(request: requests.PreparedRequest) -> requests.PreparedRequest:
            # As a header it would give way to what ~/.netrc has for the host.
            if header:
                request.headers["Authorization"] = header
            return request

        try:
            return self._session.request(
                method,
                self.url + path,
                params=query,
                data=None if body is None else json.dumps(body).encode(),
                headers={"Content-Type": "application/json"} if body is not None else None,
                auth=authorise,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,  # a redirected POST would arrive as a GET
            )
        except requests.exceptions.SSLError as error:
            raise ServerError(f"{self.url}: TLS fails: {_innermost(error)}") from error
        except requests.Timeout as error:
            raise BusyError(f"{self.url} does not answer in time") from error
        except requests.ConnectionError as error:
            raise BusyError(
                f"cannot reach {self.url}: {_innermost(error)}; is Label Studio running there?"
            ) from error
        except requests.RequestException as error:
            raise ServerError(f"cannot ask {self.url}: {_innermost(error)}") from error

    def _parsed(self, response: requests.Response) -> Any:
        status = response.status_code
        if 200 <= status < 300:
            try:
                return response.json() if response.content else None
            except ValueError as error:
                raise self._nonsense(response) from error
        said = _said(response)
        if status in BUSY:
            raise BusyError(f"{self.url} has no time: {said} (HTTP {status}); try again")
        if 300 <= status < 400:
            raise ServerError(f"{self.url} answers with {said}; give that address to --url")
        if status == 401 and "legacy" in said.lower():
            raise ServerError(
                f"{self.url} takes no legacy tokens: give a personal access token (Account & "
                "Settings), or enable legacy ones under Organization, Access Token Settings"
            )
        if status == 401:
            raise ServerError(
                f"{self.url} does not take the token: {said} (HTTP 401); see Account & Settings "
                "there"
            )
        what = f"{response.request.method} {urlsplit(response.url).path}"
        if status == 403:
            raise ServerError(
                f"{self.url} does not let the owner of the token do this: {what}: {said} (HTTP "
                "403); give the token of a member who may"
            )
        kind = RejectedError if status in (400, 404, 413, 422) else ServerError
        raise kind(f"{self.url} refuses {what}: {said} (HTTP {status})")

    def _check_version(self, answer: Any) -> None:
        release = answer.get("release") if isinstance(answer, dict) else None
        if not isinstance(release, str) or (found := re.match(r"(\d+)\.(\d+)", release)) is None:
            raise ServerError(f"{self.url} does not answer as Label Studio does; is it one?")
        number = (int(found[1]), int(found[2]))
        if number < OLDEST or number[0] > OLDEST[0]:
            what = "older" if number < OLDEST else "newer"
            raise ServerError(
                f"{self.url} is Label Studio {release}, which is {what} than what is understood "
                f"here: 1.{OLDEST[1]} or a later 1.x (tried with {TRIED})"
            )

    def _nonsense(self, response: requests.Response) -> ServerError:
        return ServerError(
            f"{self.url} does not answer as Label Studio does: {_said(response)}; is it one?"
        )


def _address(url: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"--url is {url!r}; expected http://HOST:8080 or https://HOST")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(f"--url is {url!r}; expected no user, '?' or '#' in it")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _said(response: requests.Response) -> str:
    """What an answer says, in a line."""
    if location := response.headers.get("Location"):
        return f"a redirection to {location}"
    try:
        answer = response.json()
    except ValueError:
        title = re.search(r"<title[^>]*>(.*?)</title>", response.text, re.IGNORECASE | re.DOTALL)
        if title:
            return f"a web page, {_line(title[1])!r}"
        if response.text.lstrip().startswith("<"):
            return "a web page"
        return _line(response.text) or response.reason or "nothing"
    if isinstance(answer, dict):
        causes = answer.get("validation_errors") or answer.get("detail") or answer
        return _line(causes if isinstance(causes, str) else json.dumps(causes, ensure_ascii=False))
    return _line(json.dumps(answer, ensure_ascii=False))


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:200]}…"


def _innermost(error: BaseException) -> str:
    """The innermost cause in words: urllib3 wraps it several times."""
    while True:
        wrapped = [getattr(error, "reason", None), error.__cause__, *error.args]
        inner = next((each for each in wrapped if isinstance(each, BaseException)), None)
        if inner is None:
            return _line(getattr(error, "strerror", None) or str(error) or type(error).__name__)
        error = inner

"""The page over HTTP: its files, the images, and what tabs ask for.

A tab sends JSON and is answered with all that it then shows; see ``view``.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bgadl_tf.core.errors import BgadlError, ConfigError, DataError, PoolError
from bgadl_tf.core.types import Json
from bgadl_tf.labelling.guard import SECURITY_HEADERS, Guard
from bgadl_tf.labelling.originals import Originals
from bgadl_tf.labelling.sent import BadRequestError, Sent, read
from bgadl_tf.labelling.session import Session

logger = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("curve", "drawing", "page", "picker", "picture", "server")
FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    **{f"/{name}.js": (f"{name}.js", "text/javascript") for name in SCRIPTS},
}
"""Path, file of the package, media type."""

NO_STORE = {"Cache-Control": "no-store"}

Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(session: Session, originals: Originals, guard: Guard) -> ASGIApp:
    """The application.

    Args:
        session: What tabs may do.
        originals: The images.
        guard: Sees every request first.
    """
    posts: dict[str, Callable[[Sent], Json]] = {
        "show": lambda sent: session.show(sent.visitor),
        "answer": lambda sent: session.answer(sent.who, sent.id, sent.label),
        "undo": lambda sent: session.undo(sent.who),
        "correct": lambda sent: session.correct(sent.who, sent.id, sent.label),
        "class": lambda sent: session.add_class(sent.who, sent.new_class),
        "retry": lambda sent: session.retry(sent.who),
        "release": lambda sent: _released(session, sent),
    }
    routes = [Route(path, _file(*file)) for path, file in FILES.items()]
    routes.append(Route("/image", functools.partial(_image, originals)))
    routes += [
        Route(f"/api/{name}", functools.partial(_post, does), methods=["POST"])
        for name, does in posts.items()
    ]
    return Guarded(Starlette(routes=routes, exception_handlers={HTTPException: _http}), guard)


class Guarded:
    """An application behind a guard.

    Args:
        app: The application.
        guard: Sees every request first.
    """

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app, self._guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            return

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        app = self._refusing(Request(scope)) or self._app
        await app(scope, receive, safely)

    def _refusing(self, request: Request) -> ASGIApp | None:
        guard, given = self._guard, request.query_params.get("token", "")
        refusal = guard.refusal(request.headers)
        if refusal is None:
            return None
        if refusal.status == 401 and request.url.path == "/" and guard.is_token(given):
            # The token leaves the address bar.
            response = RedirectResponse("/", 303, NO_STORE)
            response.set_cookie(guard.cookie, given, httponly=True, samesite="lax")
            return response
        return _error(refusal.status, refusal.reason)


def _file(name: str, media_type: str) -> Endpoint:
    content = (PAGE / name).read_bytes()

    async def endpoint(request: Request) -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "no-cache"})

    return endpoint


async def _image(originals: Originals, request: Request) -> Response:
    try:
        picture = await run_in_threadpool(originals.of, request.query_params.get("id", ""))
    except DataError as error:
        return _error(404, str(error))
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(picture.content, media_type=picture.media_type, headers=headers)


async def _post(does: Callable[[Sent], Json], request: Request) -> Response:
    try:
        sent = await read(request)
        return JSONResponse(await run_in_threadpool(does, sent), headers=NO_STORE)
    except ClientDisconnect:
        return Response(status_code=499)
    except BadRequestError as error:
        return _error(error.status, str(error))
    except (PoolError, ConfigError) as error:
        return _error(409, str(error))
    except BgadlError as error:  # a ledger that cannot be written: nothing was recorded
        logger.error("%s", error)
        return _error(500, str(error))
    except Exception as error:
        logger.exception("a request failed")
        return _error(500, f"{type(error).__name__}: {error}")


def _released(session: Session, sent: Sent) -> Json:
    session.release(sent.tab)
    return {}


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _error(error.status_code, error.detail)


def _error(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"error": " ".join(reason.split())}, status, NO_STORE)

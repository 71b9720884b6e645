# SPDX-License-Identifier: Apache-2.0
"""What every request passes first and every answer last: limits, headers, the time it took, and the last resort.

Plain ASGI, so that streamed answers stay streams.
"""

from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from time import perf_counter

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wigwag.adapters.rest.errors import problem, unexpected
from wigwag.adapters.rest.guard import address
from wigwag.adapters.rest.origins import SAFE, is_foreign

Observe = Callable[[str, str, int, float], None]
"""Told of each answer: route template, method, status, seconds."""

LARGEST_BODY = 1 << 20  # bytes, where nothing else is said
NO_ROUTE = "none"
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",  # a page of ours says its own
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",  # it is about people, and about now
}


class Doorstep:
    """Wraps the whole app.

    Args:
        larger: how many bytes a body may have at these paths.
        origins: other sites whose pages may ask.
        refused: told why somebody was turned away, and from where.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        observe: Observe,
        larger: Mapping[str, int],
        origins: Collection[str],
        refused: Callable[[str, str], None],
    ) -> None:
        self._app, self._observe, self._larger = app, observe, larger
        self._origins, self._refused = origins, refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._admit(scope, receive, answer)
        except Exception as error:
            if status:  # too late for another answer: let the server cut this one short
                raise
            await (await unexpected(Request(scope), error))(scope, receive, answer)
        finally:
            self._observe(_route(scope), _method(scope), status or 499, perf_counter() - began)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in SAFE and is_foreign(Headers(scope=scope), self._origins):
            self._refused("foreign_page", address(scope))
            detail = "This was sent by a page of another site."
            await problem(Request(scope), HTTPStatus.FORBIDDEN, code="forbidden", detail=detail)(scope, receive, send)
        else:
            limit = self._larger.get(scope["path"], LARGEST_BODY)
            await self._app(scope, _bounded(receive, limit), send)


def _bounded(receive: Receive, limit: int) -> Receive:
    """Stop reading a body when it becomes too long."""
    seen = 0

    async def next_message() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            detail = f"The body is larger than {limit} bytes. Send less at once; large files go to /api/media."
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        return message

    return next_message


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", NO_ROUTE)


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"

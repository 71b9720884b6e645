# SPDX-License-Identifier: Apache-2.0
"""What a request asks for, where it comes from, and the answers that turn it away.

Browsers send the page's origin, and cannot be made to send another, so the list of origins keeps foreign pages out. A
program that is no browser sends none and is let in: what it may do is decided by its token.
"""

from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from wigwag.adapters.realtime.engine import VERSION

ANY = "*"
_TRANSPORTS = {"http": "polling", "websocket": "websocket"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """`code` is the number that Engine.IO gives it, `name` what is counted."""

    code: int
    name: str
    message: str
    status: HTTPStatus = HTTPStatus.BAD_REQUEST

    async def tell(self, headers: dict[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of polling."""
        response = JSONResponse({"code": self.code, "message": self.message}, self.status, headers)
        await response(scope, receive, send)


UNKNOWN_TRANSPORT = Refusal(code=0, name="transport", message="Transport unknown")
UNKNOWN_SESSION = Refusal(code=1, name="session", message="Session ID unknown")
WRONG_METHOD = Refusal(code=2, name="method", message="Bad handshake method")
BAD_REQUEST = Refusal(code=3, name="request", message="Bad request")
FOREIGN = Refusal(code=4, name="origin", message="This origin is not allowed", status=HTTPStatus.FORBIDDEN)
WRONG_VERSION = Refusal(code=5, name="version", message="Unsupported protocol version")
FULL = Refusal(code=4, name="connections", message="Too many connections", status=HTTPStatus.SERVICE_UNAVAILABLE)
CROWD = Refusal(
    code=4,
    name="connections_of_address",
    message="Too many connections from this address",
    status=HTTPStatus.TOO_MANY_REQUESTS,
)


_REFUSALS = (UNKNOWN_TRANSPORT, UNKNOWN_SESSION, WRONG_METHOD, BAD_REQUEST, FOREIGN, WRONG_VERSION, FULL, CROWD)
REASONS = tuple(refusal.name for refusal in _REFUSALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`refusal` is what is wrong with it in itself, whatever sessions there are."""

    method: str
    sid: str | None
    address: str
    headers: Headers
    refusal: Refusal | None
    cors: dict[str, str]


def read(scope: Scope, origins: Collection[str]) -> Request:
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    foreign = origin is not None and origin not in origins and ANY not in origins
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return Request(
        method=scope.get("method", "GET"),
        sid=query["sid"][0] if "sid" in query else None,
        address=(scope.get("client") or ("", 0))[0],
        headers=headers,
        refusal=FOREIGN if foreign else _wrong(scope["type"], query),
        cors={} if foreign or origin is None else _cors(origin, origins),
    )


def preflight(request: Request) -> Response:
    """Answer a browser that asks whether it may ask."""
    allowed = {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": "600",
    }
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=request.cors | (allowed if request.cors else {}))


def _wrong(kind: str, query: dict[str, list[str]]) -> Refusal | None:
    transport = query.get("transport")
    if transport not in (["polling"], ["websocket"]):
        return UNKNOWN_TRANSPORT
    if query.get("EIO") != [VERSION]:
        return WRONG_VERSION
    return None if transport == [_TRANSPORTS[kind]] else BAD_REQUEST


def _cors(origin: str, origins: Collection[str]) -> dict[str, str]:
    """Let the page read the answer; its cookies are welcome only from origins that are named."""
    if origin not in origins:
        return {"Access-Control-Allow-Origin": ANY}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}

# SPDX-License-Identifier: Apache-2.0
"""What routes may ask for by type: the gateway, the clock and the caller. And the problems that a route declares."""

from typing import Annotated, Any

from fastapi import Depends, Request

from wigwag.adapters.rest.errors import PROBLEM_JSON
from wigwag.app.access import Access
from wigwag.app.gateway import Gateway
from wigwag.app.ports import Clock
from wigwag.domain.access import Caller


async def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


async def _clock(request: Request) -> Clock:
    clock: Clock = request.app.state.clock
    return clock


async def _access(request: Request) -> Access:
    access: Access = request.app.state.access
    return access


async def _caller(request: Request) -> Caller | None:
    caller: Caller | None = request.state.caller
    return caller


TheGateway = Annotated[Gateway, Depends(_gateway)]
TheClock = Annotated[Clock, Depends(_clock)]
TheAccess = Annotated[Access, Depends(_access)]
TheCaller = Annotated[Caller | None, Depends(_caller)]  # None: nobody in particular, on open routes alone

_MEANINGS = {
    400: "The body is not JSON.",
    401: "No key, or one that does not count.",
    403: "The key lacks the scope, or a page of another site sent this.",
    404: "There is no such thing here.",
    409: "This cannot be done in the present state.",
    413: "The body is too large.",
    422: "The request is malformed.",
    429: "Too many requests: `Retry-After` says when to come again.",
    503: "A part that this needs does not answer, or the account has no link. Try again.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, for the API description."""
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _MEANINGS[status], "content": content} for status in statuses}

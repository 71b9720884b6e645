# SPDX-License-Identifier: Apache-2.0
"""What routes may ask for by type: the gateway and the clock of this app. And the problems that a route declares."""

from typing import Annotated, Any

from fastapi import Depends, Request

from wigwag.adapters.rest.errors import PROBLEM_JSON
from wigwag.app.gateway import Gateway
from wigwag.app.ports import Clock


async def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


async def _clock(request: Request) -> Clock:
    clock: Clock = request.app.state.clock
    return clock


TheGateway = Annotated[Gateway, Depends(_gateway)]
TheClock = Annotated[Clock, Depends(_clock)]

_MEANINGS = {
    400: "The body is not JSON.",
    401: "The token is missing or wrong.",
    404: "There is no such thing here.",
    409: "This cannot be done in the present state.",
    413: "The body is too large.",
    422: "The request is malformed.",
    503: "A part that this needs does not answer, or the account has no link. Try again.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, for the API description."""
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _MEANINGS[status], "content": content} for status in statuses}

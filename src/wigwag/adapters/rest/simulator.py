# SPDX-License-Identifier: Apache-2.0
"""The demo's simulator, lent to the console: /sim is passed on as it is. In no other gateway is it there at all."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response

PassOn = Callable[[str, str, bytes], Awaitable[tuple[int, bytes]]]
"""Takes a method, a path with its query, and a body; gives the simulator's status and JSON."""

router = APIRouter(prefix="/sim", include_in_schema=False)


@router.api_route("/{rest:path}", methods=["GET", "POST", "PUT", "DELETE"])
async def simulate(request: Request) -> Response:
    """Whatever docs/SIMULATOR.md says of this path."""
    pass_on: PassOn = request.app.state.simulator
    query = f"?{request.url.query}" if request.url.query else ""
    status, answer = await pass_on(request.method, request.url.path + query, await request.body())
    return Response(answer, status, media_type="application/json")

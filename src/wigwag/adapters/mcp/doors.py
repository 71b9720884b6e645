# SPDX-License-Identifier: Apache-2.0
"""The two ways in over HTTP: `/mcp` (streamable HTTP) and `/sse` with `/messages` (the older SSE transport).

Both are routes beside those of REST, so the same guard stands before them. Nothing is kept between two requests at
`/mcp`; at `/sse` a connection is a session, and there are only so many.
"""

import asyncio
from collections.abc import Sequence

from mcp.server import MCPServer
from mcp.server.sse import SseServerTransport
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

MOST_SESSIONS = 100  # open at /sse
LARGEST_MESSAGE = 1 << 20  # bytes
GUARDED = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # the doorstep judges origins and hosts


class _Endpoint:
    """One ASGI application as a route's own. Args: serve: it."""

    def __init__(self, serve: ASGIApp) -> None:
        self._serve = serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["audited"] = True  # each use of a tool is, by its name
        await self._serve(scope, receive, send)


class Doors:
    """What serves a server of tools over HTTP. `run` must be at work."""

    def __init__(self, server: MCPServer) -> None:
        self._server, self._lowest = server, server._lowlevel_server  # noqa: SLF001  its SSE needs the inner one
        self._sse = SseServerTransport("/messages", GUARDED, max_request_body_size=LARGEST_MESSAGE)
        self._sessions = 0
        server.streamable_http_app(
            stateless_http=True,
            json_response=True,
            max_request_body_size=LARGEST_MESSAGE,
            transport_security=GUARDED,
        )

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """For the app that they are beside."""
        return [
            Route("/mcp", _Endpoint(self._stream), methods=["GET", "POST", "DELETE"], name="mcp"),
            Route("/sse", _Endpoint(self._connect), methods=["GET"], name="mcp_sse"),
            Route("/messages", _Endpoint(self._sse.handle_post_message), methods=["POST"], name="mcp_message"),
        ]

    async def run(self) -> None:
        """Hold what requests work in, for ever."""
        async with self._server.session_manager.run():
            await asyncio.Event().wait()

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._server.session_manager.handle_request(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._sessions >= MOST_SESSIONS:
            await PlainTextResponse("Too many sessions are open.", 503, {"Retry-After": "5"})(scope, receive, send)
            return
        self._sessions += 1
        try:
            async with self._sse.connect_sse(scope, receive, send) as (incoming, outgoing):
                await self._lowest.run(incoming, outgoing, self._lowest.create_initialization_options())
        finally:
            self._sessions -= 1

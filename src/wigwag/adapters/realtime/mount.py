# SPDX-License-Identifier: Apache-2.0
"""Socket.IO in front of another app, on one port."""

from starlette.types import ASGIApp, Receive, Scope, Send

from wigwag.adapters.realtime.server import Realtime

PATH = "/socket.io/"


def mounted(server: Realtime, app: ASGIApp) -> ASGIApp:
    """The app, with Socket.IO at its usual path before it."""

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] in ("http", "websocket") and scope["path"].startswith(PATH)
        await (server if ours else app)(scope, receive, send)

    return either

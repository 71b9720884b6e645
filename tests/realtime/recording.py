# SPDX-License-Identifier: Apache-2.0
"""Handlers that remember what they were asked, and answer simple events."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wigwag.adapters.realtime import Handlers, Realtime, Refused, SocketId


class Recorder:
    """Events it knows: message, message-with-ack, refuse, break, wait, leave. Every other is refused as unknown."""

    server: Realtime

    def __init__(self) -> None:
        self.tried: list[SocketId] = []
        self.connected: list[SocketId] = []
        self.auths: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.events: list[tuple[str, list[Any]]] = []
        self.silence: list[tuple[str, SocketId]] = []
        self.breaks = False  # nobody is let back
        self.gone: list[tuple[SocketId, bool]] = []
        self.go_on = asyncio.Event()
        self.left = asyncio.Event()  # somebody is gone

    async def connect(self, socket: SocketId, auth: dict[str, Any], headers: Mapping[str, str]) -> None:
        self.tried.append(socket)
        self.auths.append(auth)
        self.headers.append(headers)
        if auth.get("token") == "forged":
            raise Refused("unauthorized", "This token is not ours.")
        if auth.get("token") == "breaks":
            raise LookupError
        self.connected.append(socket)
        self.server.emit([socket], "auth", auth)

    async def event(self, socket: SocketId, name: str, args: list[Any]) -> list[Any] | None:
        self.events.append((name, args))
        match name:
            case "message":
                self.server.emit([socket], "message-back", *args)
            case "message-with-ack":
                return args
            case "break":
                raise LookupError
            case "wait":
                await self.go_on.wait()
            case "leave":
                await self.server.disconnect(socket, "asked_for")
            case _:
                raise Refused("unknown_event", f"There is no event {name}.")
        return None

    def silent(self, socket: SocketId) -> None:
        self.silence.append(("silent", socket))

    async def back(self, socket: SocketId) -> None:
        self.silence.append(("back", socket))
        if self.breaks:
            raise LookupError

    async def disconnect(self, socket: SocketId, clean: bool) -> None:
        self.gone.append((socket, clean))
        self.left.set()


if TYPE_CHECKING:
    _: type[Handlers] = Recorder

# SPDX-License-Identifier: Apache-2.0
"""A server of ASGI that exists in memory alone: requests of long polling, and websockets that can be slow."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from starlette.types import Message, Scope

from tests.realtime.recording import Recorder
from wigwag.adapters.realtime import Limits, Realtime
from wigwag.testing import FakeClock

PATIENCE = 10.0
MISSING = "missing"  # the value of a query's field that is not there
NOTHING: Mapping[str, str] = {}


class Gone(OSError):
    """What a server raises when it is told to send to nobody."""


class Answer:
    """What a request was answered, or is yet to be."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 0, "", dict[str, str]()

    def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"").decode()

    def json(self) -> Any:
        return json.loads(self.body)


class FakeSocket:
    """The far end of a websocket. While it is `stalled`, it takes nothing more than the one frame on its way."""

    def __init__(self) -> None:
        self._coming: asyncio.Queue[Message] = asyncio.Queue()
        self._coming.put_nowait({"type": "websocket.connect"})
        self._open = asyncio.Event()
        self._open.set()
        self.got: list[str | bytes] = []
        self.accepted = False
        self.closed: str | None = None  # the reason
        self.sends = 0

    def say(self, *frames: str | bytes) -> None:
        for frame in frames:
            kind = "text" if isinstance(frame, str) else "bytes"
            self._coming.put_nowait({"type": "websocket.receive", kind: frame})

    def hang_up(self) -> None:
        self._coming.put_nowait({"type": "websocket.disconnect", "code": 1006})

    def stall(self) -> None:
        self._open.clear()

    def go_on(self) -> None:
        self._open.set()

    async def receive(self) -> Message:
        return await self._coming.get()

    async def send(self, message: Message) -> None:
        self.sends += 1
        await self._open.wait()
        if self.closed is not None:
            raise Gone
        match message["type"]:
            case "websocket.accept":
                self.accepted = True
            case "websocket.close":
                self.closed = message.get("reason", "")
            case _:
                text = message.get("text")
                self.got.append(message["bytes"] if text is None else text)


class World:
    """A server, its clock, its handlers, and everybody who comes."""

    def __init__(self, limits: Limits, origins: Iterable[str], **times: float) -> None:
        self.clock, self.handlers = FakeClock(), Recorder()
        self.server = Realtime(
            self.handlers,
            clock=self.clock,
            origins=tuple(origins),
            limits=limits,
            namespaces=("/", "/custom"),
            **times,
        )
        self.handlers.server = self.server
        self.tasks: list[asyncio.Task[None]] = []

    async def request(
        self, method: str = "GET", body: bytes | str = b"", *, sid: str = "", query: Mapping[str, str] = NOTHING
    ) -> Answer:
        answer = self.ask(method, body, sid=sid, query=query)
        await self.clock.settle()
        return answer

    def ask(
        self,
        method: str = "GET",
        body: bytes | str = b"",
        *,
        sid: str = "",
        query: Mapping[str, str] = NOTHING,
        leaves: asyncio.Event | None = None,
        halfway: bool = False,
        headers: Mapping[str, str] = NOTHING,
    ) -> Answer:
        """Begin a request; it is answered when the clock has settled, or later. `leaves`: when the client goes away.

        `halfway`: the second half of the body never comes.
        """
        answer = Answer()
        body = body.encode() if isinstance(body, str) else body
        halves = [body[: len(body) // 2], body[len(body) // 2 :]]
        coming: list[Message] = [
            {"type": "http.request", "body": half, "more_body": more}
            for half, more in zip(halves, (True, False), strict=True)
        ]

        async def receive() -> Message:
            if coming and not (halfway and len(coming) == 1):
                return coming.pop(0)
            await (leaves or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            answer.take(message)

        self._serve(_scope("http", sid, query, headers, method=method), receive, send)
        return answer

    async def websocket(
        self,
        *,
        sid: str = "",
        query: Mapping[str, str] = NOTHING,
        headers: Mapping[str, str] = NOTHING,
        address: str = "10.0.0.1",
    ) -> FakeSocket:
        socket = FakeSocket()
        self._serve(_scope("websocket", sid, query, headers, address=address), socket.receive, socket.send)
        await self.clock.settle()
        return socket

    async def connected(self, auth: str = "") -> FakeSocket:
        """A websocket in the main namespace, with nothing said since."""
        socket = await self.websocket()
        await self.tell(socket, f"40{auth}")
        socket.got.clear()
        return socket

    async def tell(self, socket: FakeSocket, *frames: str | bytes) -> None:
        socket.say(*frames)
        await self.clock.settle()

    async def polling(self) -> str:
        """A session by long polling; returns its number."""
        answer = await self.request()
        sid: str = json.loads(answer.body[1:])["sid"]
        return sid

    def _serve(self, scope: Scope, receive: Any, send: Any) -> None:
        self.tasks.append(asyncio.create_task(self.server(scope, receive, send), name="request"))


def _scope(
    kind: str,
    sid: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    *,
    method: str = "GET",
    address: str = "10.0.0.1",
) -> Scope:
    asked = {"EIO": "4", "transport": "polling" if kind == "http" else "websocket", "sid": sid or MISSING} | dict(query)
    return {
        "type": kind,
        "method": method,
        "path": "/socket.io/",
        "query_string": urlencode({name: value for name, value in asked.items() if value != MISSING}).encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": (address, 1234),
    }


@asynccontextmanager
async def world(limits: Limits | None = None, origins: Iterable[str] = (), **times: float) -> AsyncIterator[World]:
    """`times`: ping_interval and ping_timeout."""
    made = World(limits or Limits(), origins, **times)
    beating = asyncio.create_task(made.server.run(), name="heartbeat")
    try:
        async with asyncio.timeout(PATIENCE):
            yield made
            await made.clock.settle()
            for task in made.tasks:
                if task.done():
                    task.result()  # no request may end in an error
    finally:
        for task in [beating, *made.tasks]:
            task.cancel()
        await asyncio.gather(beating, *made.tasks, return_exceptions=True)

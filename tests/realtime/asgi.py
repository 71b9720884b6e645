# SPDX-License-Identifier: Apache-2.0
"""The server in memory alone: requests of long polling over ASGI, and websockets over lines that can be slow."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message, Scope
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from tests.realtime.recording import Recorder
from wigwag.adapters.realtime import Limits, Realtime
from wigwag.testing import FakeClock

PATIENCE = 10.0
MISSING = "missing"  # the value of a query's field that is not there
NOTHING: Mapping[str, str] = {}


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


class FakeSocket(asyncio.Transport):
    """The far end of a websocket, and the line to it. While it is `stalled`, it takes nothing."""

    def __init__(self, query: str, headers: Mapping[str, str], address: str) -> None:
        super().__init__({"peername": (address, 1234)})
        self._library = ClientProtocol(parse_uri(f"ws://host/socket.io/?{query}"), max_size=None)
        self._headers = headers
        self._wire: asyncio.Protocol | None = None
        self._coming, self._going = b"", b""  # to the server, and from it while stalled
        self._reading, self._stalled, self._paused, self._broken = True, False, False, False
        self._answering = True
        self.got: list[str | bytes] = []
        self.status = 0  # of the answer to the request
        self.closed: str | None = None  # the reason
        self.writes = 0

    @property
    def accepted(self) -> bool:
        return self.status == HTTPStatus.SWITCHING_PROTOCOLS

    # --- what the client does

    def dial(self, wire: asyncio.Protocol) -> None:
        self._wire = wire
        wire.connection_made(self)
        request = self._library.connect()
        request.headers.update(self._headers)
        self._library.send_request(request)
        self._send()

    def say(self, *frames: str | bytes) -> None:
        for frame in frames:
            if isinstance(frame, str):
                self._library.send_text(frame.encode())
            else:
                self._library.send_binary(frame)
        self._send()

    def say_raw(self, data: bytes) -> None:
        """Bytes that may be no frames at all."""
        self._coming += data
        self._soon(self._pump)

    def say_in_parts(self, *parts: str) -> None:
        """One message, in fragments."""
        self._library.send_text(parts[0].encode(), fin=len(parts) == 1)
        for number, part in enumerate(parts[1:], start=2):
            self._library.send_continuation(part.encode(), fin=number == len(parts))
        self._send()

    def hang_up(self) -> None:
        self.abort()

    def stop_answering(self) -> None:
        """Do not answer the protocol's own frames any more."""
        self._answering = False

    def stall(self) -> None:
        self._stalled = True

    def go_on(self) -> None:
        self._stalled = False
        going, self._going = self._going, b""
        self._take(going)
        if self._paused and self._wire is not None:
            self._paused = False
            self._wire.resume_writing()

    # --- what the server does with the line

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes += 1
        if self._broken:
            raise RuntimeError
        if not self._stalled:
            self._take(bytes(data))
            return
        self._going += data
        if not self._paused and self._wire is not None:
            self._paused = True
            self._wire.pause_writing()

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._soon(self._pump)

    def is_reading(self) -> bool:
        return self._reading

    def is_closing(self) -> bool:
        return self._broken

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        if not self._broken and self._wire is not None:
            self._broken = True
            self._soon(self._wire.connection_lost, None)

    # --- inside

    def _take(self, data: bytes) -> None:
        if not data or self._library.parser_exc is not None:
            return
        self._library.receive_data(data)
        for event in self._library.events_received():
            if isinstance(event, Response):
                self.status = event.status_code
                with suppress(InvalidHandshake):
                    self._library.process_response(event)
            elif isinstance(event, WebSocketFrame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                self.got.append(bytes(event.data).decode() if event.opcode is Opcode.TEXT else bytes(event.data))
            elif self._library.close_rcvd is not None:
                self.closed = self._library.close_rcvd.reason
        if self._answering:
            self._send()

    def _send(self) -> None:
        self.say_raw(b"".join(self._library.data_to_send()))

    def _pump(self) -> None:
        if self._coming and self._reading and not self._broken and self._wire is not None:
            coming, self._coming = self._coming, b""
            self._wire.data_received(coming)

    def _soon(self, what: Callable[..., None], *arguments: object) -> None:
        asyncio.get_running_loop().call_soon(what, *arguments)


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
        self.tasks: list[asyncio.Task[None]] = []  # requests of polling
        self.wires: set[object] = set()

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

        self._serve(_scope(_query("polling", sid, query), headers, method), receive, send)
        return answer

    async def websocket(
        self,
        *,
        sid: str = "",
        query: Mapping[str, str] = NOTHING,
        headers: Mapping[str, str] = NOTHING,
        address: str = "10.0.0.1",
        app: ASGIApp | None = None,
    ) -> FakeSocket:
        socket = FakeSocket(_query("websocket", sid, query), headers, address)
        config, state = (
            SimpleNamespace(loaded_app=app or self.server),
            SimpleNamespace(connections=self.wires, tasks=set()),
        )
        socket.dial(self.server.wire(config, state, {}))
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


def _query(transport: str, sid: str, query: Mapping[str, str]) -> str:
    asked = {"EIO": "4", "transport": transport, "sid": sid or MISSING} | dict(query)
    return urlencode({name: value for name, value in asked.items() if value != MISSING})


def _scope(query: str, headers: Mapping[str, str], method: str) -> Scope:
    return {
        "type": "http",
        "method": method,
        "path": "/socket.io/",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("10.0.0.1", 1234),
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

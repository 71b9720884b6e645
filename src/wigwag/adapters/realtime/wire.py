# SPDX-License-Identifier: Apache-2.0
"""A websocket: the handshake, bytes to messages, messages to bytes, and its end. It takes the place of uvicorn's own.

A write goes straight to the transport: no task, no queue, no wait. What is written to a wire during one turn of the
event loop goes out in one piece, since the system's call costs more than all else. Messages are given to a listener one
at a time; while it is at work nothing is read. What they mean is not known here.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import unquote

from starlette.types import Message, Scope
from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Opcode
from websockets.frames import Frame as WebSocketFrame
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, SEND_EOF
from websockets.server import ServerProtocol

from wigwag.adapters.realtime.engine import Frame

EXTENSION = "wigwag.wire"  # of ASGI: where an app finds the wire of a request
LONGEST_REASON = 123  # bytes in a close frame (RFC 6455, section 5.5)
PIECE = 4096  # bytes that are read at once, so that a flood is noticed early
LAST_BYTES = 65_536  # that a client may send after it was told the end
LAST_SECONDS = 10.0  # in which it must answer that

_CARRYING = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)

log = logging.getLogger(__name__)
_library = logging.getLogger(f"{__name__}.library")
_library.setLevel(logging.ERROR)  # below that it tells of each connection


class Listener(Protocol):
    """Whoever is told what happens on a wire."""

    def heard(self, frame: Frame) -> Coroutine[Any, Any, None] | None:
        """A message. Returns what must be done before the next, if that takes time."""
        ...

    def rested(self) -> None:
        """A slow reader has taken what was on its way."""
        ...

    def lost(self) -> None:
        """There is nobody any more."""
        ...


class Turn:
    """Wires that were written to in this turn of the event loop."""

    __slots__ = ("_wires",)

    def __init__(self) -> None:
        self._wires: list[Wire] = []

    def add(self, wire: "Wire") -> None:
        if not self._wires:
            asyncio.get_running_loop().call_soon(self._end)
        self._wires.append(wire)

    def _end(self) -> None:
        wires, self._wires = self._wires, []
        for wire in wires:
            wire.flush()


class Wire(asyncio.Protocol):
    """One connection, as uvicorn makes it for a request that wants a websocket.

    The request goes through the app like any other. Who wants it takes the wire from the scope's extensions, accepts it
    and sets the listener; a request that nobody wants is refused.

    Args:
        config, server_state, app_state: uvicorn's.
        largest: bytes of a message.
    """

    __slots__ = (
        "_app",
        "_app_state",
        "_closing",
        "_connections",
        "_fragments",
        "_inbox",
        "_last_bytes",
        "_library",
        "_pending",
        "_reading",
        "_response",
        "_tasks",
        "_text",
        "_transport",
        "_turn",
        "_unread",
        "_work",
        "_writable",
        "closed",
        "listener",
        "too_large",
    )
    _transport: asyncio.Transport

    def __init__(self, config: Any, server_state: Any, app_state: dict[str, Any], *, largest: int, turn: Turn) -> None:
        self._app, self._app_state = config.loaded_app, app_state
        self._connections, self._tasks = server_state.connections, server_state.tasks
        self._library = ServerProtocol(max_size=largest, logger=_library)
        self._response: Response | None = None  # how the request is accepted
        self._turn = turn
        self._pending: list[bytes] = []  # written in this turn
        self._writable = False
        self._unread = b""
        self._inbox: deque[Frame] | None = None  # messages that were read with one at which the listener works
        self._fragments: list[bytes] = []  # of a message that has not come to its end
        self._text = False  # it is one, and not bytes
        self._reading = True
        self._work: asyncio.Task[None] | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._last_bytes = LAST_BYTES
        self.listener: Listener | None = None
        self.closed = False
        self.too_large = False  # it was closed because of a message that was

    # --- what an app does with it

    def accept(self) -> None:
        """Open it."""
        assert self._response is not None  # noqa: S101  a request came before any app was asked
        self._library.send_response(self._response)
        self._say()
        self._writable = True

    def refuse(self, status: HTTPStatus, text: str = "") -> None:
        """Answer the request, and no more."""
        self.closed = True
        self._library.send_response(self._library.reject(status, text))
        self._say()

    def write(self, data: bytes) -> bool:
        """Send whole frames at the end of this turn. False: not taken, since a slow reader has enough on its way."""
        if not self._writable:
            return False
        if not self._pending:
            self._turn.add(self)
        self._pending.append(data)
        return True

    def flush(self) -> None:
        """Send what was written."""
        if self._pending and not self.closed:
            data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
            self._pending.clear()
            self._send(data)

    def close(self, reason: str = "") -> None:
        """Tell the other side that this is the end. A slow reader is not told, and is not awaited."""
        if self.closed:
            return
        self.flush()
        slow, self.closed, self._writable = not self._writable, True, False
        if slow or self._library.state is not OPEN:
            self._transport.abort()
            return
        self._library.send_close(CloseCode.NORMAL_CLOSURE, reason[:LONGEST_REASON])
        self._say()
        self._closing = asyncio.get_running_loop().call_later(LAST_SECONDS, self._transport.abort)

    # --- what asyncio and uvicorn tell

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.add(self)
        self._transport = transport  # type: ignore[assignment]  # it is of TCP

    def data_received(self, data: bytes) -> None:
        if self.closed:
            self._last_bytes -= len(data)
            if self._last_bytes < 0:
                self._transport.abort()
                return
        self._unread += data
        if self._idle():
            self._read()
        elif self._reading:
            self._reading = False
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        if not self.closed:
            self._writable = True
            if self.listener is not None:
                self.listener.rested()

    def connection_lost(self, _error: Exception | None) -> None:
        self._connections.discard(self)
        if self._closing is not None:
            self._closing.cancel()
        self._lost()

    def shutdown(self) -> None:
        """The server stops."""
        if self._library.state is OPEN:
            self.close()
        else:
            self._transport.close()

    # --- reading

    def _read(self) -> None:
        """Give messages to the listener until it is at work, or there are no more."""
        while self._idle():
            if self._inbox:
                self._hear(self._inbox.popleft())
            elif self._unread:
                piece, self._unread = self._unread[:PIECE], self._unread[PIECE:]
                self._parse(piece)
            else:
                break
        if self._idle() and not self._reading:
            self._reading = True
            self._transport.resume_reading()

    def _idle(self) -> bool:
        """Whether the next message may be read; before there is a listener, only the request may."""
        return self._work is None and (self._response is None or self.listener is not None or self.closed)

    def _parse(self, piece: bytes) -> None:
        self._library.receive_data(piece)
        for event in self._library.events_received():
            if isinstance(event, Request):
                self._ask(event)
            elif isinstance(event, WebSocketFrame):
                self._take(event)
        self._say()
        if self._library.parser_exc is not None:
            self.too_large = isinstance(self._library.parser_exc, PayloadTooBig)
            self._lost()

    def _take(self, frame: WebSocketFrame) -> None:
        """Put messages together. What is of the protocol alone, the library answers."""
        if frame.opcode is Opcode.CLOSE:
            self._lost()
        elif frame.opcode in _CARRYING:
            if frame.opcode is not Opcode.CONT:
                self._text = frame.opcode is Opcode.TEXT
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                data = b"".join(self._fragments)
                self._fragments.clear()
                self._put(data)

    def _put(self, data: bytes) -> None:
        try:
            message: Frame = data.decode() if self._text else data
        except UnicodeDecodeError:
            self._library.fail(CloseCode.INVALID_DATA)
            self._lost()
            return
        if self._idle():
            self._hear(message)
        else:
            self._inbox = self._inbox or deque()
            self._inbox.append(message)

    def _hear(self, frame: Frame) -> None:
        work = None if self.listener is None or self.closed else self.listener.heard(frame)
        if work is not None:
            self._work = asyncio.create_task(work, name="socket at work")
            self._work.add_done_callback(self._go_on)

    def _go_on(self, _work: asyncio.Task[None]) -> None:
        self._work = None
        self._read()

    def _lost(self) -> None:
        self.closed, self._writable = True, False
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.lost()

    # --- the request

    def _ask(self, request: Request) -> None:
        """Give the request to the app."""
        self._response = self._library.accept(request)
        if self._response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self.closed = True
            self._library.send_response(self._response)
            return
        path, _, query = request.path.partition("?")
        peer = self._transport.get_extra_info("peername")
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "ws",
            "server": None,
            "client": tuple(peer[:2]) if isinstance(peer, tuple) else None,
            "root_path": "",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [
                (name.lower().encode(), value.encode("latin-1")) for name, value in request.headers.raw_items()
            ],
            "subprotocols": [],
            "state": self._app_state.copy(),
            "extensions": {EXTENSION: self},
        }
        asking = asyncio.create_task(self._serve(scope), name="websocket request")
        self._tasks.add(asking)
        asking.add_done_callback(self._tasks.discard)

    async def _serve(self, scope: Scope) -> None:
        try:
            await self._app(scope, _receive, self._app_says)
        except Exception:  # a fault of ours is one request's, not the server's
            log.exception("A request for a websocket failed", extra={"action": "realtime.request"})
            if not self.closed:
                self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
        self._read()

    async def _app_says(self, _message: Message) -> None:
        """An app that does not know wires can only refuse."""
        if not self.closed:
            self.refuse(HTTPStatus.FORBIDDEN)

    # --- writing

    def _say(self) -> None:
        """Send what the library has to say: the answer to the request, to a ping, or the end."""
        said = self._library.data_to_send()
        if said:
            self._send(b"".join(said))
            if SEND_EOF in said:
                self._transport.close()

    def _send(self, data: bytes) -> None:
        try:
            self._transport.write(data)
        except RuntimeError:  # uvloop's word for a connection that broke in this turn; we hear of it in the next
            self._writable = False


async def _receive() -> Message:
    return {"type": "websocket.connect"}

# SPDX-License-Identifier: Apache-2.0
"""One client's socket: three-byte length frames, encrypted with one counter for each direction.

`post` never waits: frames are sealed in the order they are posted and one task writes them. What a node means is not
known here.
"""

import asyncio
from typing import Protocol

from wigwag.simulator import wire
from wigwag.simulator.noise import HEADER_SIZE, Greeting, HandshakeError, Responder, Trust, header
from wigwag.simulator.tokens import DICTIONARIES, LATEST
from wigwag.simulator.wire import Node

_FRAMES_PER_MESSAGE = 64
_MAX_UNSENT = 100_000


class Closed(Exception):
    """The socket is closed; nothing more can be read or written."""


class FrameError(Exception):
    """A frame did not decrypt or came out of its turn. The connection cannot go on."""


class Socket(Protocol):
    """A binary message socket. `receive` and `send` raise Closed once it is shut."""

    async def receive(self) -> bytes: ...
    async def send(self, data: bytes) -> None: ...
    async def close(self) -> None: ...
    def abort(self) -> None: ...


class Connection:
    """After `greet`: `receive` nodes, `post` nodes, and let `write` run as a task beside it.

    `linger`: seconds between the last stanza and the end. whatsmeow forgets a stanza that it has not come to when the
    line ends, and it may well be the one that says why.
    """

    def __init__(self, socket: Socket, linger: float = 0.0) -> None:
        self._socket, self._linger, self._buffer = socket, linger, b""
        self._unsent: list[bytes] = []
        self._wake, self._flushed = asyncio.Event(), asyncio.Event()
        self._closing = False
        self._flushed.set()
        self._greeting: Greeting | None = None
        self._dictionary = LATEST

    async def greet(self, trust: Trust, now: float) -> Greeting:
        """The server's side of the handshake. Raises HandshakeError or Closed."""
        prologue = await self._take(HEADER_SIZE)
        version = prologue[-1]
        if prologue != header(version) or version not in DICTIONARIES:
            raise HandshakeError(f"unknown protocol header {prologue.hex()}")
        self._dictionary = DICTIONARIES[version]
        responder = Responder(trust, now, prologue)
        await self._socket.send(_framed(responder.hello(await self._frame())))
        self._greeting = responder.finish(await self._frame())
        return self._greeting

    async def receive(self) -> Node:
        """Raises FrameError when the frame is not the next one, WireError when it is no node, Closed at the end."""
        frame = await self._frame()
        try:
            plain = self._ciphers.incoming.open(frame)
        except HandshakeError as error:
            raise FrameError(str(error)) from error
        return wire.decode(plain, self._dictionary)

    def post(self, node: Node) -> None:
        """Queue a node behind all that were posted before. A client that reads nothing for too long is cut off."""
        if self._closing:
            return
        self._unsent.append(_framed(self._ciphers.outgoing.seal(wire.encode(node, self._dictionary))))
        self._flushed.clear()
        self._wake.set()
        if len(self._unsent) > _MAX_UNSENT:
            self.abort()

    async def write(self) -> None:
        """Write what is posted until the connection is closed or broken."""
        try:
            while not (self._closing and not self._unsent):
                await self._wake.wait()
                self._wake.clear()
                while self._unsent:
                    part, self._unsent = self._unsent[:_FRAMES_PER_MESSAGE], self._unsent[_FRAMES_PER_MESSAGE:]
                    await self._socket.send(b"".join(part))
                self._flushed.set()
            await asyncio.sleep(self._linger)
            await self._socket.close()
        except Closed:
            self._closing = True
        finally:
            self._flushed.set()

    async def flush(self) -> None:
        """Wait until all that was posted is written, or never will be."""
        await self._flushed.wait()

    def close(self) -> None:
        """Close once everything posted is written."""
        self._closing = True
        self._wake.set()

    def abort(self) -> None:
        """Cut the line now, without a farewell."""
        self._closing = True
        self._unsent.clear()
        self._wake.set()
        self._socket.abort()

    @property
    def _ciphers(self) -> Greeting:
        if self._greeting is None:
            raise HandshakeError("the handshake has not been made")
        return self._greeting

    async def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._buffer += await self._socket.receive()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    async def _frame(self) -> bytes:
        return await self._take(int.from_bytes(await self._take(3), "big"))


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(3, "big") + data

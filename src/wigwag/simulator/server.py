# SPDX-License-Identifier: Apache-2.0
"""The simulator as a server: the websocket of the chat and the admin API on one port, over uvicorn.

`Simulator` runs inside the caller's event loop; `serve` is a whole program. It listens on the loopback address unless
told otherwise, for the admin API asks nobody who they are.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, cast

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from wigwag.simulator import admin, media_server, stanzas
from wigwag.simulator.connection import Closed, Connection, FrameError
from wigwag.simulator.controls import Controls
from wigwag.simulator.exchange import Stream
from wigwag.simulator.limits import Limits
from wigwag.simulator.linking import LinkError
from wigwag.simulator.media_tls import Certificate
from wigwag.simulator.noise import Greeting, HandshakeError
from wigwag.simulator.pairing import Pairing
from wigwag.simulator.stanzas import login
from wigwag.simulator.wire import MAX_PLAIN_SIZE, Node, WireError

_HANDSHAKE_TIMEOUT = 20.0
_FAREWELL_TIMEOUT = 5.0
_TICK = 0.05
_CUT = "wigwag.cut"

_log = logging.getLogger("wigwag.simulator.server")


class Simulator(Controls):
    """`async with Simulator() as sim:` serves at `sim.url` until the block ends. Port 0: any that is free.

    `latency`: seconds between a handshake and the first stanza. Clients rely on there being some: Baileys is not ready
    to decrypt in the moment in which it sends its last handshake message.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        now: Callable[[], float] = time.time,
        seed: int = 0,
        limits: Limits | None = None,
        latency: float = 0.05,
        keep: int = 100_000,
    ) -> None:
        super().__init__(now=now, seed=seed, limits=limits or Limits(), keep=keep)
        self._socket = socket.create_server((host, port))
        self._latency = latency
        self.host, self.port = host, int(self._socket.getsockname()[1])
        self._media_socket = socket.create_server((host, 0))
        certificate, media = Certificate(host), self.exchange.media
        media.host, media.certificate = f"{host}:{self._media_socket.getsockname()[1]}", certificate.pem
        self._server = _Server(_config(self))
        self._media_server = _Server(media_server.config(self.exchange, certificate))
        self._tasks: list[asyncio.Task[None]] = []
        self._chats: dict[asyncio.Task[None], Connection] = {}

    @property
    def url(self) -> str:
        """Where the admin API is: the paths of it begin with `/sim`."""
        return f"http://{self.host}:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://{self.host}:{self.port}/ws/chat"

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._server.serve([self._socket]), name="simulator-server"),
            asyncio.create_task(self._media_server.serve([self._media_socket]), name="simulator-media"),
            asyncio.create_task(self._keep_time(), name="simulator-time"),
        ]
        _log.info("simulator listens on %s", self.url)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        *servers, clock = self._tasks
        clock.cancel()
        for connection in self._chats.values():
            connection.abort()
        if self._chats:
            await asyncio.wait(self._chats, timeout=_FAREWELL_TIMEOUT)
        self._server.stopping.set()
        self._media_server.stopping.set()
        for outcome in await asyncio.gather(*servers, clock, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    async def wait(self) -> None:
        """Until it ends, which it does not by itself; if it breaks, with the error that broke it."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _keep_time(self) -> None:
        while True:
            self.tick()
            await asyncio.sleep(_TICK)

    async def chat(self, websocket: WebSocket) -> None:
        """One client's connection, from the handshake to its end."""
        await websocket.accept()
        connection = Connection(_ChatSocket(websocket), linger=self._latency)
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._chats[task] = connection
        task.add_done_callback(self._chats.pop)
        try:
            async with asyncio.timeout(_HANDSHAKE_TIMEOUT):
                greeting = await connection.greet(self.exchange.trust, self.exchange.now())
        except (HandshakeError, Closed, TimeoutError) as error:
            self.journal.refuse("connection", f"handshake: {str(error) or type(error).__name__}")
            connection.abort()
        else:
            await asyncio.sleep(self._latency)
            await self._converse(connection, greeting)

    async def _converse(self, connection: Connection, greeting: Greeting) -> None:
        writer = asyncio.create_task(connection.write(), name="simulator-writer")
        try:
            if "pairing" in greeting.payload:
                await self._pair(connection, greeting)
            elif stream := login.admit(self.exchange, connection, greeting):
                await self._serve_stream(stream)
        finally:
            connection.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(writer, _FAREWELL_TIMEOUT)

    async def _serve_stream(self, stream: Stream) -> None:
        loop = asyncio.get_running_loop()

        def handle(node: Node) -> None:
            self.exchange.bring()  # what came before this is done before it
            stanzas.handle(self.exchange, stream, node)
            if self.exchange.to_bring:
                loop.call_soon(self.exchange.bring)  # behind the writer, which has been woken by now

        try:
            await self._read(stream.connection, handle)
        finally:
            login.depart(self.exchange, stream)

    async def _pair(self, connection: Connection, greeting: Greeting) -> None:
        pairing = Pairing(self.exchange, connection, greeting)
        try:
            pairing.begin()
        except LinkError as error:
            self.journal.refuse("pairing", str(error))
            connection.post(Node("failure", {"reason": "400", "location": "sim"}))
            return
        self.add_pairing(pairing)
        try:
            await self._read(connection, pairing.handle)
        finally:
            self.drop_pairing(pairing)
            pairing.gone()

    async def _read(self, connection: Connection, handle: Callable[[Node], None]) -> None:
        """Hand over nodes until the connection ends, whoever ends it."""
        try:
            while True:
                handle(await connection.receive())
        except Closed:
            return
        except FrameError as error:
            self.journal.refuse("connection", f"frame: {error}")
            connection.abort()
        except WireError as error:
            self.journal.refuse("connection", f"not well formed: {error}")
            connection.post(Node("stream:error", {}, [Node("xml-not-well-formed")]))


async def serve(host: str = "127.0.0.1", port: int = 8377, **options: Any) -> None:
    """Run a simulator until it is cancelled. Options are those of `Simulator`."""
    async with Simulator(host=host, port=port, **options) as simulator:
        await simulator.wait()


class _ChatSocket:
    """A websocket as `Connection` wants it. Only binary messages belong to the protocol."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> bytes:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise Closed
        data: bytes | None = message.get("bytes")
        if data is None:
            self.abort()
            raise Closed("a text message")
        return data

    async def send(self, data: bytes) -> None:
        try:
            await self._websocket.send_bytes(data)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise Closed from error

    async def close(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._websocket.close()

    def abort(self) -> None:
        self._websocket.scope["extensions"][_CUT]()


class _WebSocketProtocol(WebSocketsSansIOProtocol):
    """Lets the application cut the line without a closing handshake, as a broken network does."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][_CUT] = self.transport.abort  # type: ignore[assignment]


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()

    async def main_loop(self) -> None:
        await self.stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """At once: nothing here deserves a period of grace."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
            connection.transport.close()  # also when a request is still being answered
        for each in sockets or []:
            each.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the program that the simulator is part of."""
        yield


def _config(simulator: Simulator) -> uvicorn.Config:
    # A client whose address is replaced in place fills the rest of it with slashes.
    app = Starlette(
        routes=[WebSocketRoute("/ws/chat{slashes:path}", simulator.chat), *admin.routes(simulator)],
        exception_handlers=admin.EXCEPTION_HANDLERS,
    )
    return uvicorn.Config(
        app,
        ws=_WebSocketProtocol,
        ws_max_size=MAX_PLAIN_SIZE + 4096,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        date_header=False,
    )

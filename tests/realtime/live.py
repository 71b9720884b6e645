# SPDX-License-Identifier: Apache-2.0
"""The server over real connections: it pings as often as in the upstream suites, but has more patience."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn

from tests.realtime.recording import Recorder
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.realtime import Limits, Realtime

PATIENCE = 20.0
LIMITS = Limits(payload=1_000_000, messages=1000.0, messages_burst=1000.0)


@dataclass(frozen=True, kw_only=True)
class Live:
    """A server that answers."""

    port: int
    server: Realtime
    handlers: Recorder

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def websocket(self, more: str = "", transport: str = "transport=websocket", version: str = "EIO=4") -> str:
        return f"ws://127.0.0.1:{self.port}/socket.io/?{version}&{transport}{more}"


@asynccontextmanager
async def live(interval: float = 0.3, timeout: float = 10.0) -> AsyncIterator[Live]:
    """A server on a free port of the loopback."""
    handlers = Recorder()
    realtime = handlers.server = Realtime(
        handlers,
        clock=SystemClock(),
        ping_interval=interval,
        ping_timeout=timeout,
        limits=LIMITS,
        namespaces=("/", "/custom"),
    )
    async with serving(realtime) as port:
        yield Live(port=port, server=realtime, handlers=handlers)


@asynccontextmanager
async def serving(realtime: Realtime, buffer: int = 0) -> AsyncIterator[int]:
    """The port of a server that answers. `buffer`: bytes that the system holds for a slow reader, if not 0."""
    config = uvicorn.Config(
        realtime,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws=realtime.wire,  # type: ignore[arg-type]  # it makes what a class would
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        if buffer:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        async with asyncio.TaskGroup() as tasks:
            beating = tasks.create_task(realtime.run(), name="heartbeat")
            serving = tasks.create_task(server.serve(sockets=[listening]), name="http")
            await server.answering.wait()
            try:
                async with asyncio.timeout(PATIENCE):
                    yield listening.getsockname()[1]
            finally:
                await realtime.close_all()
                server.should_exit = True
                await serving
                beating.cancel()


class _Server(uvicorn.Server):
    """uvicorn that leaves the signals to pytest, and says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()

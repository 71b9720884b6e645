# SPDX-License-Identifier: Apache-2.0
"""A gateway at work: it listens, runs its parts, and stops them in order when somebody says so."""

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import uvicorn

from wigwag.app.core import Core
from wigwag.app.fanout import Sink
from wigwag.app.gateway import Gateway
from wigwag.domain.errors import Unavailable

log = logging.getLogger("wigwag.compose")

DRAIN = 5  # seconds for open requests to end when we stop
STUCK_READER = 30_000  # milliseconds without an acknowledgement of what was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A gateway that answers. `hear` adds a sink under a name."""

    url: str
    gateway: Gateway
    hear: Callable[[str, Sink], None]
    stop: Callable[[], None]


OnReady = Callable[[Running], Awaitable[None]]


class Part(Protocol):
    """Something that works beside the core."""

    async def run(self) -> None: ...


async def serve(
    core: Core, parts: Mapping[str, Part], server: "Server", listening: socket.socket, on_ready: OnReady | None
) -> None:
    """Work until somebody says stop; the first part that cannot go on stops all others."""
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        with _signals(stopping.set):
            working = [tasks.create_task(part.run(), name=name) for name, part in {"core": core, **parts}.items()]
            serving = tasks.create_task(server.serve(sockets=[listening]), name="http")
            await server.answering.wait()
            host, port = listening.getsockname()[:2]
            url = f"http://{host}:{port}"
            log.info("Gateway answers on %s", url, extra={"action": "gateway.ready"})
            if on_ready is not None:
                await on_ready(Running(url=url, gateway=core.gateway, hear=core.fanout.add, stop=stopping.set))
            await stopping.wait()
            log.info("Stopping", extra={"action": "gateway.stopping"})
            await server.farewell()
            server.should_exit = True
            await serving
            await core.drain()
            for task in working:
                task.cancel()


class Server(uvicorn.Server):
    """uvicorn without its own signal handlers, and with a word when it answers.

    Args:
        farewell: lets long connections go before we stop.
    """

    def __init__(self, config: uvicorn.Config, farewell: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self.answering, self.farewell = asyncio.Event(), farewell

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket, taken first, so that a second gateway fails before it touches any session."""
    try:
        listening = socket.create_server((host, port), backlog=1024)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # a reader that is stuck is given up, also while it is being closed
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_READER)
    except OSError as error:
        raise Unavailable(f"Cannot listen on {host}:{port} ({error.strerror}): choose another APP_PORT.") from error
    with listening:
        yield listening


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT stop us in order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

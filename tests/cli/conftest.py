# SPDX-License-Identifier: Apache-2.0
"""A gateway that answers on a port of this machine, for commands that talk to one; its time and its WhatsApp are fakes.

It lives in a thread with its own event loop, because commands block.
"""

import asyncio
import gc
import socket
import subprocess
import threading
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, Self

import pytest
import uvicorn
from typer.testing import CliRunner, Result

from tests.desk import Desk, DeskGateway
from wigwag.adapters.rest import Check, build_app
from wigwag.app.gateway import Gateway
from wigwag.cli import app
from wigwag.testing import FakeClock, Trial, build_trial, open_access, running

with warnings.catch_warnings():
    # While it is imported, neonize asks `uname` through a pipe that it never closes. Have that noticed here.
    warnings.simplefilter("ignore", ResourceWarning)
    from wigwag import compose  # noqa: F401

    gc.collect()
    subprocess.run(["true"], check=True)

PATIENCE = 20.0  # seconds, as a safety net


class House:
    """The gateway, and the hands of the test in it."""

    def __init__(self) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.trial = build_trial(clock=FakeClock(time.time()))
        self._ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), name="house")
        self._thread.start()
        self._loop, self._end = self._ready.result(PATIENCE)
        self.open()

    def do(self, work: Callable[[Trial], Any]) -> None:
        """Do something in the loop of the gateway, and let it settle."""

        async def wrapped() -> None:
            done = work(self.trial)
            if isinstance(done, Awaitable):
                await done
            await self.trial.clock.settle()

        self._run(wrapped())

    def pass_time(self, seconds: float) -> None:
        self._run(self.trial.clock.advance(seconds))

    def open(self) -> None:
        """Answer on the port."""
        self._server = uvicorn.Server(
            uvicorn.Config(_app(self.trial.core.gateway, self.trial.clock), log_config=None, lifespan="off")
        )
        listening = socket.create_server(("127.0.0.1", self.port))
        self._serving = asyncio.run_coroutine_threadsafe(self._server.serve([listening]), self._loop)

    def close(self) -> None:
        """Answer no longer, as while restarting."""
        self._server.should_exit = True
        self._serving.result(PATIENCE)

    def end(self) -> None:
        self.close()
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(PATIENCE)

    async def _live(self) -> None:
        end = asyncio.Event()
        async with running(self.trial):
            self._ready.set_result((asyncio.get_running_loop(), end))
            await end.wait()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)


class Front:
    """A gateway of which only its desk is there, on a port of this machine, for as long as the block lasts."""

    def __init__(self) -> None:
        self.desk, self.clock = Desk(), FakeClock(time.time())
        self.gateway = DeskGateway(self.desk)

    def __enter__(self) -> Self:
        self._server = uvicorn.Server(uvicorn.Config(_app(self.gateway, self.clock), log_config=None, lifespan="off"))
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([listening])), name="front")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _app(gateway: Gateway, clock: FakeClock) -> Any:
    async def exposition(_accept: str) -> tuple[str, AsyncIterator[bytes]]:
        raise NotImplementedError

    async def ready() -> Sequence[Check]:
        return []

    return build_app(
        gateway,
        access=open_access(clock),
        clock=clock,
        exposition=exposition,
        observe=lambda *_: None,
        ready=ready,
        version="1",
    )


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.end()


@pytest.fixture
def front() -> Iterator[Front]:
    with Front() as front:
        yield front


@pytest.fixture
def paired(house: House) -> House:
    """A gateway whose account is connected."""
    house.do(lambda trial: trial.connect())
    return house


def in_turn(*acts: Callable[[], None]) -> Callable[[], None]:
    """A pause for a loop under test: each time, the next of these things happens."""
    left = iter(acts)

    def happen() -> None:
        next(left)()

    return happen


Command = Callable[..., Result]


@pytest.fixture
def wigwag() -> Command:
    """Run a command line; environment variables are keyword arguments."""

    def run(*line: str, **environment: str) -> Result:
        return CliRunner().invoke(app, list(line), env=environment, catch_exceptions=False)

    return run

# SPDX-License-Identifier: Apache-2.0
"""The HTTP app over a real gateway in memory, and a client that speaks to it in this process."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.desk import START, Desk, DeskGateway
from tests.rest.house import RULES, House, keys_of
from wigwag.adapters.rest import Check, build_app
from wigwag.app.access import Access
from wigwag.app.gateway import Gateway
from wigwag.testing import FakeClock, Trial, build_trial, open_access, running

ANNA, BERT = "919876543210@s.whatsapp.net", "919123456789@s.whatsapp.net"


@dataclass
class World:
    """What surrounds the app: parts that may fail, and what was measured."""

    checks: list[Check] = field(default_factory=lambda: [Check(part="storage", ok=True)])
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    asked: int = 0

    async def ready(self) -> Sequence[Check]:
        self.asked += 1
        return self.checks

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        assert seconds >= 0.0
        self.requests.append((route, method, status))

    async def exposition(self, accept: str) -> tuple[str, AsyncIterator[bytes]]:
        async def text() -> AsyncIterator[bytes]:
            yield b"# accept: "
            yield accept.encode()

        return "text/plain; version=0.0.4; charset=utf-8", text()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def trial() -> AsyncIterator[Trial]:
    async with running(build_trial()) as trial:
        yield trial


@pytest.fixture
async def client(trial: Trial, world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with speaking_to(trial.core.gateway, trial.clock, world, trial.core.access) as client:
        yield client


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def door(desk: Desk, world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that leads to the desk."""
    async with speaking_to(DeskGateway(desk), FakeClock(START), world) as client:
        yield client


def app_of(world: World, gateway: Gateway, clock: FakeClock, access: Access | None = None, **more: Any) -> FastAPI:
    """The app in a world. `more` is as `build_app` takes it."""
    return build_app(
        gateway,
        access=access or open_access(clock),
        clock=clock,
        exposition=world.exposition,
        observe=world.observe,
        ready=world.ready,
        version="1.2.3",
        **more,
    )


def speaking_to(
    gateway: Gateway,
    clock: FakeClock,
    world: World,
    access: Access | None = None,
    *,
    url: str = "http://127.0.0.1",
    peer: str = "127.0.0.1",
    origins: Sequence[str] = (),
) -> httpx.AsyncClient:
    """A client at `peer` that calls the gateway by `url`."""
    app = app_of(world, gateway, clock, access, origins=origins)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(peer, 50000)), base_url=url)


@pytest.fixture
async def house(world: World) -> AsyncIterator[House]:
    trial = build_trial(rules=RULES)
    async with running(trial), outside(trial, world) as client:
        yield House(trial, client, await keys_of(trial))


def outside(trial: Trial, world: World, **more: Any) -> httpx.AsyncClient:
    """A client on another machine, unless said otherwise."""
    where = {"url": "http://gateway.example", "peer": "192.0.2.7"} | more
    return speaking_to(trial.core.gateway, trial.clock, world, trial.core.access, **where)

# SPDX-License-Identifier: Apache-2.0
"""The HTTP app over a real gateway in memory, and a client that speaks to it in this process."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import httpx
import pytest

from wigwag.adapters.rest import Check, build_app
from wigwag.testing import Trial, build_trial, running

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
    app = build_app(
        trial.core.gateway,
        clock=trial.clock,
        exposition=world.exposition,
        observe=world.observe,
        ready=world.ready,
        version="1.2.3",
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://wigwag") as client:
        yield client

# SPDX-License-Identifier: Apache-2.0
"""A gateway in memory with keys, behind the real routes and guard, and the official client of the SDK to ask it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.rest.conftest import World
from wigwag.adapters.mcp import Doors, Mode, build
from wigwag.adapters.rest import build_app
from wigwag.app.access import Rules
from wigwag.domain.access import Scope
from wigwag.testing import Trial, build_trial, running

ANNA, BERT = "919876543210", "919123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A closed gateway with a door for models, and a key for each scope."""

    trial: Trial
    app: object
    keys: dict[str, str]

    @asynccontextmanager
    async def model(self, key: str | None) -> AsyncIterator[Client]:
        """A model's client that shows a key."""
        headers = {"host": "gateway.example"} | ({"x-api-key": self.keys[key]} if key else {})
        transport = httpx2.ASGITransport(app=self.app, client=("192.0.2.7", 50000))  # type: ignore[arg-type]
        http = httpx2.AsyncClient(transport=transport, headers=headers)
        async with http, Client(streamable_http_client("http://gateway.example/mcp", http_client=http)) as client:
            yield client


@asynccontextmanager
async def town(mode: Mode = "on") -> AsyncIterator[Town]:
    trial, world = build_trial(rules=Rules(per_minute=1000)), World()
    core = trial.core
    doors = Doors(build(core.gateway, core.access, trial.clock, core.fanout.announce, version="1.2.3", mode=mode))
    app = build_app(
        core.gateway,
        access=core.access,
        clock=trial.clock,
        exposition=world.exposition,
        observe=world.observe,
        ready=world.ready,
        version="1.2.3",
        beside=doors.routes,
    )
    async with running(trial):
        keys = {str(scope): (await core.access.keyring.create(scope, {scope})).secret for scope in Scope}
        working = asyncio.create_task(doors.run())
        await trial.connect()
        await core.gateway.track([(ANNA, "Anna"), (BERT, "Bert")])
        await trial.clock.settle()
        try:
            yield Town(trial=trial, app=app, keys=keys | {"false": "wk_nobody"})
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working


@pytest.fixture
async def whole() -> AsyncIterator[Town]:
    async with town() as found:
        yield found

# SPDX-License-Identifier: Apache-2.0
"""A running simulator on a clock that only tests move, with two contacts, and clients for it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from tests.simulator.client import Client
from wigwag.simulator import Simulator

ALICE, BOB = "17770000001", "17770000002"


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.time = 1_790_000_000.0

    def __call__(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


async def logged(sim: Simulator, event: str) -> None:
    """Until the simulator's log has such a line: for what the server does without telling the client."""
    async with asyncio.timeout(10):
        while all(entry.event != event for entry in sim.journal.log):  # noqa: ASYNC110 - a log has no bell
            await asyncio.sleep(0)


async def received(sim: Simulator, count: int) -> None:
    """Until contacts have read so many messages."""
    async with asyncio.timeout(10):
        while sim.journal.counts.messages.total() < count:  # noqa: ASYNC110 - a journal has no bell
            await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sim(clock: Clock) -> AsyncIterator[Simulator]:
    async with Simulator(now=clock, latency=0) as simulator:
        simulator.put_contact(ALICE, name="Alice")
        simulator.put_contact(BOB, name="Bob", addressed_by_lid=True, last_seen_visible=False)
        yield simulator


@pytest.fixture
async def make_client(sim: Simulator) -> AsyncIterator[Callable[[], Client]]:
    """Clients that are closed at the end of the test."""
    clients: list[Client] = []

    def make() -> Client:
        clients.append(Client(sim))
        return clients[-1]

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
def client(make_client: Callable[[], Client]) -> Client:
    return make_client()


@pytest.fixture
async def online(client: Client) -> Client:
    """A client that is paired, logged in and available."""
    await client.come_online()
    return client

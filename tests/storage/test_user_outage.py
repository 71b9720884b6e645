# SPDX-License-Identifier: Apache-2.0
"""The database goes and comes back: presence of users goes on meanwhile, and no last seen is lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests import servers
from wigwag.adapters.memory.roster import MemoryRoster
from wigwag.adapters.storage.stores import Stores, open_stores
from wigwag.app.lobby import FLUSH_EVERY, Lobby
from wigwag.app.ports import User
from wigwag.domain.events import PartFailed, UserChanged
from wigwag.domain.users import Choice, Shown
from wigwag.testing import START, FakeClock, RecordingSink

ANNA, BEN, CLEO = 1, 2, 3
SAFETY = 60.0  # seconds: a net under the test, not a measure
PATIENCE = 5.0

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class House:
    """Anna, Ben and Cleo are here; Cleo knows both."""

    database: servers.Instance
    stores: Stores
    lobby: Lobby
    clock: FakeClock
    facts: RecordingSink


@pytest.fixture(params=[servers.POSTGRES, servers.MARIADB], ids=lambda kind: kind.name)
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    with servers.private(request.param) as instance:
        stores, clock, facts = await open_stores(instance.url, patience=PATIENCE), FakeClock(), RecordingSink()
        await stores.users.put([User(id=user) for user in (ANNA, BEN, CLEO)])
        await stores.users.add_contacts(CLEO, [ANNA, BEN])
        lobby = Lobby(
            directory=stores.users, store=stores.last_seen, roster=MemoryRoster(clock), clock=clock, announce=facts
        )
        await lobby.start()
        working = asyncio.create_task(lobby.node.run(), name="node")
        for user in (ANNA, BEN, CLEO):
            await lobby.enter(user, f"device of {user}")
        await clock.settle()
        await lobby.flush()
        yield House(instance, stores, lobby, clock, facts)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await stores.close()


async def test_a_database_that_is_away_for_a_minute_loses_no_last_seen(house: House) -> None:
    lobby, clock = house.lobby, house.clock
    house.database.stop()  # in order: this server is set up to forget what it was not given time to write
    async with asyncio.timeout(SAFETY):
        await lobby.choose(ANNA, Choice.AWAY)
        lobby.leave(BEN, f"device of {BEN}", goodbye=True)
        for _ in range(int(60 / FLUSH_EVERY)):
            await clock.advance(FLUSH_EVERY)
            await lobby.flush()
        lobby.leave(ANNA, f"device of {ANNA}", goodbye=True)
        await clock.settle()
    told = [(fact.view.user, fact.view.status) for fact in house.facts.of(UserChanged) if CLEO in fact.audience]
    assert told[-3:] == [(ANNA, Shown.AWAY), (BEN, Shown.OFFLINE), (ANNA, Shown.OFFLINE)]
    assert len(house.facts.of(PartFailed)) == 1

    house.database.launch()
    house.database.wait_until_ready()
    async with asyncio.timeout(SAFETY):
        await lobby.flush()
    kept = {presence.user: presence.last_seen for presence in await house.stores.last_seen.load([ANNA, BEN])}
    assert kept == {ANNA: START + 60, BEN: START}

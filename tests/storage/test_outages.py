# SPDX-License-Identifier: Apache-2.0
"""A database that is locked, silent, cut off or stopped: calls give up in time, and the next one after it works."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests import servers
from tests.storage.proxy import Network, network
from wigwag.adapters.storage.stores import Stores, open_stores
from wigwag.app.ports import User
from wigwag.domain.errors import StoreUnavailable
from wigwag.domain.history import Batch, Interval, Kind
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence
from wigwag.domain.users import UserPresence

SHORT = 2.0  # seconds of patience: an outage lasts until the test ends it, so this is all that a test waits
SAFETY = 30.0  # seconds: a net under the tests, not a measure
JIDS = [Jid(f"{15_550_000_000 + number}@s.whatsapp.net") for number in range(1200)]
BATCH = Batch(
    presences=[Presence(jid=jid, name="", account="default") for jid in JIDS],
    intervals=[Interval(jid=jid, kind=Kind.ONLINE, start=1.0) for jid in JIDS],
    alive_at=2.0,
)


async def refused(stores: Stores) -> None:
    """Assert that every kind of call fails as the ports say, with its cause, and without repeating a secret."""
    calls = [
        stores.presence.save(BATCH),
        stores.presence.history(JIDS[0], 0.0, 9.0),
        stores.watches.load(),
        stores.accounts.choose("pace", "careful"),
        stores.users.put([User(id=7, phone_number=JIDS[0][:11])]),
        stores.users.contacts(7),
        stores.last_seen.save([UserPresence(user=7)], 2.0),
        stores.last_seen.load([7]),
        stores.ping(),
    ]
    async with asyncio.timeout(SAFETY):
        results = await asyncio.gather(*calls, return_exceptions=True)
    for error in results:
        assert isinstance(error, StoreUnavailable), error
        assert error.__cause__ is not None
        assert "secret" not in str(error)
        assert JIDS[0][:8] not in str(error)


async def whole(stores: Stores) -> None:
    """Assert that the store works, and that no half of a batch is in it."""
    async with asyncio.timeout(SAFETY):
        await stores.ping()
        assert (await stores.presence.load())[0] == []
        await stores.presence.save(BATCH)
        assert len((await stores.presence.load())[0]) == len(JIDS)


async def test_a_locked_sqlite_file_refuses_writes_and_goes_on_answering_readers(tmp_path: Path) -> None:
    path = tmp_path / "wigwag.db"
    stores = await open_stores(f"sqlite:///{path}", patience=SHORT)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for _ in range(2):
            with pytest.raises(
                StoreUnavailable, match=r"wigwag\.db does not answer \((database is locked|TimeoutError)\)"
            ):
                await stores.presence.save(BATCH)
        assert await stores.presence.history(JIDS[0], 0.0, 9.0) == []
        await stores.ping()
        other.execute("ROLLBACK")
    await whole(stores)
    await stores.close()


@dataclass(frozen=True)
class Remote:
    """Stores behind a network."""

    stores: Stores
    wire: Network


@pytest.fixture
async def remote(database_url: str) -> AsyncIterator[Remote]:
    url = make_url(database_url)
    await (await open_stores(database_url, patience=SAFETY)).close()
    async with network(str(url.host), url.port or 0) as (wire, port):
        stores = await open_stores(_through(port, database_url), patience=SHORT)
        yield Remote(stores, wire)
        await stores.close()


def _through(port: int, address: str) -> str:
    return make_url(address).set(host="127.0.0.1", port=port).render_as_string(hide_password=False)


on_servers = pytest.mark.parametrize("database_url", ["postgres", "mariadb"], indirect=True)


@on_servers
async def test_silence_ends_every_call_and_healing_is_noticed(remote: Remote) -> None:
    await remote.stores.ping()
    remote.wire.fall_silent()
    await refused(remote.stores)
    remote.wire.heal()
    await whole(remote.stores)


@on_servers
async def test_silence_at_the_start_ends_it(database_url: str) -> None:
    url = make_url(database_url)
    async with network(str(url.host), url.port or 0) as (wire, port):
        wire.fall_silent()
        with pytest.raises(StoreUnavailable):
            async with asyncio.timeout(SAFETY):
                await open_stores(_through(port, database_url), patience=SHORT)


@on_servers
async def test_a_silence_in_the_middle_of_a_batch_leaves_none_of_it(remote: Remote) -> None:
    saving = asyncio.create_task(remote.stores.presence.save(BATCH), name="save")
    remote.wire.fall_silent()
    with pytest.raises(StoreUnavailable):
        await saving
    assert remote.wire.reached.is_set()
    remote.wire.cut()
    remote.wire.heal()
    await whole(remote.stores)


@on_servers
async def test_a_cut_in_the_middle_of_a_batch_leaves_none_of_it(remote: Remote) -> None:
    await remote.stores.ping()
    remote.wire.fall_silent()
    saving = asyncio.create_task(remote.stores.presence.save(BATCH), name="save")
    async with asyncio.timeout(SAFETY):
        await remote.wire.reached.wait()
    remote.wire.cut()
    with pytest.raises(StoreUnavailable):
        await saving
    remote.wire.heal()
    await whole(remote.stores)


@on_servers
async def test_connections_that_were_cut_are_replaced(remote: Remote) -> None:
    async with asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(remote.stores.ping())
    remote.wire.cut()
    await whole(remote.stores)


async def test_a_call_that_is_given_up_leaves_no_half_and_harms_no_other(database_url: str) -> None:
    stores = await open_stores(database_url, patience=SAFETY)
    for steps in (1, 2, 5, 20):
        saving = asyncio.create_task(stores.presence.save(BATCH), name="save")
        for _ in range(steps):
            await asyncio.sleep(0)
        saving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saving
    await whole(stores)
    await stores.close()


async def test_a_row_that_does_not_fit_refuses_the_whole_batch(database_url: str) -> None:
    stores = await open_stores(database_url, patience=SAFETY)
    misfit = Presence(jid=JIDS[-1], name="", account="x" * 65, since=float("nan"))
    with pytest.raises(StoreUnavailable):
        await stores.presence.save(Batch(presences=[*BATCH.presences[:-1], misfit], intervals=[], alive_at=3.0))
    assert (await stores.presence.load())[1] == 0.0
    await whole(stores)
    await stores.close()


async def test_a_stopped_postgresql_is_noticed_and_its_return_too() -> None:
    with servers.private(servers.POSTGRES) as postgres:
        postgres.stop()
        address = make_url(postgres.url).set(drivername="postgres", password="secret").render_as_string(False)
        with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1") as nobody:
            await open_stores(address, patience=SAFETY)
        assert "secret" not in str(nobody.value)
        postgres.launch()
        postgres.wait_until_ready()
        stores = await open_stores(address, patience=SAFETY)
        await stores.ping()
        postgres.stop()
        for _ in range(2):
            await refused(stores)
        postgres.launch()
        postgres.wait_until_ready()
        await whole(stores)
        await stores.close()

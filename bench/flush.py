# SPDX-License-Identifier: Apache-2.0
"""What it costs to keep 5,000 changed contacts: a flush through the store, against bare sqlite3 in the same run.

    python bench/flush.py [ADDRESS …]

Without addresses it uses a SQLite file and, where they are installed, private PostgreSQL and MariaDB servers. Every
flush changes 5,000 of 20,000 contacts and opens or closes one interval of each: 10,000 rows. Printed are medians, and
the longest time that the event loop was held up during a flush: once as the clock shows it, and once without the time
in which the machine did something else.
"""

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from statistics import median
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from wigwag.adapters.storage import Stores, open_stores
from wigwag.domain.history import Batch, Interval, Kind
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, Status

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # benches use the tests' private servers
import servers

CONTACTS, CHANGED, ROUNDS = 20_000, 5_000, 9
TARGET = 150.0  # milliseconds on SQLite
START = 1_763_637_780.0
JIDS = [Jid(f"{15_550_000_000 + number}@s.whatsapp.net") for number in range(CONTACTS)]


def batches() -> Iterator[Batch]:
    """First everybody, then rounds in which a quarter comes online or goes again. The same every time."""
    yield Batch(presences=[presence(jid, START, Status.UNKNOWN) for jid in JIDS], intervals=[], alive_at=START)
    chance, online = Random(5), dict[Jid, float]()
    for turn in range(1, ROUNDS + 1):
        at = START + turn
        changed = chance.sample(JIDS, CHANGED)
        intervals = []
        for jid in changed:
            since = online.pop(jid, None)
            if since is None:
                online[jid] = at
            intervals.append(Interval(jid=jid, kind=Kind.ONLINE, start=since or at, end=None if since is None else at))
        status = {jid: Status.ONLINE if jid in online else Status.OFFLINE for jid in changed}
        yield Batch(presences=[presence(jid, at, status[jid]) for jid in changed], intervals=intervals, alive_at=at)


def presence(jid: Jid, at: float, status: Status) -> Presence:
    return Presence(jid=jid, name="Contact Ané", account="default", status=status, since=at, last_seen=at, heard=at)


class Stalls:
    """The longest time for which other tasks had to wait, in milliseconds: by the clock, and by our own work alone."""

    def __init__(self) -> None:
        self.longest = self.worked = 0.0

    async def watch(self) -> None:
        while True:
            wall, work = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0)
            self.longest = max(self.longest, 1000 * (time.perf_counter() - wall))
            self.worked = max(self.worked, 1000 * (time.thread_time() - work))


async def flushes(stores: Stores) -> tuple[list[float], list[Stalls]]:
    times, stalls = [], []
    for batch in batches():
        quiet_start = time.perf_counter()
        await stores.presence.save(batch)
        times.append(1000 * (time.perf_counter() - quiet_start))
    for batch in batches():  # once more, watched: the watcher itself takes time
        stall = Stalls()
        watcher = asyncio.create_task(stall.watch(), name="watch")
        await stores.presence.save(batch)
        watcher.cancel()
        stalls.append(stall)
    return times[1:], stalls[1:]


async def measure(name: str, address: str) -> float:
    stores = await open_stores(address, patience=60.0)
    times, stalls = await flushes(stores)
    await stores.close()
    longest, worked = median(stall.longest for stall in stalls), median(stall.worked for stall in stalls)
    print(f"{name:10} {median(times):7.1f} ms   loop held up {longest:5.1f} ms, {worked:5.1f} ms of it at work")
    return median(times)


def bare(folder: str) -> float:
    """The same rows with nothing around sqlite3, in the room's tables and with its settings."""
    path = f"{folder}/bare.db"
    asyncio.run(_make(path))
    times = []
    with closing(sqlite3.connect(path, isolation_level="IMMEDIATE")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        for batch in batches():
            start = time.perf_counter()
            contacts = [
                (p.jid, p.name, p.account, p.status, p.since, p.last_seen, p.heard, p.went_online, p.went_offline)
                for p in batch.presences
            ]
            connection.executemany(
                "INSERT INTO contacts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (jid) DO UPDATE SET "
                "name = excluded.name, account = excluded.account, status = excluded.status, since = excluded.since, "
                "last_seen = excluded.last_seen, heard = excluded.heard, went_online = excluded.went_online, "
                "went_offline = excluded.went_offline",
                contacts,
            )
            connection.executemany(
                "INSERT INTO intervals VALUES (?, ?, ?, ?) "
                "ON CONFLICT (jid, kind, start_at) DO UPDATE SET end_at = excluded.end_at",
                [(i.jid, i.kind.value, i.start, i.end) for i in batch.intervals],
            )
            connection.commit()
            times.append(1000 * (time.perf_counter() - start))
    print(f"{'sqlite3':10} {median(times[1:]):7.1f} ms   bare executemany")
    return median(times[1:])


async def _make(path: str) -> None:
    await (await open_stores(f"sqlite:///{path}")).close()


async def _create(server: str) -> str:
    url, name = make_url(server), f"wigwag_{uuid4().hex}"
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


def addresses(stack: ExitStack, folder: str) -> Iterator[tuple[str, str]]:
    """What to measure: name and address."""
    if given := sys.argv[1:]:
        yield from ((address.partition(":")[0], address) for address in given)
        return
    yield "sqlite", f"sqlite:///{folder}/wigwag.db"
    for server in (servers.POSTGRES, servers.MARIADB):
        try:
            yield server.name, asyncio.run(_create(stack.enter_context(servers.running(server))))
        except pytest.skip.Exception as missing:
            print(f"{server.name:10} left out: {missing}")


def main() -> int:
    print(f"{CHANGED} changed contacts and {CHANGED} intervals, medians of {ROUNDS} flushes")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        floor = bare(folder)
        results = {name: asyncio.run(measure(name, address)) for name, address in addresses(stack, folder)}
    for name, took in results.items():
        print(f"{name:10} {took / floor:7.2f} times bare sqlite3")
    if "sqlite" in results:
        print(f"target     {TARGET:7.1f} ms on SQLite: {'kept' if results['sqlite'] <= TARGET else 'MISSED'}")
        return int(results["sqlite"] > TARGET)
    return 0


if __name__ == "__main__":
    sys.exit(main())

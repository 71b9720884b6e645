# SPDX-License-Identifier: Apache-2.0
"""What it costs to keep 5,000 changed contacts: a flush through the store, against bare sqlite3 in the same rounds.

    python bench/flush.py [ADDRESS …]

Without addresses it uses a SQLite file and, where they are installed, private PostgreSQL and MariaDB servers. A flush
changes 5,000 of 100,000 contacts and opens or closes one interval of each: 10,000 rows. All take turns, so that a busy
machine slows them alike. Printed are medians of the time, and of the longest wait of other tasks during a flush: as the
clock shows it, and as far as our own work was the reason.
"""

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from wigwag.adapters.storage import open_stores
from wigwag.domain.history import Batch, Interval, Kind
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, Status

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # benches use the tests' private servers
import servers

CONTACTS, CHANGED, ROUNDS = 100_000, 5_000, 15
TARGET = 150.0  # milliseconds on SQLite
START = 1_763_637_780.0
JIDS = [Jid(f"{15_550_000_000 + number}@s.whatsapp.net") for number in range(CONTACTS)]
UPSERT_CONTACT = """
INSERT INTO contacts (jid, name, account, status, since, last_seen, heard, went_online, went_offline)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (jid) DO UPDATE SET name = excluded.name, account = excluded.account,
status = excluded.status, since = excluded.since, last_seen = excluded.last_seen, heard = excluded.heard,
went_online = excluded.went_online, went_offline = excluded.went_offline
"""
UPSERT_INTERVAL = """
INSERT INTO intervals (jid, kind, start_at, end_at) VALUES (?, ?, ?, ?)
ON CONFLICT (jid, kind, start_at) DO UPDATE SET end_at = excluded.end_at
"""

Save = Callable[[Batch], Coroutine[Any, Any, None]]


@dataclass
class Runner:
    """One way to save a batch, and what was measured of it, in milliseconds."""

    name: str
    save: Save
    took: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)

    async def time(self, batch: Batch) -> None:
        start = time.perf_counter()
        await self.save(batch)
        self.took.append(1000 * (time.perf_counter() - start))

    async def watch(self, batch: Batch) -> None:
        """Save it once more, beside a task that wants to run all the time."""
        saving = asyncio.create_task(self.save(batch), name="save")
        waits, works = [0.0], [0.0]
        while not saving.done():
            clock, work = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0)
            waits.append(1000 * (time.perf_counter() - clock))
            works.append(1000 * (time.thread_time() - work))
        await saving
        self.waited.append(max(waits))
        self.worked.append(max(works))


def batches() -> Iterator[Batch]:
    """First everybody, then rounds in which one in twenty comes online or goes again. The same every time."""
    yield Batch(presences=[presence(jid, START, Status.UNKNOWN) for jid in JIDS], intervals=[], alive_at=START)
    chance, online = Random(5), dict[Jid, float]()
    for turn in range(1, ROUNDS + 1):
        at = START + turn
        presences, intervals = [], []
        for jid in chance.sample(JIDS, CHANGED):
            since = online.pop(jid, None)
            if since is None:
                online[jid] = at
            status = Status.ONLINE if since is None else Status.OFFLINE
            end = None if since is None else at
            presences.append(presence(jid, at, status))
            intervals.append(Interval(jid=jid, kind=Kind.ONLINE, start=since or at, end=end))
        yield Batch(presences=presences, intervals=intervals, alive_at=at)


def presence(jid: Jid, at: float, status: Status) -> Presence:
    return Presence(jid=jid, name="Contact Ané", account="default", status=status, since=at, last_seen=at, heard=at)


def bare(connection: sqlite3.Connection) -> Save:
    """The same rows with nothing around sqlite3, as plainly as one would write it."""

    async def save(batch: Batch) -> None:
        contacts = [
            (p.jid, p.name, p.account, p.status, p.since, p.last_seen, p.heard, p.went_online, p.went_offline)
            for p in batch.presences
        ]
        connection.executemany(UPSERT_CONTACT, contacts)
        connection.executemany(UPSERT_INTERVAL, [(i.jid, i.kind.value, i.start, i.end) for i in batch.intervals])
        connection.commit()

    return save


async def fresh_database(server: str) -> str:
    url, name = make_url(server), f"wigwag_{uuid4().hex}"
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


async def addresses(stack: ExitStack, folder: str) -> dict[str, str]:
    """What to measure: name and address."""
    if given := sys.argv[1:]:
        return {address.partition(":")[0]: address for address in given}
    found = {"sqlite": f"sqlite:///{folder}/wigwag.db"}
    for server in (servers.POSTGRES, servers.MARIADB):
        try:
            found[server.name] = await fresh_database(stack.enter_context(servers.running(server)))
        except pytest.skip.Exception as missing:
            print(f"{server.name} is left out: {missing}")
    return found


async def measure(folder: str, where: dict[str, str]) -> list[Runner]:
    async with AsyncExitStack() as stack:
        await (await open_stores(f"sqlite:///{folder}/bare.db")).close()
        connection = stack.enter_context(closing(sqlite3.connect(f"{folder}/bare.db")))
        connection.execute("PRAGMA synchronous=FULL")
        runners = [Runner("sqlite3", bare(connection))]
        for name, address in where.items():
            stores = await open_stores(address, patience=60.0)
            stack.push_async_callback(stores.close)
            runners.append(Runner(name, stores.presence.save))
        for batch in batches():
            for runner in runners:
                await runner.time(batch)
                await runner.watch(batch)
    return runners


def report(floor: float, runner: Runner) -> None:
    took, waited, worked = median(runner.took[1:]), median(runner.waited[1:]), median(runner.worked[1:])
    print(f"{runner.name:10}{took:7.1f} ms {took / floor:5.2f} x", end="")
    print("" if runner.name == "sqlite3" else f"   others wait {waited:5.1f} ms, {worked:4.1f} ms of it for our work")


def main() -> int:
    print(f"{CHANGED} changed of {CONTACTS} contacts and {CHANGED} intervals, medians of {ROUNDS} flushes")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        where = asyncio.run(addresses(stack, folder))
        runners = asyncio.run(measure(folder, where))
    for runner in runners:
        report(median(runners[0].took[1:]), runner)
    missed = [runner for runner in runners if runner.name == "sqlite" and median(runner.took[1:]) > TARGET]
    print(f"SQLite within {TARGET:.0f} ms: {'MISSED' if missed else 'kept'}")
    return len(missed)


if __name__ == "__main__":
    sys.exit(main())

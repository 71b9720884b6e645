# SPDX-License-Identifier: Apache-2.0
"""A transaction in one trip to a thread: all of it or nothing, also where nobody waits for it any more."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection, create_engine, text

from wigwag.adapters.storage.trips import Trips

SAFETY = 30.0


@pytest.fixture
def trips(tmp_path: Path) -> Iterator[Trips]:
    trips = Trips(create_engine(f"sqlite:///{tmp_path / 'trips.db'}", connect_args={"check_same_thread": False}))
    yield trips
    trips.close()


def make_table(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE numbers (number INTEGER)"))


def insert(connection: Connection, number: int) -> int:
    connection.execute(text("INSERT INTO numbers VALUES (:number)"), {"number": number})
    return number


def numbers(connection: Connection) -> list[int]:
    return list(connection.execute(text("SELECT number FROM numbers ORDER BY number")).scalars())


async def test_what_was_answered_is_there_for_everybody(trips: Trips) -> None:
    await trips.make(make_table)
    assert await trips.make(lambda connection: insert(connection, 1)) == 1
    assert await trips.make(numbers) == [1]


async def test_of_what_failed_nothing_is_there(trips: Trips) -> None:
    def fail(connection: Connection) -> None:
        insert(connection, 1)
        raise ValueError("after the first row")

    await trips.make(make_table)
    with pytest.raises(ValueError, match="after the first row"):
        await trips.make(fail)
    assert await trips.make(numbers) == []


async def test_whoever_gives_up_before_the_commit_has_written_nothing(trips: Trips) -> None:
    written, go_on = Event(), Event()

    def slowly(connection: Connection) -> None:
        insert(connection, 1)
        written.set()
        assert go_on.wait(SAFETY)

    await trips.make(make_table)
    waiting = asyncio.create_task(trips.make(slowly), name="slowly")
    assert await asyncio.to_thread(written.wait, SAFETY)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    await trips.make(lambda connection: insert(connection, 2))
    assert await trips.make(numbers) == [2]

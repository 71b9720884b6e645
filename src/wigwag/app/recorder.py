# SPDX-License-Identifier: Apache-2.0
"""Presence goes to the store in batches, and comes back at start. A crash loses at most the last FLUSH_EVERY seconds.

While the store does not answer, presence goes on in memory: changed contacts stay marked, and intervals wait in a
bounded list.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, PresenceStore
from wigwag.domain.book import Book
from wigwag.domain.errors import StoreUnavailable
from wigwag.domain.events import Fact
from wigwag.domain.history import Batch, Interval, OpenIntervals
from wigwag.domain.ids import Jid
from wigwag.domain.presence import PresenceChanged, Status

FLUSH_EVERY = 1.0  # seconds
BATCH = 5_000  # contacts, and intervals, in one transaction
BACKLOG = 200_000  # intervals kept in memory while the store is away; beyond it the oldest are dropped and counted


class Recorder:
    """Writes what the book and the fan-out tell; reads the past."""

    def __init__(self, book: Book, store: PresenceStore, clock: Clock, announce: Callable[[Fact], None]) -> None:
        self._book, self._store, self._clock = book, store, clock
        self._failures = Failures(clock, announce)
        self._open = OpenIntervals()
        self._intervals: deque[Interval] = deque()
        self._writing = asyncio.Lock()
        self.dropped = 0  # intervals lost because the store was away for too long

    @property
    def backlog(self) -> int:
        """Intervals that wait to be written."""
        return len(self._intervals)

    async def restore(self) -> None:
        """Read the book from the store. Whoever was observed when we died has been unknown since then."""
        presences, alive_at = await self._store.load()
        for presence in presences:
            if presence.status is not Status.UNKNOWN:
                since = max(alive_at, presence.since)
                presence = replace(presence, status=Status.UNKNOWN, since=since)  # noqa: PLW2901
            self._book.put(presence)

    def record(self, fact: Fact) -> None:
        """A sink: keep the intervals that a change opens or closes."""
        if type(fact) is PresenceChanged:
            self._intervals.extend(self._open.fold(fact))
            while len(self._intervals) > BACKLOG:
                self._intervals.popleft()
                self.dropped += 1

    async def run(self) -> None:
        """Flush for ever; the store may come and go."""
        while True:
            await self._clock.sleep(FLUSH_EVERY)
            await self.flush()

    async def flush(self) -> bool:
        """Write all that is new. False if the store does not answer; nothing is lost then."""
        async with self._writing:
            while True:
                presences = self._book.take_dirty(BATCH)
                intervals = [self._intervals.popleft() for _ in range(min(BATCH, len(self._intervals)))]
                batch = Batch(presences=presences, intervals=intervals, alive_at=self._clock.now())
                if not await self._failures.guard("recorder", self._store.save(batch)):
                    self._book.mark_dirty([presence.jid for presence in presences])
                    self._intervals.extendleft(reversed(intervals))
                    return False
                if len(presences) < BATCH and len(intervals) < BATCH:
                    return True

    async def history(self, jid: Jid, start: float, end: float) -> list[Interval]:
        """The intervals of a contact that touch [start, end), the newest included. Raises StoreUnavailable."""
        if not await self.flush():
            raise StoreUnavailable
        return await self._store.history(jid, start, end)

    async def histories(self, jids: Collection[Jid], start: float, end: float) -> list[Interval]:
        """The same for several contacts."""
        if not await self.flush():
            raise StoreUnavailable
        return await self._store.histories(jids, start, end)

    async def erase(self, jid: Jid) -> None:
        """Forget a contact's presence and past, in memory and in the store."""
        async with self._writing:  # a batch under way could bring the contact back
            self._open.forget(jid)
            self._intervals = deque(interval for interval in self._intervals if interval.jid != jid)
            await self._store.erase(jid)

    async def forget(self, before: float) -> int:
        """Delete the past before an instant."""
        return await self._store.forget(before)

# SPDX-License-Identifier: Apache-2.0
"""What callers did: noted at once, told to the sinks, and written in batches. No bodies, and numbers are masked."""

import asyncio
from collections import deque
from collections.abc import Callable

from wigwag.app.failures import Failures
from wigwag.app.ports import AuditStore, Clock
from wigwag.domain.access import AuditEntry, Caller, CallerActed
from wigwag.domain.events import Fact
from wigwag.domain.ids import mask
from wigwag.domain.texts import kept_text

MOST_WAITING = 10_000  # entries in memory while the database is away; beyond it the oldest go, and are counted
MOST_KEPT = 1_000_000  # entries in the database
BATCH = 500  # entries written at once
GATHER = 1.0  # seconds
FORGET_EVERY = 3600.0  # seconds
MOST_ASKED = 1000  # entries in one answer


class Audit:
    """The log of what was done. Args: retention: seconds."""

    def __init__(self, store: AuditStore, clock: Clock, announce: Callable[[Fact], None], retention: float) -> None:
        self._store, self._clock, self._announce, self._retention = store, clock, announce, retention
        self._waiting: deque[AuditEntry] = deque(maxlen=MOST_WAITING)
        self._noted = asyncio.Event()
        self._failures = Failures(clock, announce)
        self.dropped = 0

    def note(self, caller: Caller, action: str, target: str, status: int, address: str) -> None:
        """A caller did this just now."""
        entry = AuditEntry(
            at=self._clock.now(),
            caller=caller.id,
            name=caller.name,
            action=action,
            target=kept_text(mask(target)),
            status=status,
            address=address,
        )
        self.dropped += len(self._waiting) == MOST_WAITING
        self._waiting.append(entry)
        self._noted.set()
        self._announce(CallerActed(entry=entry, at=entry.at))

    async def entries(self, limit: int, before: int | None = None) -> list[AuditEntry]:
        """The newest first. Raises StoreUnavailable."""
        await self._write()
        return await self._store.entries(min(limit, MOST_ASKED), before)

    async def run(self) -> None:
        """Write and forget, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._save(), name="audit: save")
            tasks.create_task(self._forget(), name="audit: forget")

    async def flush(self) -> None:
        """Write what waits. While the store does not answer, it goes on waiting."""
        await self._failures.guard("audit", self._write())

    async def _save(self) -> None:
        while True:
            await self._clock.wait(self._noted, None)
            self._noted.clear()
            await self._clock.sleep(GATHER)
            await self.flush()

    async def _forget(self) -> None:
        while True:
            before = self._clock.now() - self._retention
            await self._failures.guard("audit", self._store.forget(before, MOST_KEPT))
            await self._clock.sleep(FORGET_EVERY)

    async def _write(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                await self._store.add(batch)
            except BaseException:
                room = MOST_WAITING - len(self._waiting)
                self.dropped += max(0, len(batch) - room)
                self._waiting.extendleft(reversed(batch[-room:] if room else []))
                self._noted.set()
                raise

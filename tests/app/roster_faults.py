# SPDX-License-Identifier: Apache-2.0
"""What can stand between a node and its world: a line that breaks, a stopped process, a database that is away."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from wigwag.adapters.memory.users import MemoryLastSeenStore
from wigwag.app.ports import Clock, Lease, Roster, Snapshot, Swap, Swapped, Tide
from wigwag.domain.errors import RosterUnavailable, StoreUnavailable
from wigwag.domain.roster import Change, Entry
from wigwag.domain.users import UserId, UserPresence

T = TypeVar("T")


class Line:
    """A node's way to the roster. It may be cut: then calls fail. Or the node is stopped: then nothing goes on."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self.cut = False
        self.going = asyncio.Event()
        self.going.set()
        self._snapped = asyncio.Event()

    def set_cut(self, cut: bool) -> None:
        self.cut = cut
        if cut:
            self._snapped.set()
            self._snapped = asyncio.Event()

    async def _through(self, call: Callable[[], Awaitable[T]]) -> T:
        await self.going.wait()
        if self.cut:
            raise RosterUnavailable
        asking, snapping = asyncio.ensure_future(call()), asyncio.ensure_future(self._snapped.wait())
        try:
            await asyncio.wait([asking, snapping], return_when=asyncio.FIRST_COMPLETED)
            await self.going.wait()
            if not asking.done():
                raise RosterUnavailable
            return asking.result()
        finally:
            for each in (asking, snapping):
                each.cancel()
            await asyncio.gather(asking, snapping, return_exceptions=True)

    async def join(self) -> Lease:
        return await self._through(self._roster.join)

    async def renew(self, lease: Lease) -> Tide:
        return await self._through(lambda: self._roster.renew(lease))

    async def swap(self, lease: Lease, swaps: Sequence[Swap]) -> list[Swapped]:
        return await self._through(lambda: self._roster.swap(lease, swaps))

    async def snapshot(self, lease: Lease) -> Snapshot:
        return await self._through(lambda: self._roster.snapshot(lease))

    async def changes(self, after: int) -> list[Change]:
        return await self._through(lambda: self._roster.changes(after))

    async def put_back(self, lease: Lease, entries: Collection[Entry]) -> None:
        return await self._through(lambda: self._roster.put_back(lease, entries))


class Watch:
    """The clock of a node: time passes while it is stopped, and it does not notice."""

    def __init__(self, clock: Clock, line: Line) -> None:
        self._clock, self._line = clock, line

    def now(self) -> float:
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        await self._line.going.wait()

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        await self._clock.wait(event, until)
        await self._line.going.wait()


class Store(MemoryLastSeenStore):
    """What was last seen, in a database that may be away."""

    away = False

    async def load(self, users: Collection[UserId]) -> list[UserPresence]:
        if self.away:
            raise StoreUnavailable
        return await super().load(users)

    async def save(self, presences: Sequence[UserPresence], alive_at: float) -> None:
        if self.away:
            raise StoreUnavailable
        await super().save(presences, alive_at)

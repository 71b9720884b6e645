# SPDX-License-Identifier: Apache-2.0
"""The roster in memory: the truth where there is one node, and the twin of the shared one in tests."""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from wigwag.app.ports import Clock, Lease, Roster, Snapshot, Swap, Swapped, Tide
from wigwag.domain.errors import Fenced, Missed, RosterLost
from wigwag.domain.roster import LEASE, RENEW, Change, Entry, owner
from wigwag.domain.users import UserId

KEPT = 20_000  # changes that a slow node may still ask for


class MemoryRoster:
    """The port Roster in memory. `lose` is what a server does that comes back empty."""

    def __init__(self, clock: Clock, kept: int = KEPT) -> None:
        self._clock, self._kept = clock, kept
        self._lives = self._seq = self._epoch = 0
        self._moved = asyncio.Event()
        self.lose()

    def lose(self) -> None:
        """Forget everything."""
        self._lives += 1
        self._seq = max(self._seq + KEPT, int(self._clock.now() * 1e6))  # ahead of all that was given before
        self._epoch = max(self._epoch, int(self._clock.now() * 1e3))
        self._until: dict[int, float] = {}
        self._ended: dict[int, float] = {}
        self._entries: dict[UserId, Entry] = {}
        self._relay: deque[Change] = deque(maxlen=self._kept)
        self._moved.set()
        self._moved = asyncio.Event()

    async def join(self) -> Lease:
        self._epoch += 1
        self._until[self._epoch] = self._clock.now() + LEASE
        return Lease(number=self._epoch, roster=str(self._lives))

    async def renew(self, lease: Lease) -> Tide:
        self._may(lease)
        now = self._clock.now()
        self._until[lease.number] = now + LEASE
        for number in [number for number, until in self._until.items() if until < now]:
            self._ended[number] = self._until.pop(number) - LEASE + RENEW
        return Tide(now=now, seq=self._seq, live=frozenset(self._until), ended=dict(self._ended))

    async def swap(self, lease: Lease, swaps: Sequence[Swap]) -> list[Swapped]:
        self._may(lease)
        return [self._swap(swap) for swap in swaps]

    async def snapshot(self, lease: Lease) -> Snapshot:
        self._is(lease)
        return Snapshot(seq=self._seq, entries=dict(self._entries))

    async def changes(self, after: int) -> list[Change]:
        while after >= self._seq:
            await self._moved.wait()
        wanted = self._seq - after  # they are numbered without a gap
        if wanted > len(self._relay):
            raise Missed
        return list(islice(reversed(self._relay), wanted))[::-1]

    async def put_back(self, lease: Lease, entries: Collection[Entry]) -> None:
        self._may(lease)
        for entry in entries:
            user = entry.presence.user
            there = self._entries.get(user)
            if there is None or there.seq < entry.seq:
                self._entries[user] = entry
                self._publish(user, entry)
            for number in {entry.by, *map(owner, entry.presence.devices)} - self._until.keys():
                self._ended.setdefault(number, self._clock.now())

    def _swap(self, swap: Swap) -> Swapped:
        there = self._entries.get(swap.user)
        if (0 if there is None else there.seq) != swap.expected:
            return Swapped(done=False, seq=self._seq, entry=there)
        entry = None if swap.entry is None else replace(swap.entry, seq=self._seq + 1)
        if entry is None:
            self._entries.pop(swap.user, None)
        else:
            self._entries[swap.user] = entry
        self._publish(swap.user, entry)
        return Swapped(done=True, seq=self._seq, entry=entry)

    def _publish(self, user: UserId, entry: Entry | None) -> None:
        self._seq += 1
        self._relay.append(Change(seq=self._seq, user=user, entry=entry))
        self._moved.set()
        self._moved = asyncio.Event()

    def _is(self, lease: Lease) -> None:
        if lease.roster != str(self._lives):
            raise RosterLost

    def _may(self, lease: Lease) -> None:
        self._is(lease)
        if lease.number not in self._until:
            raise Fenced


if TYPE_CHECKING:
    _: type[Roster] = MemoryRoster

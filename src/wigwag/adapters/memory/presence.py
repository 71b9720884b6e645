# SPDX-License-Identifier: Apache-2.0
"""Presence and its past in memory. It keeps the same promises as a database, except to outlive the process."""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from wigwag.adapters.memory.watches import MemoryWatchStore
from wigwag.app.ports import PresenceStore
from wigwag.domain.history import Batch, Interval, Kind
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence
from wigwag.domain.texts import kept_text


class MemoryPresenceStore:
    """The port PresenceStore in memory. It erases a person from the wishes beside it too."""

    def __init__(self, watches: MemoryWatchStore) -> None:
        self._watches = watches
        self._presences: dict[Jid, Presence] = {}
        self._intervals: dict[Jid, dict[tuple[float, Kind], Interval]] = {}
        self._alive_at = 0.0

    async def load(self) -> tuple[list[Presence], float]:
        for stretches in self._intervals.values():
            for key, stretch in stretches.items():
                if stretch.end is None:
                    stretches[key] = replace(stretch, end=max(stretch.start, self._alive_at))
        return list(self._presences.values()), self._alive_at

    async def save(self, batch: Batch) -> None:
        for presence in batch.presences:
            self._presences[presence.jid] = replace(presence, name=kept_text(presence.name))
        for stretch in batch.intervals:
            self._intervals.setdefault(stretch.jid, {})[stretch.start, stretch.kind] = stretch
        self._alive_at = batch.alive_at

    async def history(self, jid: Jid, start: float, end: float) -> list[Interval]:
        stretches = self._intervals.get(jid, {})
        return [stretches[key] for key in sorted(stretches) if _touches(stretches[key], start, end)]

    async def histories(self, jids: Collection[Jid], start: float, end: float) -> list[Interval]:
        return [interval for jid in jids for interval in await self.history(jid, start, end)]

    async def forget(self, before: float) -> int:
        forgotten = 0
        for jid, stretches in list(self._intervals.items()):
            kept = {key: stretch for key, stretch in stretches.items() if stretch.end is None or stretch.end >= before}
            forgotten += len(stretches) - len(kept)
            self._intervals[jid] = kept
            if not kept:
                del self._intervals[jid]
        return forgotten

    async def erase(self, jid: Jid) -> None:
        self._presences.pop(jid, None)
        self._intervals.pop(jid, None)
        self._watches.erase(jid)


def _touches(stretch: Interval, start: float, end: float) -> bool:
    """Whether an interval and [start, end) share an instant. An interval without length is one instant."""
    return start < end > stretch.start and (stretch.start >= start or stretch.end is None or stretch.end > start)


if TYPE_CHECKING:
    _: type[PresenceStore] = MemoryPresenceStore

# SPDX-License-Identifier: Apache-2.0
"""The log of events in memory. It keeps the same promises as a database, except to outlive the process."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wigwag.app.ports import EventLog
from wigwag.domain.ids import Jid
from wigwag.domain.outbox import Event
from wigwag.domain.texts import kept_text


class MemoryEventLog:
    """The port EventLog in memory."""

    def __init__(self) -> None:
        self._events: dict[int, Event] = {}
        self._positions: dict[str, int] = {}
        self._last = 0

    async def append(self, events: Sequence[Event]) -> None:
        self.write(events)

    async def after(self, position: int, limit: int) -> list[tuple[int, Event]]:
        return [(found, event) for found, event in self._events.items() if found > position][:limit]

    async def last(self) -> int:
        return self._last

    async def get(self, event_id: str) -> Event | None:
        return self._events.get(self._positions.get(event_id, 0))

    async def forget(self, before: float) -> int:
        return self._remove(lambda event: event.at < before)

    def write(self, events: Iterable[Event]) -> None:
        """Keep events that tell of something which is written at this moment."""
        for event in events:
            if event.id not in self._positions:
                self._last += 1
                self._positions[event.id] = self._last
                self._events[self._last] = _kept(event)

    def erase(self, jid: Jid) -> None:
        """Forget the events that name somebody."""
        self._remove(lambda event: f'"{jid}"' in json.dumps(event.data))

    def _remove(self, unwanted: Callable[[Event], bool]) -> int:
        gone = [position for position, event in self._events.items() if unwanted(event)]
        for position in gone:
            del self._positions[self._events.pop(position).id]
        return len(gone)


def _kept(event: Event) -> Event:
    """As it was when it was told: plain values, which nobody changes afterwards."""
    trace = None if event.trace is None else kept_text(event.trace)
    return replace(event, data=json.loads(json.dumps(event.data)), trace=trace)


if TYPE_CHECKING:
    _: type[EventLog] = MemoryEventLog

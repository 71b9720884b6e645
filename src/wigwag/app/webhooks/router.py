# SPDX-License-Identifier: Apache-2.0
"""Reads the event log from a cursor of its own, and queues a delivery for each endpoint that wants an event.

Deliveries and cursor are written together: after a crash, each event is queued once and none is left out.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from wigwag.app.ports import Clock, DeliveryStore, EventLog
from wigwag.app.webhooks.lane import Lane
from wigwag.domain.events import EventsDropped, Fact
from wigwag.domain.outbox import Event
from wigwag.domain.webhooks import BACKLOG, Delivery, Endpoint

PAGE = 500  # events read at once


class Router:
    """Where events are queued.

    Args:
        lanes: of all endpoints, by id.
    """

    def __init__(
        self,
        *,
        events: EventLog,
        store: DeliveryStore,
        lanes: Mapping[str, Lane],
        clock: Clock,
        announce: Callable[[Fact], None],
    ) -> None:
        self._events, self._store, self._lanes = events, store, lanes
        self._clock, self._announce = clock, announce
        self._cursor, self._routing = 0, asyncio.Lock()

    async def restore(self) -> None:
        self._cursor = await self._store.cursor()

    async def route(self) -> None:
        """Queue all that is new. Raises StoreUnavailable."""
        async with self._routing:
            await self._route()

    async def catch_up(self) -> None:
        """Put all that happened until now behind us, on disk: somebody begins to hear. Raises StoreUnavailable."""
        async with self._routing:
            await self._route()
            await self._store.queue([], self._cursor)

    async def _route(self) -> None:
        while any(lane.endpoint.enabled for lane in self._lanes.values()):
            found = await self._events.after(self._cursor, PAGE)
            if found:
                await self._queue(found)
            if len(found) < PAGE:
                return
        self._cursor = max(self._cursor, await self._events.last())  # nobody hears, so nothing need be read or written

    async def _queue(self, found: Sequence[tuple[int, Event]]) -> None:
        now = self._clock.now()
        queued: list[Delivery] = []
        dropped: Counter[str] = Counter()
        added: Counter[str] = Counter()
        for position, event in found:
            for lane in self._lanes.values():
                endpoint = lane.endpoint
                if not endpoint.enabled or not endpoint.wants(event):
                    continue
                if lane.waiting + added[endpoint.id] >= BACKLOG:
                    dropped[endpoint.id] += 1
                    continue
                added[endpoint.id] += 1
                queued.append(new_delivery(endpoint, position, event, now))
        cursor = found[-1][0]
        await self._store.queue(queued, cursor)
        self._cursor = cursor
        for endpoint_id, count in added.items():
            if (lane_of := self._lanes.get(endpoint_id)) is not None:
                lane_of.waiting += count
                lane_of.wake()
        for endpoint_id, count in dropped.items():
            self._announce(EventsDropped(endpoint=endpoint_id, count=count, at=now))


def new_delivery(endpoint: Endpoint, position: int, event: Event, now: float) -> Delivery:
    """A delivery to be tried now."""
    return Delivery(endpoint=endpoint.id, position=position, event=event.id, kind=event.kind, created=now, due=now)

# SPDX-License-Identifier: Apache-2.0
"""Endpoints and deliveries in memory. It keeps the same promises as a database, except to outlive the process."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wigwag.app.ports import DeliveryArchive, DeliveryFilter, DeliveryStore, EndpointStore, EventLog
from wigwag.domain.outbox import Event
from wigwag.domain.texts import kept_text
from wigwag.domain.webhooks import HOLDS, Delivery, Endpoint, State

PAGE = 1_000


class MemoryWebhookStore:
    """The ports EndpointStore, DeliveryStore and DeliveryArchive in memory, beside a log of events."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._endpoints: dict[str, Endpoint] = {}
        self._deliveries: dict[tuple[str, int], Delivery] = {}
        self._cursor = 0

    # --- EndpointStore

    async def endpoints(self) -> list[Endpoint]:
        return sorted(self._endpoints.values(), key=lambda one: (one.created, one.id))

    async def put_endpoint(self, endpoint: Endpoint) -> None:
        self._endpoints[endpoint.id] = replace(endpoint, description=kept_text(endpoint.description))

    async def remove_endpoint(self, endpoint_id: str) -> None:
        self._endpoints.pop(endpoint_id, None)
        self._deliveries = {key: one for key, one in self._deliveries.items() if one.endpoint != endpoint_id}

    # --- DeliveryStore

    async def cursor(self) -> int:
        return self._cursor

    async def queue(self, deliveries: Sequence[Delivery], cursor: int) -> None:
        for one in deliveries:
            self._deliveries.setdefault((one.endpoint, one.position), one)
        self._cursor = max(self._cursor, cursor)

    async def due(self, endpoint: Endpoint, now: float, limit: int, without: Collection[int] = ()) -> list[Delivery]:
        front = [one for one in await self._front(endpoint) if one.due <= now]
        if endpoint.ordered:
            return [one for one in front[:1] if one.position not in without]
        front = sorted((one for one in front if one.position not in without), key=lambda one: (one.due, one.position))
        return sorted(front[:limit], key=lambda one: one.position)

    async def next_due(self, endpoint: Endpoint, now: float) -> float | None:
        return min((one.due for one in await self._front(endpoint) if one.due > now), default=None)

    async def record(
        self, deliveries: Sequence[Delivery], endpoints: Sequence[Endpoint] = (), events: Sequence[Event] = ()
    ) -> None:
        if events:
            await self._log.append(events)
        for one in deliveries:
            if (one.endpoint, one.position) in self._deliveries:
                self._deliveries[one.endpoint, one.position] = one
        for endpoint in endpoints:
            if (kept := self._endpoints.get(endpoint.id)) is not None:
                self._endpoints[endpoint.id] = replace(
                    kept,
                    enabled=endpoint.enabled,
                    reason=endpoint.reason,
                    failures=endpoint.failures,
                    failing_since=endpoint.failing_since,
                    not_before=endpoint.not_before,
                )

    async def waiting(self) -> dict[str, int]:
        return dict(Counter(one.endpoint for one in await self._all() if one.state is State.PENDING))

    # --- DeliveryArchive

    async def delivery(self, endpoint_id: str, position: int) -> Delivery | None:
        found = await self.kept(endpoint_id, [position])
        return found[0] if found else None

    async def deliveries(self, wanted: DeliveryFilter, limit: int) -> list[Delivery]:
        found = [
            one
            for one in await self._all()
            if one.endpoint == wanted.endpoint
            and wanted.state in (None, one.state)
            and wanted.kind in (None, one.kind)
            and (wanted.before is None or one.position < wanted.before)
        ]
        return sorted(found, key=lambda one: -one.position)[:limit]

    async def kept(self, endpoint_id: str, positions: Collection[int]) -> list[Delivery]:
        return [one for one in await self._all() if one.endpoint == endpoint_id and one.position in positions]

    async def position_at(self, instant: float) -> int:
        position = 0
        while found := await self._log.after(position, PAGE):
            for place, event in found:
                if event.at >= instant:
                    return place - 1
            position = found[-1][0]
        return position

    async def forget_deliveries(self, before: float) -> int:
        old = [key for key, one in self._deliveries.items() if one.created < before]
        for key in old:
            del self._deliveries[key]
        return len(old)

    # --- inside

    async def _all(self) -> list[Delivery]:
        """All deliveries whose event is still there, in the order of events."""
        for key, one in list(self._deliveries.items()):
            if await self._log.get(one.event) is None:
                del self._deliveries[key]
        return [self._deliveries[key] for key in sorted(self._deliveries, key=lambda key: key[1])]

    async def _front(self, endpoint: Endpoint) -> list[Delivery]:
        """What may be tried once it is due."""
        pending = [one for one in await self._all() if one.endpoint == endpoint.id and one.state is State.PENDING]
        heads = [one for one in pending if one.attempts < HOLDS][:1]
        if not endpoint.ordered or not heads:
            return pending
        return [one for one in pending if one.position <= heads[0].position]


if TYPE_CHECKING:
    _endpoints: type[EndpointStore] = MemoryWebhookStore
    _deliveries: type[DeliveryStore] = MemoryWebhookStore
    _archive: type[DeliveryArchive] = MemoryWebhookStore

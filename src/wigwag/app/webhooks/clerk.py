# SPDX-License-Identifier: Apache-2.0
"""Writes down what came of attempts. While one page is written, the next one gathers: few transactions for many lanes.

An attempt counts only once it is on disk, so the clerk waits for a store that is away, and its lanes with it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, DeliveryStore
from wigwag.domain.outbox import Event
from wigwag.domain.webhooks import Delivery, Endpoint

STORE_AGAIN = 1.0  # seconds between attempts to write


@dataclass(slots=True)
class _Page:
    deliveries: list[Delivery] = field(default_factory=list)
    endpoints: dict[str, Callable[[], Endpoint]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    written: bool = False


class Clerk:
    """Writes for all lanes."""

    def __init__(self, store: DeliveryStore, clock: Clock, failures: Failures) -> None:
        self._store, self._clock, self._failures = store, clock, failures
        self._page, self._writing = _Page(), asyncio.Lock()

    async def write(
        self, delivery: Delivery, endpoint: tuple[str, Callable[[], Endpoint]] | None, events: Sequence[Event] = ()
    ) -> None:
        """Write a delivery down; it is on disk when this returns.

        Args:
            endpoint: the id of an endpoint whose health changed, and where to look when it comes to writing.
            events: what to tell of it.
        """
        page = self._page
        page.deliveries.append(delivery)
        page.events.extend(events)
        if endpoint is not None:
            page.endpoints[endpoint[0]] = endpoint[1]
        async with self._writing:
            if page is self._page:
                self._page = _Page()
            while not page.written:  # otherwise somebody else of this page wrote it
                page.written = await self._failures.guard("webhooks", self._record(page))
                if not page.written:
                    await self._clock.sleep(STORE_AGAIN)

    async def _record(self, page: _Page) -> None:
        endpoints = [look() for look in page.endpoints.values()]
        await self._store.record(page.deliveries, endpoints, page.events)

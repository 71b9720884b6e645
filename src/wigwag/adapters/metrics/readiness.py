# SPDX-License-Identifier: Apache-2.0
"""Which parts work, as /readyz would say: asked every few seconds, so that a scrape waits for nobody."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CollectorRegistry, Gauge

from wigwag.adapters.metrics import names
from wigwag.app.ports import Clock

ASK_EVERY = 10.0  # seconds
PATIENCE = 5.0  # seconds for all answers; who does not answer in time does not work

Ready = Callable[[], Awaitable[Mapping[str, bool]]]
"""Asks the parts; says of each whether it works."""


class Readiness:
    """The series of /readyz, in a registry of our own."""

    def __init__(self, registry: CollectorRegistry, ready: Ready) -> None:
        self._ready = ready
        self._parts = Gauge(names.READY.name, names.READY.help, names.READY.labels, registry=registry)
        self._known: set[str] = set()

    async def watch(self, clock: Clock) -> None:
        """Ask for ever."""
        while True:
            await self._ask()
            await clock.sleep(ASK_EVERY)

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                found = dict(await self._ready())
        except TimeoutError:
            found = dict.fromkeys(self._known, False)
        for gone in self._known - found.keys():
            self._parts.remove(gone)
        self._known = set(found)
        for part, works in found.items():
            self._parts.labels(part).set(works)

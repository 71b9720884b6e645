# SPDX-License-Identifier: Apache-2.0
"""Virtual time: it stands still until a test tells it to go on, so that no test sleeps or is judged by its speed."""

import asyncio
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from wigwag.app.ports import Clock

START = 1_800_000_000.0  # Unix seconds
TURNS = 10_000  # of the event loop; whoever is still busy after so many never rests


class FakeClock:
    """Time that stands still until it is told to go on."""

    def __init__(self, start: float = START) -> None:
        self._now = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = 0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        await self._at(self._now + seconds)

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        if event.is_set() or (until is not None and until <= self._now):
            return
        waits: set[asyncio.Future[Any]] = {asyncio.ensure_future(event.wait())}
        if until is not None:
            waits.add(asyncio.ensure_future(self._at(until)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def settle(self) -> None:
        """Let everything run that can run without more time."""
        loop = asyncio.get_running_loop()
        for _turn in range(TURNS):
            await asyncio.sleep(0)
            if not loop._ready:  # type: ignore[attr-defined]  # noqa: SLF001  there is no public way to ask
                break

    async def advance(self, seconds: float) -> None:
        """Let time go on; whoever sleeps wakes at its own instant, in order."""
        target = self._now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            instant, _order, sleeper = heappop(self._sleepers)
            if sleeper.done():
                continue
            self._now = max(self._now, instant)
            sleeper.set_result(None)
            await self.settle()
        self._now = target
        await self.settle()

    async def jump(self, seconds: float) -> None:
        """Let time pass as for a machine that was asleep: whoever was due in between wakes once, late."""
        self._now += seconds
        await self.advance(0.0)

    async def _at(self, instant: float) -> None:
        self._order += 1
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (instant, self._order, sleeper))
        await sleeper


if TYPE_CHECKING:
    _: type[Clock] = FakeClock

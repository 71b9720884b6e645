# SPDX-License-Identifier: Apache-2.0
"""Real time behind the port Clock. The only place that asks the machine what time it is.

The wall clock is right but may be set back; the monotonic clock never goes back but stands still while the machine is
suspended. Together they give a time that only goes forward and soon agrees with the wall.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from wigwag.app.ports import Clock

AHEAD = 1.0  # seconds by which the wall clock must be ahead before we jump to it
LOOK_AGAIN = 30.0  # seconds: timers stand still while the machine is suspended, so long waits are cut into short ones


class SystemClock:
    """Seconds since 1970, counted by the monotonic clock from an anchor on the wall clock.

    The anchor moves only when the wall clock is ahead (the machine was suspended, or its clock was put right); a wall
    clock that was set back is ignored until it has caught up.
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._offset = wall() - monotonic()

    def now(self) -> float:
        ticks, wall = self._monotonic(), self._wall()
        if wall - (ticks + self._offset) > AHEAD:
            self._offset = wall - ticks
        return ticks + self._offset

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        if until is None:
            await event.wait()
            return
        while not event.is_set() and (left := until - self.now()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, LOOK_AGAIN)):
                    await event.wait()


if TYPE_CHECKING:
    _: type[Clock] = SystemClock

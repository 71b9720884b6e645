# SPDX-License-Identifier: Apache-2.0
"""Failures that pass: a part that cannot do its work says so once, tries again, and says once that it works again."""

from collections.abc import Awaitable, Callable

from wigwag.app.ports import Clock
from wigwag.domain.errors import GatewayError
from wigwag.domain.events import Fact, PartFailed, PartRecovered


class Failures:
    """Which parts fail at the moment."""

    def __init__(self, clock: Clock, announce: Callable[[Fact], None]) -> None:
        self._clock, self._announce = clock, announce
        self._failing: set[str] = set()

    async def guard(self, part: str, work: Awaitable[object]) -> bool:
        """Do something that may fail without harm. True if it worked."""
        try:
            await work
        except GatewayError as error:
            self.failed(part, error)
            return False
        self.recovered(part)
        return True

    def failed(self, part: str, error: GatewayError) -> None:
        """A part does not work."""
        if part not in self._failing:
            self._announce(PartFailed(part=part, code=error.code, detail=str(error), at=self._clock.now()))
        self._failing.add(part)

    def recovered(self, part: str) -> None:
        """A part works, for all that is known."""
        if part in self._failing:
            self._announce(PartRecovered(part=part, at=self._clock.now()))
        self._failing.discard(part)

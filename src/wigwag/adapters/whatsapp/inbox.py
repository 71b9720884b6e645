# SPDX-License-Identifier: Apache-2.0
"""Where neonize's handlers drop what they heard: bounded, in order, and never waited for.

Under more load than the gateway can take, older presences of a contact give way to its newest one, and are counted.
What is said about links is never dropped, and stays in its place among the presences.
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Any, NamedTuple

LIMIT = 10_000  # reports that wait in full order


class Heard(NamedTuple):
    """A protobuf of neonize, who heard it and when. `whose` is set for what may give way to something newer."""

    account: str
    at: float
    message: Any
    whose: Hashable = None


class Inbox:
    """Filled by handlers on the event loop, emptied by one reader."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.dropped = 0  # presences that gave way to newer ones
        self._limit = limit
        self._waiting: deque[Heard] = deque()
        self._newest: dict[Hashable, Heard] = {}
        self._something = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._newest)

    def put(self, heard: Heard) -> None:
        if heard.whose is None:
            self._waiting.extend(self._newest.values())
            self._newest.clear()
            self._waiting.append(heard)
        elif self._newest or len(self._waiting) >= self._limit:
            self.dropped += heard.whose in self._newest
            self._newest.pop(heard.whose, None)
            self._newest[heard.whose] = heard
        else:
            self._waiting.append(heard)
        self._something.set()

    async def take(self) -> list[Heard]:
        """All that waits, in order; waits until there is something."""
        await self._something.wait()
        self._something.clear()
        taken = [*self._waiting, *self._newest.values()]
        self._waiting.clear()
        self._newest.clear()
        return taken

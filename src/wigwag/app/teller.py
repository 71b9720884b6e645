# SPDX-License-Identifier: Apache-2.0
"""Puts facts that the outside may want to hear of into the event log: presence, links, groups, calls.

What jobs and messages do is written to the log by those who write the jobs and messages, in one go.
"""

from collections import deque
from collections.abc import Callable

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, EventLog
from wigwag.domain.events import Fact
from wigwag.domain.outbox import Event, of_fact

FLUSH_EVERY = 0.5  # seconds
BATCH = 1_000
BACKLOG = 50_000  # events in memory while the store is away; beyond it the oldest are dropped and counted


class Teller:
    """A sink.

    Args:
        wanted: whether anybody wants to hear of a kind of event.
    """

    def __init__(
        self, log: EventLog, clock: Clock, announce: Callable[[Fact], None], wanted: Callable[[str], bool]
    ) -> None:
        self._log, self._clock, self._wanted = log, clock, wanted
        self._failures = Failures(clock, announce)
        self._events: deque[Event] = deque()
        self.dropped = 0  # events lost because the store was away for too long

    def tell(self, fact: Fact) -> None:
        event = of_fact(fact)
        if event is None or not self._wanted(event.kind):
            return
        self._events.append(event)
        if len(self._events) > BACKLOG:
            self._events.popleft()
            self.dropped += 1

    async def run(self) -> None:
        """Write for ever; the store may come and go."""
        while True:
            await self._clock.sleep(FLUSH_EVERY)
            await self.flush()

    async def flush(self) -> None:
        """Write all that waits, as long as the store takes it."""
        while self._events:
            batch = [self._events.popleft() for _ in range(min(BATCH, len(self._events)))]
            written = False
            try:
                written = await self._failures.guard("events", self._log.append(batch))
            finally:  # also when we are stopped in between: the last flush is yet to come
                if not written:
                    self._events.extendleft(reversed(batch))
            if not written:
                return

# SPDX-License-Identifier: Apache-2.0
"""Facts for the outside: written in order, once, as long as the store is away up to a bound, and to the last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from tests.app.mailing import ANA, Fronted, Weather
from wigwag.adapters.memory.events import MemoryEventLog
from wigwag.app.teller import BACKLOG, BATCH, FLUSH_EVERY, Teller
from wigwag.domain.events import CallReported, PartFailed, PartRecovered
from wigwag.testing import FakeClock, RecordingSink


@dataclass
class Desk:
    """A teller at work, and the log that it writes to."""

    wanted: Callable[[str], bool] = lambda kind: True  # noqa: ARG005
    clock: FakeClock = field(default_factory=FakeClock)
    log: MemoryEventLog = field(default_factory=MemoryEventLog)
    weather: Weather = field(default_factory=Weather)
    facts: RecordingSink = field(default_factory=RecordingSink)

    def __post_init__(self) -> None:
        log = cast(Any, Fronted(self.log, self.weather.gate))
        self.teller = Teller(log, self.clock, self.facts, self.wanted)

    def call(self, *numbers: int) -> None:
        for n in numbers:
            self.teller.tell(CallReported(account="default", caller=ANA, call_id=f"c{n}", at=self.clock.now()))

    async def calls(self) -> list[int]:
        return [int(event.data["call"][1:]) for _, event in await self.log.after(0, 2 * BACKLOG)]


@asynccontextmanager
async def at_work(desk: Desk) -> AsyncIterator[Desk]:
    task = asyncio.create_task(desk.teller.run(), name="teller")
    await desk.clock.settle()
    yield desk
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_facts_are_in_the_log_a_moment_later_in_their_order() -> None:
    async with at_work(Desk()) as desk:
        desk.call(*range(2 * BATCH + 3))
        assert await desk.calls() == []
        await desk.clock.advance(FLUSH_EVERY)
        assert await desk.calls() == list(range(2 * BATCH + 3))


async def test_what_nobody_wants_to_hear_is_not_written() -> None:
    async with at_work(Desk(wanted=lambda kind: kind == "presence.changed")) as desk:
        desk.call(1)
        await desk.clock.advance(FLUSH_EVERY)
        assert await desk.calls() == []


async def test_a_fact_that_is_no_event_is_not_written() -> None:
    async with at_work(Desk()) as desk:
        desk.teller.tell(PartRecovered(part="ledger", at=1.0))
        await desk.clock.advance(FLUSH_EVERY)
        assert await desk.log.last() == 0


async def test_while_the_store_is_away_the_newest_wait_and_the_oldest_are_counted_away() -> None:
    async with at_work(Desk()) as desk:
        desk.weather.away = True
        desk.call(*range(BACKLOG + 7))
        await desk.clock.advance(5.0)
        assert desk.teller.dropped == 7
        desk.weather.away = False
        await desk.clock.advance(FLUSH_EVERY)
        assert await desk.calls() == list(range(7, BACKLOG + 7))
        assert [fact.part for fact in desk.facts.of(PartFailed)] == ["events"]
        assert [fact.part for fact in desk.facts.of(PartRecovered)] == ["events"]


async def test_an_answer_that_was_lost_writes_nothing_twice() -> None:
    async with at_work(Desk()) as desk:
        desk.weather.cut = {("append", "after")}
        desk.call(1, 2)
        await desk.clock.advance(2.0)
        desk.weather.cut.clear()
        await desk.clock.advance(FLUSH_EVERY)
        assert await desk.calls() == [1, 2]


async def test_what_was_being_written_when_we_stopped_is_in_the_last_flush() -> None:
    async with at_work(Desk()) as desk:
        desk.weather.holds["append", "before"] = asyncio.Event()
        desk.call(1, 2)
        await desk.clock.advance(FLUSH_EVERY)
        desk.call(3)
    desk.weather.holds.clear()
    await desk.teller.flush()
    assert await desk.calls() == [1, 2, 3]

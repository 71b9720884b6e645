# SPDX-License-Identifier: Apache-2.0
"""Spans go out in batches; a collector that fails delays nobody, is told once, and costs what it did not take."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.desk import START, job
from wigwag.adapters.traces import Traces, open_traces
from wigwag.adapters.traces.exporter import BATCH, EVERY, WAITING
from wigwag.adapters.traces.spans import Span
from wigwag.domain.delivery import State, move, sent
from wigwag.domain.errors import InvalidSettings
from wigwag.domain.events import Fact, JobChanged, PartFailed, PartRecovered
from wigwag.testing import FakeClock

SENDING = move(job(trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), State.SENDING, START + 1)
TWO_SPANS = JobChanged(before=SENDING, after=sent(SENDING, "3EB0", START + 2), at=START)


class Bench:
    """Traces with a collector that takes what it is told to take."""

    def __init__(self) -> None:
        self.works, self.batches = True, list[int]()
        self.counted = asyncio.Event()
        self.facts, self.counts, self.clock = list[Fact](), Counter[str](), FakeClock()
        self.traces = Traces(self.collect, self.clock, self.facts.append, self.observe)

    def collect(self, batch: Sequence[Span]) -> bool:
        self.batches.append(len(batch))
        return self.works

    def observe(self, outcome: str, count: int) -> None:
        self.counts[outcome] += count
        self.counted.set()


async def pass_time(bench: Bench, batches: int) -> None:
    """Let exports come due, and wait for the threads that make them."""
    await bench.clock.advance(EVERY)
    async with asyncio.timeout(20):
        while len(bench.batches) < batches or sum(bench.counts.values()) < sum(bench.batches):
            bench.counted.clear()
            await bench.counted.wait()
    await bench.clock.settle()


async def test_what_waits_is_exported_every_few_seconds_and_at_the_end() -> None:
    bench = Bench()
    running = asyncio.create_task(bench.traces.run())
    await bench.clock.settle()
    for _ in range(BATCH // 2 + 1):
        bench.traces.sink(TWO_SPANS)
    await pass_time(bench, 2)
    assert bench.batches == [BATCH, 2]
    bench.traces.sink(TWO_SPANS)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert bench.batches == [BATCH, 2, 2]
    assert bench.counts == {"exported": BATCH + 4}


async def test_a_collector_that_fails_is_told_once_and_again_when_it_works() -> None:
    bench = Bench()
    running = asyncio.create_task(bench.traces.run())
    await bench.clock.settle()
    for works in (False, False, True):
        bench.works = works
        bench.traces.sink(TWO_SPANS)
        await pass_time(bench, len(bench.batches) + 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [type(fact) for fact in bench.facts] == [PartFailed, PartRecovered]
    assert bench.counts == {"failed": 4, "exported": 2}


async def test_of_too_many_spans_the_oldest_are_dropped_and_counted() -> None:
    bench = Bench()
    for _ in range(WAITING // 2 + 3):
        bench.traces.sink(TWO_SPANS)
    assert bench.counts == {"dropped": 6}


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(InvalidSettings, match=r"pip install 'wigwag\[traces\]'"):
        open_traces("http://127.0.0.1:4318", "1", FakeClock(), lambda _fact: None, lambda _outcome, _count: None)

# SPDX-License-Identifier: Apache-2.0
"""Whoever comes and goes shows what is so in the end, and reads anew only when it must."""

import asyncio
from contextlib import AsyncExitStack
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rest.conftest import ANNA, BERT
from tests.rest.following import Reader, following, put
from wigwag.adapters.rest import Stream
from wigwag.adapters.rest.stream.response import GATHER, HEARTBEAT
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Signal, Status
from wigwag.testing import Trial, build_trial

AWAY = 300  # seconds
SIZE = 20  # events kept, where no more are needed
STEPS = st.sampled_from([("come", 0), ("leave", 0), ("look_away", 0), ("look", 0), ("restart", 0), ("wait", 1)])
HAPPENINGS = st.tuples(st.just("happen"), st.integers(1, SIZE + 5))


class Viewer:
    """A page: it reads all at a reset and at a hello that resumes nothing, and else applies what comes.

    What comes must be the next event after the last one each time.
    """

    def __init__(self, size: int = SIZE) -> None:
        self.trial: Trial = build_trial()
        self.size, self.epochs = size, count()
        self.shown: dict[str, bool] = {}
        self.position, self.taken, self.resets = "", 0, 0
        self.reader: Reader | None = None
        self.connection = AsyncExitStack()
        for jid in (ANNA, BERT):
            put(self.trial, jid)
        self.stream = self._another()

    def _another(self) -> Stream:
        return Stream(self.trial.core.gateway, self.trial.clock, size=self.size, epoch=f"e{next(self.epochs)}")

    def truth(self) -> dict[str, bool]:
        return {jid: self.trial.core.gateway.presence(jid).status is Status.ONLINE for jid in (ANNA, BERT)}

    async def happen(self, times: int) -> None:
        """Contacts come and go."""
        now, book = self.trial.clock.now(), self.trial.core.book
        for turn in range(times):
            jid = Jid((ANNA, BERT)[turn % 3 == 0])
            signal = Signal.UNAVAILABLE if self.truth()[jid] else Signal.AVAILABLE
            self.stream.sink(book.report(jid, signal, now, account="default"))
        await self.trial.clock.settle()

    async def wait(self, seconds: float = 1) -> None:
        await self.trial.clock.advance(seconds)

    async def come(self, _times: int = 0) -> None:
        """Follow, from where it stopped. What it is told is what the ring can do."""
        if self.reader is not None:
            return
        epoch, _dash, number = self.position.rpartition("-")
        ring = self.stream.ring
        kept = ring.position(0) == f"{epoch}-0" and ring.last - int(number) <= self.size
        self.reader = await self.connection.enter_async_context(following(self.trial, self.stream, self.position))
        await self.wait(GATHER)
        kind, _id, data = self.reader.events()[0]
        assert (kind == "reset", data.get("resumed", False)) == (bool(self.position) and not kept, kept)
        self.take()

    async def leave(self, _times: int = 0) -> None:
        """The line breaks. What was written and not read is lost with it."""
        if self.reader is None:
            return
        self.take()
        await self.connection.aclose()
        self.reader, self.taken = None, 0

    async def look_away(self, _times: int = 0) -> None:
        if self.reader is not None:
            self.reader.reads.clear()

    async def look(self, _times: int = 0) -> None:
        if self.reader is not None:
            self.reader.reads.set()
            await self.wait(GATHER)
            self.take()

    async def restart(self, _times: int = 0) -> None:
        """The gateway ends, and another one begins."""
        if self.reader is not None:
            self.reader.reads.set()
        await self.stream.close()
        await self.leave()
        self.stream = self._another()

    def take(self) -> None:
        """Do what the events since last time say."""
        assert self.reader is not None
        events = self.reader.events()
        for kind, position, data in events[self.taken :]:
            if kind == "reset" or data.get("resumed") is False:
                self.shown = self.truth()
                self.resets += 1
            elif kind == "presence.changed":
                assert position == _after(self.position)
                self.shown[data["jid"]] = data["is_online"]
            self.position = position
        self.taken = len(events)


def _after(position: str) -> str:
    epoch, _dash, number = position.rpartition("-")
    return f"{epoch}-{int(number) + 1}"


@settings(max_examples=100, deadline=None)
@given(st.lists(HAPPENINGS | STEPS, min_size=8, max_size=30))
async def test_whatever_happened_in_between_the_page_is_right_in_the_end(steps: list[tuple[str, int]]) -> None:
    viewer = Viewer()
    async with asyncio.timeout(60):
        for step, times in [*steps, ("come", 0), ("look", 0), ("wait", HEARTBEAT + GATHER)]:
            await getattr(viewer, step)(times)
        viewer.take()
        await viewer.leave()
    assert viewer.shown == viewer.truth()


@pytest.mark.parametrize(("a_second", "resets"), [(1, 0), (66, 0), (67, 1)])
async def test_after_five_minutes_nothing_is_missing_or_all_is_read_anew(a_second: int, resets: int) -> None:
    """20,000 events are kept: a little over 66 a second."""
    viewer = Viewer(size=20_000)
    async with asyncio.timeout(60):
        await viewer.come()
        await viewer.happen(1)
        await viewer.wait(GATHER)
        await viewer.leave()
        began = viewer.resets
        for _second in range(AWAY):
            await viewer.happen(a_second)
            await viewer.wait(1)
        await viewer.come()
        await viewer.wait(HEARTBEAT)
        assert viewer.reader is not None
        numbers = [int(position.rpartition("-")[2]) for _kind, position, _data in viewer.reader.events()]
        viewer.take()
        await viewer.leave()
    assert viewer.resets - began == resets
    assert viewer.shown == viewer.truth()
    if not resets:
        assert numbers == list(range(1, 2 + AWAY * a_second))

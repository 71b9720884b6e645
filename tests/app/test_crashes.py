# SPDX-License-Identifier: Apache-2.0
"""Killed at every step of a message's way, and begun again: nothing is lost, nothing doubled, and doubt is visible."""

import asyncio
from collections import Counter
from copy import copy
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app.mailing import ANA, BEN, GROUP, Fronted, acquaint, draft
from wigwag.app.ports import JobFilter
from wigwag.domain.contents import Text
from wigwag.domain.delivery import ARRIVED, Job, Mark, Receipt, State
from wigwag.domain.errors import Unconfirmed
from wigwag.domain.events import ReceiptReported
from wigwag.testing import FakeClock, FakeWhatsApp, MemoryStores, Point, Trial, build_trial, running

WISHES = [(ANA, "ana 1"), (BEN, "ben 1"), (ANA, "ana 2"), (GROUP, "group 1"), (BEN, "ben 2")]
UNDER_WAY = 8.0  # seconds of each life


class Life:
    """One life of a gateway. From the given step on it is dead: nothing that it does has any effect.

    A step is the moment before or after a call to a store, or a point of a call to WhatsApp.
    """

    def __init__(self, last: int | None = None) -> None:
        self._last, self._buried = last, asyncio.Event()
        self.steps: list[str] = []

    async def step(self, name: str, when: str = "") -> None:
        if not self.dead:
            self.steps.append(f"{name} {when}")
        if self.dead:
            await self._buried.wait()
            raise asyncio.CancelledError

    @property
    def dead(self) -> bool:
        return self._last is not None and len(self.steps) >= self._last

    def bury(self) -> None:
        """The process is gone: what hung in its calls is no more."""
        self._last = 0
        self._buried.set()


class World:
    """What outlives a gateway: its stores, WhatsApp, and the clients that send again what was not acknowledged."""

    def __init__(self) -> None:
        self.clock, self.stores = FakeClock(), MemoryStores()
        self.whatsapp = FakeWhatsApp(self.clock)

    async def live(self, life: Life, *, resend: bool = False) -> Trial:
        """A life from start to end: link up, the clients send all that they want sent, and half a minute goes by."""
        old = self.whatsapp
        self.whatsapp = FakeWhatsApp(self.clock, sent=old.sent, traces=old.traces)
        self.whatsapp.hooks = {point: self._hook(life, point) for point in Point}
        stores = copy(self.stores)
        for name in ("ledger", "archive", "messages", "events"):
            setattr(stores, name, Fronted(getattr(stores, name), life.step))
        trial = build_trial(clock=self.clock, whatsapp=self.whatsapp, stores=stores, resend=resend)
        task = asyncio.create_task(self._work(trial), name="life")
        await self.clock.advance(UNDER_WAY)
        life.bury()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return build_trial(clock=self.clock, whatsapp=self.whatsapp, stores=self.stores)

    async def _work(self, trial: Trial) -> None:
        async with running(trial):
            await trial.connect()
            for number, (to, text) in enumerate(WISHES):
                await trial.core.gateway.messages.send(draft(to, text, key=f"key {number}"))
            await asyncio.Event().wait()

    def _hook(self, life: Life, point: Point) -> Any:
        async def hook(of: Job | None) -> None:
            await life.step(point.value)

        return hook


async def jobs_of(world: World) -> dict[str, Job]:
    found = await world.stores.archive.find(JobFilter(), 100)
    return {cast(Text, one.content).text: one for one in found}


async def judge(world: World, *, unconfirmed: int) -> None:
    """All is sent once, or known as unconfirmed; then receipts settle what had arrived."""
    jobs = await jobs_of(world)
    left = Counter(cast(Text, one.job.content).text for one in world.whatsapp.sent)
    assert jobs.keys() == {text for _, text in WISHES}, "lost before it was accepted, or accepted twice"
    assert max(left.values()) == 1, "doubled"
    doubtful = {text for text, one in jobs.items() if one.state is State.UNCONFIRMED}
    assert len(doubtful) <= unconfirmed
    for text, one in jobs.items():
        assert one.state in ARRIVED | {State.UNCONFIRMED}
        assert text in doubtful or left[text] == 1, "lost"
        assert text not in doubtful or one.message_id in world.whatsapp.traces.values()
    for to in {to for to, _ in WISHES}:
        wanted = [text for wish, text in WISHES if wish == to and left[text]]
        assert [text for text in texts_of(world) if text in wanted] == wanted, "out of order"
    told = [(event.kind, event.data["job"]) for _, event in await world.stores.events.after(0, 1000)]
    assert len(set(told)) == len(told), "told twice"
    assert {("message.unconfirmed" if text in doubtful else "message.sent", jobs[text].id) for text in jobs} <= set(
        told
    )


async def judge_receipts(world: World) -> None:
    """What arrived is known to have arrived once its receipt comes, and what nobody knows stays unconfirmed."""
    trial = build_trial(clock=world.clock, stores=world.stores)
    async with running(trial):
        for one in world.whatsapp.sent:
            receipt = Receipt(
                account="default",
                chat=one.to,
                reader=one.to,
                message_ids=(one.id,),
                mark=Mark.DELIVERED,
                at=world.clock.now(),
            )
            trial.whatsapp.tell(ReceiptReported(receipt=receipt, at=world.clock.now()))
        await world.clock.advance(5.0)
    left = set(texts_of(world))
    for text, known in (await jobs_of(world)).items():
        assert known.state is (State.DELIVERED if text in left else State.UNCONFIRMED)


def texts_of(world: World) -> list[str]:
    return [cast(Text, one.job.content).text for one in world.whatsapp.sent]


async def steps_of_a_whole_life() -> list[str]:
    world, life = World(), Life()
    await acquaint(world.stores, ANA)
    await world.live(life)
    await judge(world, unconfirmed=0)
    return life.steps


async def test_a_life_passes_every_step_of_the_way() -> None:
    """So that the tests below kill everywhere: at each call before it has an effect, and after it before its answer."""
    steps = set(await steps_of_a_whole_life())
    stores = {
        f"{name} {when}" for name in ("accept", "due", "advance", "known", "keep") for when in ("before", "after")
    }
    points = {Point.LOOK_UP, Point.COMPOSE, Point.SEND, Point.TRACED, Point.LEFT}
    assert stores | {f"{point.value} " for point in points} <= steps


@pytest.mark.slow
async def test_killed_at_any_step_nothing_is_lost_or_doubled() -> None:
    """At most the message that was being sent, with its bytes on their way, is in doubt; receipts settle it."""
    doubts = Counter[str]()
    for last, step in enumerate(await steps_of_a_whole_life(), start=1):
        world = World()
        await acquaint(world.stores, ANA)
        await world.live(Life(last))
        before = len([one for one in (await jobs_of(world)).values() if one.state is State.SENDING])
        await world.live(Life())
        await judge(world, unconfirmed=before)
        doubts[step] += [one.state for one in (await jobs_of(world)).values()].count(State.UNCONFIRMED)
        await judge_receipts(world)
    assert doubts[f"{Point.TRACED.value} "] >= 1
    assert doubts[f"{Point.LEFT.value} "] >= 1


@pytest.mark.slow
@settings(max_examples=40)
@given(st.integers(1, 90), st.integers(1, 60))
async def test_killed_again_while_it_recovers_nothing_is_lost_or_doubled(first: int, second: int) -> None:
    world = World()
    await acquaint(world.stores, ANA)
    await world.live(Life(first))
    await world.live(Life(second))
    await world.live(Life())
    await judge(world, unconfirmed=len(WISHES))
    await judge_receipts(world)


@pytest.mark.parametrize(
    ("point", "resend", "state", "departures"),
    [
        (Point.SEND, False, State.SENT, 1),  # the trace says that it never left
        (Point.TRACED, False, State.UNCONFIRMED, 0),
        (Point.LEFT, False, State.UNCONFIRMED, 1),
        (Point.SEND, True, State.SENT, 1),
        (Point.TRACED, True, State.SENT, 1),
        (Point.LEFT, True, State.SENT, 2),  # the price of that policy
    ],
)
async def test_what_was_being_sent_when_we_died(point: Point, resend: bool, state: State, departures: int) -> None:
    world = World()
    steps = await steps_of_a_whole_life()
    life = Life(1 + steps.index(f"{point.value} "))
    await acquaint(world.stores, ANA)
    await world.live(life)
    [dying] = [text for text, one in (await jobs_of(world)).items() if one.state is State.SENDING]
    await world.live(Life(), resend=resend)
    assert (await jobs_of(world))[dying].state is state
    assert texts_of(world).count(dying) == departures
    assert set(texts_of(world)) | {dying} == {text for _, text in WISHES}


async def test_what_cannot_be_traced_is_in_doubt() -> None:
    """The library's own file is gone, or cannot be read."""
    world = World()
    steps = await steps_of_a_whole_life()
    await acquaint(world.stores, ANA)
    await world.live(Life(1 + steps.index("send ")))
    await doubt_all(world)
    states = Counter(one.state for one in (await jobs_of(world)).values())
    assert states[State.UNCONFIRMED] == 1
    assert states[State.SENDING] == 0


async def doubt_all(world: World) -> None:
    async def nobody_knows(_job: Job | None) -> None:
        raise Unconfirmed

    trial = build_trial(clock=world.clock, stores=world.stores)
    trial.whatsapp.hooks[Point.TRACE] = nobody_knows
    await trial.core.restore()

# SPDX-License-Identifier: Apache-2.0
"""A link or a store that goes away at any moment, a message that is taken back, and an orderly end."""

import asyncio

import pytest

from tests.app.mailing import BEN, Weather, job, send, states, texts
from wigwag.domain.account import LinkSignal
from wigwag.domain.delivery import Job, State
from wigwag.domain.errors import (
    Conflict,
    GatewayError,
    NotLinked,
    Refused,
    Unavailable,
    Unconfirmed,
)
from wigwag.domain.events import JobChanged, PartFailed, PartRecovered
from wigwag.testing import (
    Hold,
    MemoryStores,
    Point,
    build_trial,
    failing,
    running,
)

SENT, FAILED, ACCEPTED, UNCONFIRMED = State.SENT, State.FAILED, State.ACCEPTED, State.UNCONFIRMED


# --- link


async def test_nothing_is_sent_without_a_link_and_all_when_it_is_there() -> None:
    async with running(build_trial()) as trial:
        await send(trial)
        await trial.clock.advance(600.0)
        assert trial.whatsapp.sent == []
        await trial.connect()
        assert texts(trial) == ["hello"]
        trial.whatsapp.tell_link(LinkSignal.DOWN)
        await trial.clock.settle()
        await send(trial, text="again")
        await trial.clock.settle()
        assert texts(trial) == ["hello"]
        trial.whatsapp.tell_link(LinkSignal.UP)
        await trial.clock.settle()
        assert texts(trial) == ["hello", "again"]


async def test_a_link_that_is_gone_before_we_are_told_costs_no_attempt_and_little_work() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        tried: list[float] = []

        async def no_link(_job: Job | None) -> None:
            tried.append(trial.clock.now())
            raise NotLinked

        trial.whatsapp.hooks[Point.SEND] = no_link
        one = await send(trial)
        await trial.clock.advance(60.0)
        assert 2 <= len(tried) <= 61
        trial.whatsapp.hooks.clear()
        await trial.clock.advance(1.0)
        after = await job(trial, one)
        assert (after.state, after.attempts) == (SENT, 0)


# --- a store that is away


async def test_nothing_is_sent_that_cannot_be_claimed() -> None:
    stores, weather = MemoryStores(), Weather()
    weather.over(stores)
    async with running(build_trial(stores=stores)) as trial:
        await trial.connect()
        one = await send(trial)
        weather.cut = {("advance", "before")}
        await trial.clock.advance(30.0)
        assert trial.whatsapp.sent == []
        weather.cut.clear()
        await trial.clock.advance(5.0)
        after = await job(trial, one)
        assert (after.state, after.attempts, texts(trial)) == (SENT, 0, ["hello"])
        assert [fact.part for fact in trial.facts.of(PartFailed)] == ["ledger"]
        assert [fact.part for fact in trial.facts.of(PartRecovered)] == ["ledger"]


async def test_a_claim_that_was_written_without_an_answer_is_taken_back() -> None:
    stores, weather = MemoryStores(), Weather()
    weather.over(stores)
    async with running(build_trial(stores=stores)) as trial:
        await trial.connect()
        weather.cut = {("advance", "after")}
        first, second = await send(trial, text="1"), await send(trial, text="2")
        await trial.clock.settle()
        weather.cut.clear()
        await trial.clock.advance(10.0)
        assert await states(trial, first, second) == [SENT, SENT]
        assert texts(trial) == ["1", "2"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("error", "state"),
    [(None, SENT), (Unconfirmed(), UNCONFIRMED), (Refused(), FAILED), (Unavailable(), ACCEPTED)],
)
async def test_what_whatsapp_said_is_written_down_when_the_store_is_back(
    when: str, error: GatewayError | None, state: State
) -> None:
    """However long that takes; also if the store had written it down before it went away. It is told once."""
    stores, weather = MemoryStores(), Weather()
    weather.over(stores)
    async with running(build_trial(stores=stores)) as trial:
        await trial.connect()
        hold, fail = Hold(), failing(error)

        async def answer(of: Job | None) -> None:
            await hold(of)
            await fail(of)

        trial.whatsapp.hooks[Point.LEFT if state in (SENT, UNCONFIRMED) else Point.SEND] = answer
        one = await send(trial)
        await trial.clock.settle()
        weather.cut = {("advance", when)}
        hold.release()
        await trial.clock.advance(60.0)
        weather.cut.clear()
        await trial.clock.advance(1.0)
        assert [fact.after.state for fact in trial.facts.of(JobChanged)].count(state) == (2 if state is ACCEPTED else 1)
        await trial.clock.advance(10.0)
        assert len(trial.whatsapp.sent) == 1 - (state is FAILED)
        assert await states(trial, one) == [SENT if state is ACCEPTED else state]


async def test_the_ledger_is_read_again_when_it_is_back() -> None:
    stores, weather = MemoryStores(), Weather()
    weather.over(stores)
    async with running(build_trial(stores=stores)) as trial:
        await trial.connect()
        weather.cut = {("due", "before"), ("known", "before")}
        await send(trial)
        await trial.clock.advance(5.0)
        assert trial.whatsapp.sent == []
        weather.cut.clear()
        await trial.clock.advance(1.0)
        assert texts(trial) == ["hello"]


# --- cancelling, stopping


@pytest.mark.parametrize("point", [Point.LOOK_UP, Point.COMPOSE])
@pytest.mark.parametrize("error", [None, Unavailable(), Refused()])
async def test_what_is_cancelled_before_it_is_claimed_is_not_sent_and_stays_cancelled(
    point: Point, error: GatewayError | None
) -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        hold, fail = Hold(), failing(error)

        async def held(of: Job | None) -> None:
            await hold(of)
            await fail(of)

        trial.whatsapp.hooks[point] = held
        one, behind = await send(trial, text="1"), await send(trial, text="2")
        await trial.clock.settle()
        await trial.core.gateway.messages.cancel(one.id)
        hold.release()
        await trial.clock.advance(10.0)
        assert await states(trial, one, behind) == [State.CANCELLED, SENT]
        assert texts(trial) == ["2"]
        told = [fact.after.state for fact in trial.facts.of(JobChanged) if fact.after.id == one.id]
        assert told == [ACCEPTED, State.CANCELLED]


async def test_what_is_being_sent_can_be_neither_cancelled_nor_tried_again() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[Point.LEFT] = hold = Hold()
        one = await send(trial)
        await trial.clock.settle()
        for call in (trial.core.gateway.messages.cancel, trial.core.gateway.messages.retry):
            with pytest.raises(Conflict):
                await call(one.id)
        hold.release()
        await trial.clock.advance(10.0)
        assert texts(trial) == ["hello"]


async def test_before_we_stop_what_is_under_way_comes_to_its_end_and_nothing_begins() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[Point.LEFT] = hold = Hold()
        one, behind = await send(trial, text="1"), await send(trial, text="2")
        await trial.clock.settle()
        draining = asyncio.create_task(trial.core.drain(), name="drain")
        other = await send(trial, BEN, text="3")
        await trial.clock.advance(1.0)
        assert not draining.done()
        hold.release()
        await draining
        assert await states(trial, one, behind, other) == [SENT, ACCEPTED, ACCEPTED]
        assert texts(trial) == ["1"]


async def test_with_nothing_under_way_we_stop_at_once() -> None:
    async with running(build_trial()) as trial:
        await trial.core.drain()
        await trial.core.finish()

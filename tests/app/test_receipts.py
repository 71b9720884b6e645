# SPDX-License-Identifier: Apache-2.0
"""Receipts meet jobs: early, late, many, unknown, and while the store is away."""

import asyncio
from random import Random

import pytest

from tests.app.mailing import ANA, BEN, EVA, GROUP, Weather, events, job, send, states
from wigwag.app.receipts import BATCH, EARLY
from wigwag.domain.delivery import Job, Mark, Receipt, State
from wigwag.domain.events import JobChanged, PartFailed, PartRecovered, ReceiptReported
from wigwag.domain.ids import Jid
from wigwag.testing import START, Hold, MemoryStores, Point, Trial, build_trial, running


def tell(
    trial: Trial, *message_ids: str, mark: Mark = Mark.DELIVERED, reader: Jid = ANA, chat: Jid = ANA, at: float = 9.0
) -> None:
    receipt = Receipt(account="default", chat=chat, reader=reader, message_ids=message_ids, mark=mark, at=START + at)
    trial.whatsapp.tell(ReceiptReported(receipt=receipt, at=START + at))


async def sent(trial: Trial, to: str = ANA, count: int = 1) -> list[Job]:
    await trial.connect()
    jobs = [await send(trial, to, f"{n}") for n in range(count)]
    await trial.clock.advance(1.0)
    return [await job(trial, one) for one in jobs]


def name(one: Job) -> str:
    assert one.message_id is not None
    return one.message_id


async def test_receipts_move_a_job_to_its_end_and_are_told_in_order() -> None:
    async with running(build_trial()) as trial:
        [one] = await sent(trial)
        for mark in (Mark.DELIVERED, Mark.READ, Mark.PLAYED):
            tell(trial, name(one), mark=mark)
            await trial.clock.settle()
        assert await states(trial, one) == [State.PLAYED]
        assert await events(trial) == ["message.sent", "message.delivered", "message.read", "message.played"]
        told = [fact.after.state for fact in trial.facts.of(JobChanged)][-3:]
        assert told == [State.DELIVERED, State.READ, State.PLAYED]


async def test_a_receipt_that_comes_again_changes_nothing_and_is_told_once() -> None:
    async with running(build_trial()) as trial:
        [one] = await sent(trial)
        for _ in range(3):
            tell(trial, name(one), mark=Mark.READ)
            tell(trial, name(one))
        await trial.clock.settle()
        after = await job(trial, one)
        assert (after.state, after.delivered_at, after.read_at) == (State.READ, START + 9.0, START + 9.0)
        assert await events(trial) == ["message.sent", "message.read"]
        assert len(await trial.core.gateway.messages.receipts(one.id)) == 2


@pytest.mark.parametrize("point", [Point.TRACED, Point.LEFT])
async def test_a_receipt_that_is_here_before_the_answer_to_the_send_waits_for_it(point: Point) -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[point] = hold = Hold()
        one = await send(trial)
        await trial.clock.settle()
        [message_id] = trial.whatsapp.traces.values()
        tell(trial, message_id)
        await trial.clock.advance(1.0)
        assert await states(trial, one) == [State.SENDING]
        hold.release()
        await trial.clock.settle()
        assert await states(trial, one) == [State.DELIVERED]


async def test_a_receipt_is_not_lost_between_the_look_for_its_job_and_the_record_of_it() -> None:
    """We looked before the job was written down as sent, and the answer is here after it was."""
    stores, weather = MemoryStores(), Weather()
    weather.over(stores)
    async with running(build_trial(stores=stores)) as trial:
        await trial.connect()
        trial.whatsapp.hooks[Point.LEFT] = hold = Hold()
        one = await send(trial)
        await trial.clock.settle()
        weather.holds["by_message", "after"] = answer = asyncio.Event()
        tell(trial, trial.whatsapp.sent[0].id)
        await trial.clock.settle()
        hold.release()
        await trial.clock.settle()
        answer.set()
        await trial.clock.settle()
        assert await states(trial, one) == [State.DELIVERED]


async def test_receipts_of_messages_that_are_not_ours_are_of_no_interest() -> None:
    async with running(build_trial()) as trial:
        [one] = await sent(trial)
        for n in range(3 * EARLY):
            tell(trial, f"not ours {n}")
        tell(trial, "not ours", name(one), "nor this")
        await trial.clock.settle()
        assert await states(trial, one) == [State.DELIVERED]
        assert trial.facts.of(PartFailed) == []


async def test_one_receipt_may_name_many_messages_and_many_come_at_once() -> None:
    async with running(build_trial()) as trial:
        jobs = await sent(trial, count=2 * BATCH + 10)
        tell(trial, *(name(one) for one in jobs))
        for one in jobs[::2]:
            tell(trial, name(one), mark=Mark.READ)
        await trial.clock.advance(1.0)
        after = await states(trial, *jobs)
        assert after[::2] == [State.READ] * (BATCH + 5)
        assert after[1::2] == [State.DELIVERED] * (BATCH + 5)


async def test_of_a_group_every_member_s_receipt_is_kept() -> None:
    async with running(build_trial()) as trial:
        [one] = await sent(trial, GROUP)
        for n, reader in enumerate((ANA, BEN, EVA)):
            tell(trial, name(one), chat=GROUP, reader=reader, at=30.0 - n)
        tell(trial, name(one), mark=Mark.READ, chat=GROUP, reader=BEN, at=40.0)
        await trial.clock.settle()
        after = await job(trial, one)
        assert (after.state, after.delivered_at, after.read_at) == (State.READ, START + 28.0, START + 40.0)
        kept = await trial.core.gateway.messages.receipts(one.id)
        assert [(receipt.reader, receipt.mark) for receipt in kept] == [
            (EVA, Mark.DELIVERED),
            (BEN, Mark.DELIVERED),
            (ANA, Mark.DELIVERED),
            (BEN, Mark.READ),
        ]


@pytest.mark.parametrize("call", ["by_message", "advance", "keep_receipts"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_receipts_wait_for_the_store_and_are_told_once(call: str, when: str) -> None:
    stores, weather = MemoryStores(), Weather()
    weather.over(stores)
    async with running(build_trial(stores=stores)) as trial:
        [one] = await sent(trial)
        weather.cut = {(call, when)}
        tell(trial, name(one))
        await trial.clock.advance(10.0)
        weather.cut.clear()
        tell(trial, name(one), mark=Mark.READ)
        await trial.clock.advance(2.0)
        assert await states(trial, one) == [State.READ]
        assert await events(trial) == ["message.sent", "message.delivered", "message.read"]
        assert len(await trial.core.gateway.messages.receipts(one.id)) == 2
        assert [fact.part for fact in trial.facts.of(PartFailed)] == ["receipts"]
        assert [fact.part for fact in trial.facts.of(PartRecovered)] == ["receipts"]


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_the_order_of_receipts_they_come_to_the_same(seed: int) -> None:
    async with running(build_trial()) as trial:
        jobs = await sent(trial, count=10)
        all_of_them = [(one, mark, at) for one in jobs for at, mark in ((2.0, Mark.DELIVERED), (3.0, Mark.READ))]
        Random(seed).shuffle(all_of_them)
        for one, mark, at in all_of_them:
            tell(trial, name(one), mark=mark, at=at)
            await trial.clock.settle()
        for one in jobs:
            after = await job(trial, one)
            assert (after.state, after.delivered_at, after.read_at) == (State.READ, START + 2.0, START + 3.0)

# SPDX-License-Identifier: Apache-2.0
"""Messages over restarts, cuts and absences; each test has a gateway of its own, one after the other."""

from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.stage import PushedClock, staged
from tests.acceptance.talk import Talk
from wigwag.domain.contents import Reaction
from wigwag.domain.delivery import State
from wigwag.domain.events import AccountChanged, MediaProcessed
from wigwag.domain.ids import contact_jid
from wigwag.simulator import Content, ReceiptPolicy, Simulator
from wigwag.simulator.wire import Node

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.chaos, pytest.mark.slow]

PEOPLE = [f"1555070{number:04d}" for number in range(40)]
ANA, BEN = PEOPLE[0], PEOPLE[1]


@pytest_asyncio.fixture(loop_scope="session", scope="module", autouse=True)
async def people(simulator: Simulator) -> None:
    """Every second one is addressed by LID."""
    for place, number in enumerate(PEOPLE):
        simulator.put_contact(number, addressed_by_lid=place % 2 == 1)


async def test_error_463_makes_strangers_wait_for_a_day_and_nobody_else(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    warm, cold, other = PEOPLE[20:23]
    async with staged(simulator, clock, tmp_path) as stage:
        await stage.pair(phone)
        talk = Talk(stage=stage, phone=phone)
        await talk.sent(warm, "we know each other")
        await simulator.inject("error_463", phone, count=1)
        first = await talk.send(cold, "hello stranger")
        await stage.until(lambda: talk.states(first)[-1:] == [State.ACCEPTED] and len(talk.states(first)) > 1)
        second = await talk.send(other, "hello other stranger")
        await talk.sent(warm, "and still do")
        assert [talk.read(number) for number in (cold, other)] == [[], []]
    async with staged(simulator, clock, tmp_path) as stage:
        await stage.until(lambda: stage.core.gateway.account("default").connected)
        talk = Talk(stage=stage, phone=phone)
        third = await talk.send(PEOPLE[23], "hello again")
        await talk.sent(warm, "after a restart too")
        assert [(await talk.job(job)).code for job in (first, second)] == ["restricted", "restricted"]
        assert [(await talk.job(job)).state for job in (first, second, third)] == [State.ACCEPTED] * 3
        clock.push(24 * 3600.0 + 1)
        for job in (first, second, third):
            await talk.until(job, State.READ)
        assert [len(talk.read(number)) for number in (cold, other, PEOPLE[23])] == [1, 1, 1]


async def test_a_link_that_is_cut_in_the_middle_loses_and_doubles_nothing(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    async with staged(simulator, clock, tmp_path) as stage:
        await stage.pair(phone)
        talk = Talk(stage=stage, phone=phone)
        await simulator.inject("delay_acks", phone, delay=0.05)
        jobs = [await talk.send(PEOPLE[24 + place % 5], str(place)) for place in range(50)]
        account = stage.core.gateway.account
        for cuts in (1, 2, 3):
            await stage.until(lambda cuts=cuts: len(simulator_read(talk)) >= 12 * cuts)  # type: ignore[misc]
            await simulator.cut(phone)
            await stage.until(lambda cuts=cuts: account("default").reconnects == cuts)  # type: ignore[misc]
            await stage.until(lambda: account("default").connected)
        for job in jobs:
            await talk.until(job, State.READ)
        for place in range(5):
            assert [line.text for line in talk.read(PEOPLE[24 + place])] == [str(n) for n in range(place, 50, 5)]
        assert len(stage.facts.of(AccountChanged)) < 50
        claims = sum(talk.states(job).count(State.SENDING) for job in jobs)
        assert claims < 2 * len(jobs), "it tried in vain again and again"


async def test_a_link_that_is_taken_away_in_the_middle_of_a_send_leaves_no_job_behind(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    number = PEOPLE[30]
    async with staged(simulator, clock, tmp_path) as stage:
        await stage.pair(phone)
        talk = Talk(stage=stage, phone=phone)
        simulator.set_receipts(ReceiptPolicy(hold=True), number)
        await simulator.inject("drop_acks", phone, count=1)
        job = await talk.send(number, "in the middle")
        await stage.until(lambda: talk.read(number))
        await stage.core.gateway.disconnect("default")
        await talk.until(job, State.UNCONFIRMED)
        await stage.core.gateway.connect("default")
        await talk.sent(PEOPLE[31], "others go on")
        await simulator.release_receipts(number)
        await talk.until(job, State.READ)
        assert [line.text for line in talk.read(number)] == ["in the middle"]
        simulator.unset_receipts(number)


def simulator_read(talk: Talk) -> list[str]:
    return [line.id for line in talk.stage.simulator.journal.inbox if line.account == talk.phone]


async def test_media_are_downloaded_at_once_where_that_is_wanted_and_the_budget_is_kept(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    simulator.put_contact(phone)
    files = [bytes([number]) * 300_000 for number in range(6)]
    async with staged(simulator, clock, tmp_path, fetch_media=True, budget=1_000_000) as stage:
        await stage.pair(phone)
        talk = Talk(stage=stage, phone=phone)
        ids = [await simulator.send(ANA, Content(kind="document"), file=data, account=phone) for data in files]
        await stage.until(lambda: len(stage.facts.of(MediaProcessed)) == len(files))
        clock.push(3600.0)  # what is younger is never cleaned up
        await stage.until(lambda: stage.media.usage <= 1_000_000)
        for message_id, data in zip(ids, files, strict=True):  # what was cleaned up comes from WhatsApp again
            message = await talk.hear(message_id)
            assert (await stage.core.gateway.messages.media(message.chat, message_id))[0] == data


async def test_what_another_device_of_ours_does_is_in_the_chat_and_what_came_while_we_were_away_too(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    group = "120363060000000003"
    simulator.put_contact(phone)
    await simulator.put_group(group, subject="Both", participants=[phone, ANA, BEN], by_lid=True)
    async with staged(simulator, clock, tmp_path) as stage:
        await stage.pair(phone)
        await stage.core.gateway.add_account("desk")
        await stage.pair(phone, "desk")
        here, there = (Talk(stage=stage, phone=phone, account=account) for account in ("default", "desk"))
        for who in (ANA, BEN):
            await there.hear(await simulator.send_text(who, "we know each other", phone))
        for to in (ANA, BEN, f"{group}@g.us"):
            job = await here.sent(to, "from the other")
            copy = await there.hear(str(job.message_id))
            assert (copy.chat, copy.sender) == (to if "@" in to else contact_jid(to), contact_jid(phone))
            assert (copy.text, copy.from_me) == ("from the other", True)
            await here.kept(job)
            reaction = await here.sent(to, Reaction(message_id=str(job.message_id), emoji="🙂"))
            assert (await there.hear(str(reaction.message_id))).target == job.message_id
        await stage.core.gateway.disconnect("desk")
        away = [await simulator.send_text(who, "while away", phone) for who in (ANA, BEN)]
        away += [await simulator.send_text(BEN, "while away", phone, group=group)]
        await stage.core.gateway.connect("desk")
        for message_id in away:
            assert (await there.hear(message_id)).text == "while away"
            assert (await here.hear(message_id)).text == "while away"


async def test_receipts_that_come_while_we_are_away_count_after_a_restart(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    group, members = "120363060000000004", (PEOPLE[32], PEOPLE[33])
    simulator.put_contact(phone)
    await simulator.put_group(group, subject="Late", participants=[phone, *members], by_lid=True)
    for number in members:
        simulator.set_receipts(ReceiptPolicy(hold=True), number)
    async with staged(simulator, clock, tmp_path) as stage:
        await stage.pair(phone)
        talk = Talk(stage=stage, phone=phone)
        jobs = [await talk.sent(to, "late", State.SENT) for to in (*members, f"{group}@g.us")]
    for number in members:
        await simulator.release_receipts(number)
        simulator.unset_receipts(number)
    async with staged(simulator, clock, tmp_path) as stage:
        talk = Talk(stage=stage, phone=phone)
        for job in jobs:
            settled = await talk.until(job, State.READ)
            while not (told := await stage.core.gateway.messages.receipts(job.id)):
                await stage.breathe()  # they are written down right after the state
            readers = {contact_jid(number) for number in members} if settled.to.endswith("@g.us") else {job.to}
            assert {receipt.reader for receipt in told} <= readers
            assert {receipt.chat for receipt in told} == {job.to}


async def test_a_receipt_that_the_library_cannot_hand_over_costs_the_link_but_no_message(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    async with staged(simulator, clock, tmp_path) as stage:
        await stage.pair(phone)
        talk = Talk(stage=stage, phone=phone)
        job = await talk.sent(ANA, "one")
        _receive(simulator, phone, Node("receipt", {"id": str(job.message_id), "type": "server-error"}))
        await stage.until(lambda: not simulator.exchange.streams_of(phone))
        missed = [await simulator.send_text(who, "still there?", phone) for who in (ANA, BEN)]
        second = await talk.send(ANA, "two")
        clock.push(46.0)
        for message_id in missed:
            assert (await talk.hear(message_id)).text == "still there?"
        await talk.until(second, State.READ)


def _receive(simulator: Simulator, phone: str, node: Node) -> None:
    """Have the account's device get something strange from Ana."""
    exchange = simulator.exchange
    [device] = exchange.world.person(phone).devices.values()
    node.attrs.update({"from": exchange.world.person(ANA).jid, "t": exchange.time()})
    exchange.deliver(device, node)

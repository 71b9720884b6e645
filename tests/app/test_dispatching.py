# SPDX-License-Identifier: Apache-2.0
"""The way out: order, lanes, pace, attempts, strangers, and a store or a link that goes away at any moment."""

import asyncio
from datetime import UTC
from hashlib import sha256
from itertools import pairwise

import pytest

from tests.app.mailing import ANA, BEN, EVA, GROUP, Weather, acquaint, events, job, person, send, states, texts
from wigwag.domain.account import LinkSignal
from wigwag.domain.contents import Kind, Media
from wigwag.domain.delivery import HIGHEST, LADDER, Job, Mark, Receipt, State
from wigwag.domain.errors import (
    Conflict,
    GatewayError,
    InvalidMessage,
    NotFound,
    NotLinked,
    Refused,
    Restricted,
    Unavailable,
    Unconfirmed,
)
from wigwag.domain.events import JobChanged, PartFailed, PartRecovered, ReceiptReported, SendSettled
from wigwag.domain.ids import Jid
from wigwag.domain.throttle import DAY, Rate, quiet_hours
from wigwag.testing import (
    START,
    FakeClock,
    FakeWhatsApp,
    Hold,
    MemoryStores,
    Point,
    Trial,
    build_trial,
    failing,
    running,
)

SENT, FAILED, ACCEPTED, UNCONFIRMED = State.SENT, State.FAILED, State.ACCEPTED, State.UNCONFIRMED


# --- order and lanes


async def test_messages_to_one_person_go_in_the_order_in_which_they_were_accepted() -> None:
    async with running(build_trial()) as trial:
        for n in range(200):
            await send(trial, text=str(n))
        await trial.connect()
        await trial.clock.advance(1.0)
        assert texts(trial) == [str(n) for n in range(200)]


async def test_one_who_comes_while_another_to_the_same_person_is_under_way_goes_right_behind_it() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[Point.SEND] = hold = Hold()
        await send(trial, text="1")
        await trial.clock.settle()
        await send(trial, text="2")
        await trial.clock.settle()
        hold.release()
        await trial.clock.settle()
        assert texts(trial) == ["1", "2"]


@pytest.mark.parametrize("point", [Point.COMPOSE, Point.SEND, Point.LEFT])
async def test_a_person_whose_message_is_held_up_delays_nobody_else(point: Point) -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        hold = Hold()

        async def hold_ana(of: Job | None) -> None:
            if of is not None and of.to == ANA:
                await hold(of)

        trial.whatsapp.hooks[point] = hold_ana
        for n in range(100):
            await send(trial, ANA, text=f"ana {n}")
        for n in range(20):
            await send(trial, person(100 + n), text=f"{n}")
        await trial.clock.advance(1.0)
        assert [text for text in texts(trial) if "ana" not in text] == [f"{n}" for n in range(20)]
        hold.release()
        await trial.clock.advance(1.0)
        assert texts(trial, ANA) == [f"ana {n}" for n in range(100)]


async def test_a_message_that_waits_for_another_attempt_holds_up_those_behind_it_and_nobody_else() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[Point.SEND] = failing(Unavailable())
        for text in ("1", "2", "3"):
            await send(trial, ANA, text)
        await send(trial, BEN, "ben")
        await trial.clock.advance(LADDER[0] * 0.8 - 0.1)
        assert texts(trial) == ["ben"]
        await trial.clock.advance(0.2)
        assert texts(trial, ANA) == ["1", "2", "3"]


async def test_a_higher_priority_overtakes_what_was_already_read() -> None:
    async with running(build_trial(rate=Rate(per_minute=60.0, burst=1, jitter=0.0))) as trial:
        await trial.connect()
        for n in range(5):
            await send(trial, person(n), text=f"{n}")
        await trial.clock.advance(1.5)
        await send(trial, person(50), text="urgent", priority=HIGHEST)
        await send(trial, person(51), text="idle", priority=0)
        await trial.clock.advance(10.0)
        assert texts(trial) == ["0", "1", "urgent", "2", "3", "4", "idle"]


async def test_what_is_accepted_while_the_ledger_is_being_read_is_not_forgotten() -> None:
    """The answer was on its way already, without the new one."""
    stores, weather = MemoryStores(), Weather()
    weather.over(stores)
    async with running(build_trial(stores=stores)) as trial:
        weather.holds["due", "after"] = answer = asyncio.Event()
        await trial.connect()
        await send(trial)
        await trial.clock.settle()
        answer.set()
        await trial.clock.settle()
        assert texts(trial) == ["hello"]


async def test_order_holds_for_a_message_that_comes_back_while_the_ledger_is_being_read() -> None:
    """The answer that is on its way names the second to Ana, since the first was under way when it was asked."""
    stores, weather = MemoryStores(), Weather()
    weather.over(stores)
    async with running(build_trial(stores=stores)) as trial:
        await trial.connect()
        trial.whatsapp.hooks[Point.COMPOSE] = hold = Hold()
        await send(trial, ANA, "1")
        await trial.clock.settle()
        weather.holds["due", "after"] = answer = asyncio.Event()
        await send(trial, ANA, "2")
        await trial.clock.settle()
        trial.whatsapp.hooks[Point.SEND] = failing(Unavailable())
        hold.release()
        await trial.clock.settle()
        answer.set()
        await trial.clock.settle()
        assert texts(trial) == []
        await trial.clock.advance(LADDER[0])
        assert texts(trial) == ["1", "2"]


# --- attempts


async def test_a_failure_that_may_pass_climbs_the_ladder_and_then_has_failed() -> None:
    async with running(build_trial(chance=lambda: 0.5)) as trial:
        await trial.connect()
        tried: list[float] = []

        async def fail(_job: Job | None) -> None:
            tried.append(trial.clock.now() - START)
            raise Unavailable("no answer")

        trial.whatsapp.hooks[Point.SEND] = fail
        one = await send(trial)
        await trial.clock.advance(sum(LADDER) + 1.0)
        assert [after - before for before, after in pairwise(tried)] == pytest.approx(LADDER)
        after = await job(trial, one)
        assert (after.state, after.code, after.detail, after.attempts) == (FAILED, "unavailable", "no answer", 6)
        assert await events(trial) == ["message.failed"]


@pytest.mark.parametrize("point", [Point.COMPOSE, Point.SEND])
@pytest.mark.parametrize(
    ("error", "state", "code", "attempts"),
    [
        (Unavailable("x"), ACCEPTED, "unavailable", 1),
        (NotLinked("x"), SENT, "", 0),
        (InvalidMessage("x", reason="media_unsupported"), FAILED, "media_unsupported", 0),
        (NotFound("x"), FAILED, "not_found", 0),
        (Refused("x"), FAILED, "refused", 0),
        (Conflict("x"), ACCEPTED, "conflict", 1),
    ],
)
async def test_what_an_error_before_the_first_byte_does(
    point: Point, error: GatewayError, state: State, code: str, attempts: int
) -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[point] = failing(error)
        one, behind = await send(trial, text="1"), await send(trial, text="2")
        await trial.clock.advance(1.5)
        after = await job(trial, one)
        assert (after.state, after.code, after.attempts) == (state, code, attempts)
        assert (await states(trial, behind)) == [ACCEPTED if state is ACCEPTED else SENT]
        await trial.clock.advance(10.0)
        assert texts(trial) == (["2"] if state is FAILED else ["1", "2"])


KEPT = sha256(b"gone soon").hexdigest()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (Media(kind=Kind.IMAGE, media=KEPT), "not_found"),
        (Media(kind=Kind.IMAGE, url="https://example.org/nothing.png"), "invalid_media"),
    ],
)
async def test_media_that_cannot_be_had_fail_and_say_why(content: Media, code: str) -> None:
    async with running(build_trial()) as trial:
        assert await trial.core.gateway.messages.keep_media(b"gone soon") == KEPT
        one = await send(trial, content=content)
        await trial.stores.media.remove([KEPT])
        await trial.connect()
        await trial.clock.advance(1.0)
        after = await job(trial, one)
        assert (after.state, after.code) == (FAILED, code)


@pytest.mark.parametrize("by", ["id", "url"])
async def test_media_are_sent_from_what_was_uploaded_or_from_a_url(by: str) -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.stores.web.pages["https://example.org/a.png"] = b"a picture"
        media_id = await trial.core.gateway.messages.keep_media(b"a picture")
        content = Media(
            kind=Kind.IMAGE, **({"media": media_id} if by == "id" else {"url": "https://example.org/a.png"})
        )
        one = await send(trial, content=content)
        await trial.clock.advance(1.0)
        assert await states(trial, one) == [SENT]
        assert b"a picture" in trial.whatsapp.sent[0].message


# --- no word from WhatsApp


@pytest.mark.parametrize("point", [Point.TRACED, Point.LEFT])
async def test_what_may_have_left_is_unconfirmed_and_not_sent_again(point: Point) -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[point] = failing(Unconfirmed())
        one, behind = await send(trial, text="1"), await send(trial, text="2")
        await trial.clock.jump(DAY)
        after = await job(trial, one)
        assert (after.state, after.message_id, after.code) == (UNCONFIRMED, "3EB00000000000000000", "unconfirmed")
        assert await states(trial, behind) == [SENT]
        assert texts(trial) == (["2"] if point is Point.TRACED else ["1", "2"])
        assert await events(trial) == ["message.unconfirmed", "message.sent"]


async def test_what_surely_never_left_is_tried_again() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[Point.SEND] = failing(Unconfirmed())
        one = await send(trial)
        await trial.clock.advance(LADDER[0])
        assert await states(trial, one) == [SENT]
        assert texts(trial) == ["hello"]


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("read", [True, False])
async def test_the_word_that_comes_late_settles_it(early: bool, read: bool) -> None:
    """Also before the job is written down as unconfirmed, and for a receipt whose message id nobody knew then."""
    async with running(build_trial()) as trial:
        await trial.connect()
        hold = Hold()

        async def nobody_knows(_job: Job | None) -> None:
            await hold(None)
            raise Unconfirmed

        trial.whatsapp.hooks |= {Point.LEFT: failing(Unconfirmed()), Point.TRACE: nobody_knows}
        one = await send(trial)
        await trial.clock.settle()
        if not early:
            hold.release()
            await trial.clock.settle()
            assert await states(trial, one) == [UNCONFIRMED]
        message_id = trial.whatsapp.sent[0].id
        if read:
            trial.whatsapp.tell(receipt(ANA, message_id, Mark.READ))
            await trial.clock.settle()
        trial.whatsapp.tell(SendSettled(account="default", job_id=one.id, message_id=message_id, at=START + 50.0))
        await trial.clock.settle()
        hold.release()
        await trial.clock.advance(5.0)
        after = await job(trial, one)
        assert (after.state, after.message_id, after.sent_at) == (
            State.READ if read else SENT,
            message_id,
            START + 50.0,
        )


def receipt(chat: Jid, message_id: str, mark: Mark = Mark.DELIVERED, at: float = START + 60.0) -> ReceiptReported:
    one = Receipt(account="default", chat=chat, reader=chat, message_ids=(message_id,), mark=mark, at=at)
    return ReceiptReported(receipt=one, at=at)


# --- pace


async def test_the_pace_is_kept_over_all_recipients() -> None:
    async with running(build_trial(rate=Rate(per_minute=6.0, burst=3, jitter=0.0))) as trial:
        await trial.connect()
        for n in range(6):
            await send(trial, person(n))
        await trial.clock.advance(60.0)
        assert [round(one.at - START) for one in trial.whatsapp.sent] == [0, 0, 0, 10, 20, 30]


async def test_jitter_spreads_what_would_go_in_one_burst() -> None:
    rate = Rate(per_minute=6.0, burst=3, jitter=0.3)
    async with running(build_trial(rate=rate, chance=lambda: 1.0)) as trial:
        await trial.connect()
        for n in range(3):
            await send(trial, person(n))
        await trial.clock.advance(60.0)
        assert [round(one.at - START) for one in trial.whatsapp.sent] == [0, 3, 6]


async def test_nothing_goes_in_quiet_hours_and_all_goes_after_them() -> None:
    """START is 2027-01-15 08:00 UTC."""
    rate = Rate(per_minute=0.0, quiet=quiet_hours("07:00-09:30", UTC))
    async with running(build_trial(rate=rate)) as trial:
        await trial.connect()
        await send(trial)
        await trial.clock.advance(5399.0)
        assert trial.whatsapp.sent == []
        await trial.clock.advance(1.0)
        assert [one.at for one in trial.whatsapp.sent] == [START + 5400.0]


# --- strangers


async def test_strangers_are_looked_up_in_one_request_and_only_once() -> None:
    async with running(build_trial()) as trial:
        await acquaint(trial.stores, ANA)
        for to in (ANA, BEN, EVA, GROUP, BEN):
            await send(trial, to)
        await trial.connect()
        await trial.clock.advance(1.0)
        await send(trial, BEN)
        await trial.clock.advance(1.0)
        assert [sorted(asked) for asked in trial.whatsapp.looked_up] == [sorted([BEN, EVA])]
        assert len(trial.whatsapp.sent) == 6


async def test_a_number_that_is_not_on_whatsapp_fails_and_says_so() -> None:
    whatsapp = FakeWhatsApp(clock := FakeClock(), registry={BEN: BEN})
    async with running(build_trial(clock=clock, whatsapp=whatsapp)) as trial:
        await trial.connect()
        absent, present = await send(trial, ANA), await send(trial, BEN)
        await trial.clock.advance(1.0)
        after = await job(trial, absent)
        assert (after.state, after.code) == (FAILED, "not_on_whatsapp")
        assert await states(trial, present) == [SENT]


async def test_a_number_that_came_to_whatsapp_later_is_found_when_asked_again() -> None:
    whatsapp = FakeWhatsApp(clock := FakeClock(), registry={})
    async with running(build_trial(clock=clock, whatsapp=whatsapp)) as trial:
        await trial.connect()
        one = await send(trial, ANA)
        await trial.clock.advance(1.0)
        whatsapp.registry = None
        await trial.core.gateway.messages.retry(one.id)
        await trial.clock.advance(1.0)
        assert await states(trial, one) == [SENT]


async def test_a_number_is_written_to_under_the_form_that_whatsapp_knows() -> None:
    new, old = Jid("5511987654321@s.whatsapp.net"), Jid("551187654321@s.whatsapp.net")
    whatsapp = FakeWhatsApp(clock := FakeClock(), registry={old: old})
    async with running(build_trial(clock=clock, whatsapp=whatsapp)) as trial:
        await trial.connect()
        one = await send(trial, "+55 11 98765-4321")
        await trial.clock.advance(1.0)
        assert (one.to, trial.whatsapp.sent[0].to) == (new, old)
        [kept] = await trial.core.gateway.messages.chat(old)
        assert (kept.job, kept.from_me) == (one.id, True)


async def test_after_a_restart_an_acquaintance_is_one_under_any_form_of_the_number() -> None:
    old = Jid("551187654321@s.whatsapp.net")
    async with running(build_trial()) as trial:
        await acquaint(trial.stores, old)
        await trial.connect()
        await send(trial, "+5511987654321")
        await trial.clock.advance(1.0)
        assert (trial.whatsapp.looked_up, trial.whatsapp.sent[0].to) == ([], old)


async def test_a_look_up_that_fails_is_made_again_for_each_in_its_turn() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[Point.LOOK_UP] = failing(Unavailable(), Unavailable())
        jobs = [await send(trial, to) for to in (ANA, BEN)]
        await trial.clock.advance(1.0)
        assert sorted(await states(trial, *jobs)) == [ACCEPTED, SENT]
        await trial.clock.advance(LADDER[0])
        assert await states(trial, *jobs) == [SENT, SENT]


async def paused(trial: Trial) -> list[Job]:
    """Ana is an old acquaintance; WhatsApp has just refused a first message to Ben."""
    await acquaint(trial.stores, ANA)
    await trial.connect()
    trial.whatsapp.hooks[Point.SEND] = failing(Restricted())
    jobs = [await send(trial, BEN, "ben 1"), await send(trial, BEN, "ben 2")]
    await trial.clock.advance(1.0)
    return jobs


async def test_a_refused_first_message_pauses_strangers_for_a_day_and_nobody_else() -> None:
    async with running(build_trial()) as trial:
        jobs = await paused(trial)
        jobs.append(await send(trial, EVA, "eva"))
        await send(trial, ANA, "ana")
        await send(trial, GROUP, "group")
        await trial.clock.jump(DAY - 2.0)
        assert texts(trial) == ["ana", "group"]
        assert {(await job(trial, one)).code for one in jobs} == {"restricted"}
        assert {(await job(trial, one)).attempts for one in jobs} == {0}
        await trial.clock.advance(2.0)
        assert texts(trial, EVA) == ["eva"]
        assert texts(trial, BEN) == ["ben 1", "ben 2"]


async def test_the_pause_of_strangers_outlives_a_restart() -> None:
    stores = MemoryStores()
    async with running(build_trial(stores=stores)) as trial:
        jobs = await paused(trial)
    async with running(build_trial(stores=stores, clock=FakeClock(START + 3600.0))) as trial:
        await trial.connect()
        jobs.append(await send(trial, EVA, "eva"))
        await trial.clock.jump(DAY - 3600.0 - 2.0)
        assert texts(trial) == []
        await trial.clock.advance(5.0)
        assert texts(trial, EVA) == ["eva"]
        assert texts(trial, BEN) == ["ben 1", "ben 2"]


async def test_strangers_who_were_already_read_are_held_back_as_well() -> None:
    async with running(build_trial(rate=Rate(per_minute=60.0, burst=1, jitter=0.0))) as trial:
        await acquaint(trial.stores, ANA)
        for to, text in ((BEN, "ben"), (EVA, "eva"), (ANA, "ana")):
            await send(trial, to, text)
        trial.whatsapp.hooks[Point.SEND] = failing(Restricted())
        await trial.connect()
        await trial.clock.advance(60.0)
        assert texts(trial) == ["ana"]


async def test_an_acquaintance_whom_whatsapp_calls_a_stranger_waits_with_them_in_order() -> None:
    async with running(build_trial()) as trial:
        await acquaint(trial.stores, ANA)
        await trial.connect()
        trial.whatsapp.hooks[Point.SEND] = failing(Restricted())
        await send(trial, ANA, "1")
        await trial.clock.advance(1.0)
        await send(trial, ANA, "2")
        await trial.clock.advance(60.0)
        assert texts(trial) == []
        await trial.clock.jump(DAY)
        assert texts(trial) == ["1", "2"]


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

# SPDX-License-Identifier: Apache-2.0
"""The way out: order, lanes, pace, attempts, strangers, and a store or a link that goes away at any moment."""

import asyncio
from hashlib import sha256
from itertools import pairwise

import pytest

from tests.app.mailing import ANA, BEN, Weather, events, job, person, send, states, texts
from wigwag.domain.contents import Kind, Media
from wigwag.domain.delivery import HIGHEST, LADDER, Job, Mark, Receipt, State
from wigwag.domain.errors import (
    Conflict,
    GatewayError,
    InvalidMessage,
    NotFound,
    NotLinked,
    Refused,
    Unavailable,
    Unconfirmed,
)
from wigwag.domain.events import ReceiptReported, SendSettled
from wigwag.domain.ids import Jid
from wigwag.domain.throttle import DAY, Rate
from wigwag.testing import (
    START,
    Hold,
    MemoryStores,
    Point,
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

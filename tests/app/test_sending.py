# SPDX-License-Identifier: Apache-2.0
"""From a draft to a job: judged whole, accepted once, scheduled, cancelled, tried again."""

import asyncio
from typing import Any

import pytest

from tests.app.mailing import ANA, BEN, GROUP, ME, Weather, acquaint, draft, events, job, message, send, states, texts
from wigwag.app.ports import JobFilter
from wigwag.domain.contents import ContactCard, Kind, Location, Media, Poll, Reaction, Text
from wigwag.domain.delivery import State
from wigwag.domain.drafts import LONGEST_DELAY, Template
from wigwag.domain.errors import (
    Conflict,
    GatewayError,
    InvalidJid,
    InvalidMessage,
    KeyReused,
    NotFound,
    StoreUnavailable,
    Unavailable,
    Unconfirmed,
)
from wigwag.domain.events import JobChanged
from wigwag.domain.ids import Jid
from wigwag.testing import START, MemoryStores, Point, build_trial, failing, running

SQL, XSS = "' OR '1'='1' --", "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("wish", "error", "reason"),
    [
        ({"to": "12"}, InvalidJid, None),
        ({"to": "nobody@g.us"}, InvalidJid, None),
        ({"account": "unheard of"}, NotFound, None),
        ({"text": SQL}, InvalidMessage, "sql_injection"),
        ({"text": XSS}, InvalidMessage, "xss"),
        ({"content": Media(kind=Kind.IMAGE, media="m", caption=XSS)}, InvalidMessage, "xss"),
        ({"content": Media(kind=Kind.DOCUMENT, media="m", filename=XSS)}, InvalidMessage, "xss"),
        ({"content": Poll(question="q", options=("a", XSS))}, InvalidMessage, "xss"),
        ({"content": Location(latitude=0, longitude=0, address=XSS)}, InvalidMessage, "xss"),
        ({"content": ContactCard(name="a", phone=XSS)}, InvalidMessage, "xss"),
        ({"content": Template(name="bad", values={"name": XSS})}, InvalidMessage, "xss"),
        ({"content": Template(name="nowhere")}, InvalidMessage, "unknown_template"),
        ({"content": Template(name="bad")}, InvalidMessage, "invalid_template"),
        ({"content": Media(kind=Kind.IMAGE, media="a" * 64)}, InvalidMessage, "unknown_media"),
        ({"content": Media(kind=Kind.IMAGE, media="../a\0")}, InvalidMessage, "unknown_media"),
        ({"reply_to": "nothing"}, InvalidMessage, "unknown_message"),
        ({"content": Reaction(message_id="nothing", emoji="x")}, InvalidMessage, "unknown_message"),
        ({"mentions": (ANA, "12")}, InvalidJid, None),
        ({"send_at": START + LONGEST_DELAY + 1}, InvalidMessage, "invalid_send_at"),
    ],
)
async def test_a_draft_that_cannot_be_sent_is_refused_whole(
    wish: dict[str, Any], error: type[GatewayError], reason: str | None
) -> None:
    """Nothing of it is kept, not even its idempotency key."""
    async with running(build_trial()) as trial:
        await trial.core.gateway.messages.put_template("bad", "Hello ${name}")
        with pytest.raises(error) as refused:
            await send(trial, **(wish | {"key": "k"}))
        assert getattr(refused.value, "reason", None) == reason
        assert await trial.stores.archive.find(JobFilter(), 10) == []
        assert trial.facts.of(JobChanged) == []
        assert (await send(trial, key="k")).state is State.ACCEPTED


async def test_without_the_content_policy_texts_are_only_texts() -> None:
    async with running(build_trial(strict=False)) as trial:
        await trial.connect()
        for text in (SQL, XSS):
            await send(trial, text=text)
        await trial.clock.advance(1.0)
        assert texts(trial) == [SQL, XSS]


async def test_what_is_accepted_is_on_disk_and_told() -> None:
    async with running(build_trial()) as trial:
        accepted = await send(trial, "+1 (555) 010-0001", user_id="u", trace="00-t", correlation="c", door="amqp")
        assert await job(trial, accepted) == accepted
        assert (accepted.to, accepted.account, accepted.state) == (ANA, "default", State.ACCEPTED)
        assert (accepted.created, accepted.due, accepted.place) == (START, START, 1)
        assert (accepted.user_id, accepted.trace, accepted.correlation, accepted.door) == ("u", "00-t", "c", "amqp")
        [told] = trial.facts.of(JobChanged)
        assert (told.before, told.after) == (None, accepted)


async def test_a_draft_is_not_accepted_while_the_store_is_away() -> None:
    stores, weather = MemoryStores(), Weather()
    weather.over(stores)
    async with running(build_trial(stores=stores)) as trial:
        weather.away = True
        with pytest.raises(StoreUnavailable):
            await send(trial)
        weather.away = False
        await trial.connect()
        await trial.clock.advance(5.0)
        assert trial.whatsapp.sent == []


# --- idempotency


async def test_the_same_key_and_draft_is_the_same_job_also_after_it_was_sent() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        first = await send(trial, key="k")
        await trial.clock.advance(1.0)
        again = await send(trial, key="k")
        await trial.clock.advance(100.0)
        assert (again.id, again.state) == (first.id, State.SENT)
        assert texts(trial) == ["hello"]


async def test_whoever_sends_hears_whether_the_job_is_new() -> None:
    async with running(build_trial()) as trial:
        send_it = trial.core.gateway.messages.send
        answers = [await send_it(draft(key=key)) for key in ("k", "k", None, None)]
        assert [is_new for _, is_new in answers] == [True, False, True, True]


async def test_the_same_key_with_another_draft_is_refused() -> None:
    async with running(build_trial()) as trial:
        await send(trial, key="k")
        with pytest.raises(KeyReused):
            await send(trial, key="k", text="other")
        assert len(await trial.stores.archive.find(JobFilter(), 10)) == 1


async def test_many_at_once_under_one_key_are_one() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        jobs = await asyncio.gather(*(send(trial, key="k") for _ in range(20)))
        await trial.clock.advance(10.0)
        assert len({one.id for one in jobs}) == 1
        assert len(trial.whatsapp.sent) == 1
        assert len([change for change in trial.facts.of(JobChanged) if change.before is None]) == 1


async def test_without_a_key_the_same_draft_twice_is_two_jobs() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        assert (await send(trial)).id != (await send(trial)).id
        await trial.clock.advance(1.0)
        assert texts(trial) == ["hello", "hello"]


# --- accounts


async def test_with_several_accounts_a_draft_says_which_one() -> None:
    async with running(build_trial()) as trial:
        await trial.core.gateway.add_account("work")
        await trial.connect()
        await trial.connect("work")
        with pytest.raises(Conflict):
            await send(trial)
        await send(trial, account="work")
        await send(trial, BEN, account="default")
        await trial.clock.advance(1.0)
        assert [(one.account, one.to) for one in trial.whatsapp.sent] == [("work", ANA), ("default", BEN)]


# --- later


async def test_a_scheduled_message_waits_for_its_time_and_holds_up_nobody() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        later = await send(trial, text="later", send_at=START + 3600.0)
        await send(trial, text="now")
        await trial.clock.advance(3599.0)
        assert texts(trial) == ["now"]
        assert await trial.core.gateway.messages.jobs(JobFilter(scheduled=True), 10) == [later]
        await trial.clock.advance(1.0)
        assert texts(trial) == ["now", "later"]
        assert await trial.core.gateway.messages.jobs(JobFilter(scheduled=True), 10) == []


async def test_a_schedule_outlives_a_restart() -> None:
    stores = MemoryStores()
    async with running(build_trial(stores=stores)) as trial:
        later = await send(trial, send_at=START + 3600.0)
    async with running(build_trial(stores=stores)) as trial:
        await trial.connect()
        await trial.clock.advance(3600.0)
        assert await states(trial, later) == [State.SENT]


async def test_a_time_that_has_passed_is_now() -> None:
    async with running(build_trial()) as trial:
        assert (await send(trial, send_at=START - 3600.0)).due == START


async def test_what_is_cancelled_in_time_is_never_sent() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        later = await send(trial, send_at=START + 60.0)
        assert (await trial.core.gateway.messages.cancel(later.id)).state is State.CANCELLED
        await trial.clock.advance(100.0)
        assert trial.whatsapp.sent == []
        assert await events(trial) == ["message.cancelled"]


async def test_what_was_sent_cannot_be_cancelled_and_what_was_cancelled_cannot_be_tried_again() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        done, taken_back = await send(trial), await send(trial, send_at=START + 60.0)
        await trial.clock.advance(1.0)
        await trial.core.gateway.messages.cancel(taken_back.id)
        for call in (trial.core.gateway.messages.cancel, trial.core.gateway.messages.retry):
            for one in (done, taken_back):
                with pytest.raises(Conflict):
                    await call(one.id)
        assert await states(trial, done, taken_back) == [State.SENT, State.CANCELLED]


async def test_nothing_can_be_asked_of_a_job_that_is_not_there() -> None:
    async with running(build_trial()) as trial:
        messages = trial.core.gateway.messages
        for call in (messages.cancel, messages.retry, messages.job):
            with pytest.raises(NotFound):
                await call("nothing")


async def test_what_has_failed_is_sent_when_a_person_wants_it_tried_again() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[Point.COMPOSE] = failing(InvalidMessage(reason="media_unsupported"))
        failed = await send(trial)
        await trial.clock.advance(1.0)
        assert await states(trial, failed) == [State.FAILED]
        await trial.core.gateway.messages.retry(failed.id)
        await trial.clock.advance(1.0)
        assert await states(trial, failed) == [State.SENT]
        assert await events(trial) == ["message.failed", "message.sent"]


async def test_what_waits_for_another_attempt_cannot_be_retried_but_cancelled() -> None:
    """And then those behind it go at once."""
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[Point.SEND] = failing(Unavailable())
        first, second = await send(trial, text="1"), await send(trial, text="2")
        await trial.clock.advance(1.0)
        with pytest.raises(Conflict):
            await trial.core.gateway.messages.retry(first.id)
        await trial.core.gateway.messages.cancel(first.id)
        await trial.clock.settle()
        assert await states(trial, first, second) == [State.CANCELLED, State.SENT]


async def test_a_person_decides_what_becomes_of_an_unconfirmed_message() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[Point.TRACED] = failing(Unconfirmed(), Unconfirmed())
        first, second = await send(trial), await send(trial, BEN)
        await trial.clock.advance(1.0)
        assert await states(trial, first, second) == [State.UNCONFIRMED, State.UNCONFIRMED]
        await trial.core.gateway.messages.retry(first.id)
        await trial.core.gateway.messages.cancel(second.id)
        await trial.clock.advance(1.0)
        assert await states(trial, first, second) == [State.SENT, State.CANCELLED]


# --- templates and replies


async def test_a_template_is_filled_when_the_draft_comes() -> None:
    """Who changes the template afterwards does not change what was accepted."""
    async with running(build_trial()) as trial:
        messages = trial.core.gateway.messages
        await messages.put_template("hello", "Hello ${name}")
        accepted, _is_new = await messages.send(draft(content=Template(name="hello", values={"name": "Ana"})))
        await messages.put_template("hello", "Bye")
        assert accepted.content == Text(text="Hello Ana")
        assert await messages.templates() == {"hello": "Bye"}


@pytest.mark.parametrize(("name", "text"), [("", "x"), ("x" * 65, "x"), ("a\nb", "x"), ("a", "${"), ("a", "")])
async def test_a_template_that_could_never_be_used_is_not_kept(name: str, text: str) -> None:
    async with running(build_trial()) as trial:
        with pytest.raises(InvalidMessage):
            await trial.core.gateway.messages.put_template(name, text)
        assert await trial.core.gateway.messages.templates() == {}


async def test_a_template_that_is_not_there_is_not_found() -> None:
    async with running(build_trial()) as trial:
        for call in (trial.core.gateway.messages.template, trial.core.gateway.messages.remove_template):
            with pytest.raises(NotFound):
                await call("nothing")


@pytest.mark.parametrize("to", [ANA, GROUP])
async def test_a_reply_names_the_message_its_sender_and_its_text(to: str) -> None:
    async with running(build_trial()) as trial:
        chat = GROUP if to == GROUP else ANA
        await trial.stores.messages.keep([message(chat, id="M7", sender=BEN, text="how are you?")])
        quote = (await send(trial, to, reply_to="M7")).quote
        assert quote is not None
        assert (quote.message_id, quote.sender, quote.from_me, quote.text) == ("M7", BEN, False, "how are you?")


async def test_a_message_of_another_chat_or_account_cannot_be_answered() -> None:
    async with running(build_trial()) as trial:
        await trial.stores.messages.keep([message(BEN, id="M7"), message(ANA, id="M8", account="work")])
        for message_id in ("M7", "M8"):
            with pytest.raises(InvalidMessage):
                await send(trial, ANA, reply_to=message_id)


async def test_our_own_message_is_reacted_to_as_ours() -> None:
    async with running(build_trial()) as trial:
        await trial.stores.messages.keep([message(ANA, id="M9", sender=ME, from_me=True)])
        accepted = await send(trial, content=Reaction(message_id="M9", emoji="👍"))
        assert accepted.quote is not None
        assert accepted.quote.from_me


async def test_a_reply_finds_the_chat_under_the_older_form_of_the_number() -> None:
    """WhatsApp still knows many Brazilian numbers without the ninth digit."""
    stores = MemoryStores()
    old = Jid("551187654321@s.whatsapp.net")
    await stores.messages.keep([message(old, id="M7")])
    async with running(build_trial(stores=stores)) as trial:
        accepted = await send(trial, "+55 11 98765 4321", reply_to="M7")
        assert accepted.quote is not None


async def test_mentions_are_written_in_any_form() -> None:
    async with running(build_trial()) as trial:
        await acquaint(trial.stores, ANA)
        assert (await send(trial, GROUP, mentions=("+1 555 010 0001", BEN))).mentions == (ANA, BEN)

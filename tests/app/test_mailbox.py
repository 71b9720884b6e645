# SPDX-License-Identifier: Apache-2.0
"""What others write: kept once, told once, changed by edits and deletions, downloaded when asked or by itself."""

from dataclasses import replace
from typing import Any

import pytest

from tests.app.mailing import ANA, ME, Weather, events, message, send
from wigwag.domain.contents import ContactCard, Content, Kind, Location, Media, Poll, Reaction, Text
from wigwag.domain.errors import NotFound, Unavailable
from wigwag.domain.events import MediaProcessed, MessageReceived, MessageReported, PartFailed
from wigwag.domain.messages import Message, MessageKind
from wigwag.testing import MemoryStores, Point, Trial, build_trial, failing, running

HELLO = message(ANA, id="M1", text="hello")


async def tell(trial: Trial, *messages: Message) -> None:
    trial.whatsapp.tell(*(MessageReported(message=one, at=one.at) for one in messages))
    await trial.clock.settle()


async def chat(trial: Trial) -> list[tuple[str, str]]:
    return [(one.id, one.text) for one in await trial.core.gateway.messages.chat(ANA)]


async def test_a_message_is_kept_and_told_once_however_often_it_comes() -> None:
    """Twice at once, again later, and again after a restart."""
    stores = MemoryStores()
    async with running(build_trial(stores=stores)) as trial:
        await tell(trial, HELLO, HELLO)
        await tell(trial, HELLO)
        assert [fact.message.id for fact in trial.facts.of(MessageReceived)] == ["M1"]
    async with running(build_trial(stores=stores)) as trial:
        await tell(trial, HELLO)
        assert trial.facts.of(MessageReceived) == []
        assert await chat(trial) == [("M1", "hello")]
        assert await events(trial) == ["message.received"]


@pytest.mark.parametrize(
    ("kind", "event", "left"),
    [
        (MessageKind.EDIT, "message.edited", "bye"),
        (MessageKind.DELETION, "message.deleted", ""),
        (MessageKind.REACTION, "message.reaction", "hello"),
        (MessageKind.VOTE, "message.vote", "hello"),
    ],
)
@pytest.mark.parametrize("sender", [ANA, ME])
async def test_what_is_about_another_message_is_passed_on_and_changes_it(
    kind: MessageKind, event: str, left: str, sender: Any
) -> None:
    """Only its own sender changes a message."""
    async with running(build_trial()) as trial:
        change = message(ANA, id="M2", kind=kind, target="M1", text="bye", at=2.0, sender=sender, from_me=sender == ME)
        await tell(trial, HELLO, change)
        assert await events(trial) == ["message.received", event]
        kept = await trial.core.gateway.messages.message(ANA, "M1")
        assert kept.text == (left if sender == ANA else "hello")
        assert [fact.message.kind for fact in trial.facts.of(MessageReceived)] == [MessageKind.TEXT, kind]


async def test_our_own_words_from_another_device_are_kept_and_told_as_ours() -> None:
    async with running(build_trial()) as trial:
        await tell(trial, replace(HELLO, sender=ME, from_me=True))
        [kept] = await trial.core.gateway.messages.chat(ANA)
        assert kept.from_me
        [(_, event)] = await trial.stores.events.after(0, 10)
        assert (event.kind, event.data["from_me"]) == ("message.received", True)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (Text(text="t"), "t"),
        (Media(kind=Kind.IMAGE, url="https://example.org/a.png", caption="c"), "c"),
        (Location(latitude=1, longitude=2, name="here"), "here"),
        (ContactCard(name="Eva", phone="+15550100003"), "Eva"),
        (Poll(question="q", options=("a", "b")), "q"),
        (Reaction(message_id="M1", emoji="👍"), "👍"),
    ],
)
async def test_what_we_send_is_in_the_chat_and_told_by_its_job_alone(content: Content, text: str) -> None:
    async with running(build_trial()) as trial:
        trial.stores.web.pages["https://example.org/a.png"] = b"a picture"
        await trial.connect()
        await tell(trial, HELLO)
        one = await send(trial, content=content)
        await trial.clock.advance(1.0)
        kept = (await trial.core.gateway.messages.chat(ANA))[0]
        assert (kept.job, kept.text, kept.kind.value, kept.sender) == (one.id, text, content.kind.value, ME)
        assert kept.target == ("M1" if isinstance(content, Reaction) else "")
        assert await events(trial) == ["message.received", "message.sent"]


async def test_a_reply_of_ours_names_what_it_answers() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        await tell(trial, HELLO)
        await send(trial, reply_to="M1")
        await trial.clock.advance(1.0)
        assert (await trial.core.gateway.messages.chat(ANA))[0].quoted == "M1"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_messages_wait_for_the_store(when: str) -> None:
    """Also when it had kept them before it went away: the outside is told of them once, by their events."""
    stores, weather = MemoryStores(), Weather()
    weather.over(stores)
    async with running(build_trial(stores=stores)) as trial:
        weather.cut = {("keep", when)}
        await tell(trial, HELLO)
        await tell(trial, message(ANA, id="M2", text="you?", at=2.0))
        await trial.clock.advance(10.0)
        weather.cut.clear()
        await trial.clock.advance(1.0)
        assert await chat(trial) == [("M2", "you?"), ("M1", "hello")]
        assert await events(trial) == ["message.received", "message.received"]


# --- media

PICTURE = message(ANA, id="M3", kind=MessageKind.IMAGE, raw=b"raw", mimetype="image/png")


async def test_media_are_downloaded_when_somebody_asks_and_only_once() -> None:
    async with running(build_trial()) as trial:
        trial.whatsapp.files[b"raw"] = b"a picture"
        await tell(trial, PICTURE)
        assert trial.stores.media.files == {}
        assert await trial.core.gateway.messages.media(ANA, "M3") == (b"a picture", "image/png")
        trial.whatsapp.files.clear()
        assert await trial.core.gateway.messages.media(ANA, "M3") == (b"a picture", "image/png")
        assert [fact.direction for fact in trial.facts.of(MediaProcessed)] == ["in"]


async def test_media_that_the_cleaner_took_are_downloaded_again() -> None:
    async with running(build_trial()) as trial:
        trial.whatsapp.files[b"raw"] = b"a picture"
        await tell(trial, PICTURE)
        await trial.core.gateway.messages.media(ANA, "M3")
        await trial.stores.media.cleanup(())
        assert (await trial.core.gateway.messages.media(ANA, "M3"))[0] == b"a picture"


async def test_media_come_by_themselves_if_that_is_wanted() -> None:
    async with running(build_trial(fetch_media=True)) as trial:
        trial.whatsapp.files[b"raw"] = b"a picture"
        await tell(trial, PICTURE, HELLO, PICTURE)
        assert list(trial.stores.media.files.values()) == [b"a picture"]
        assert (await trial.core.gateway.messages.message(ANA, "M3")).media
        assert len(trial.facts.of(MediaProcessed)) == 1


async def test_a_download_that_fails_harms_nothing_and_is_made_when_somebody_asks() -> None:
    async with running(build_trial(fetch_media=True)) as trial:
        trial.whatsapp.hooks[Point.DOWNLOAD] = failing(Unavailable())
        trial.whatsapp.files |= {b"raw": b"a picture", b"other": b"another"}
        await tell(trial, PICTURE, replace(PICTURE, id="M4", raw=b"other"))
        assert [fact.part for fact in trial.facts.of(PartFailed)] == ["media"]
        assert list(trial.stores.media.files.values()) == [b"another"]
        assert (await trial.core.gateway.messages.media(ANA, "M3"))[0] == b"a picture"


@pytest.mark.parametrize("message_id", ["M1", "M3", "nothing"])
async def test_media_that_are_nowhere_are_not_found(message_id: str) -> None:
    async with running(build_trial()) as trial:
        await tell(trial, HELLO, PICTURE)
        with pytest.raises(NotFound):
            await trial.core.gateway.messages.media(ANA, message_id)


async def test_the_sender_is_told_that_we_read_a_message() -> None:
    async with running(build_trial()) as trial:
        await tell(trial, HELLO)
        await trial.core.gateway.messages.mark_read(ANA, "M1")
        assert trial.whatsapp.marked == ["M1"]

# SPDX-License-Identifier: Apache-2.0
"""What others write and do, as whatsmeow tells it: every kind, edits, deletions, reactions, calls, groups, media."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.stage import PushedClock, staged
from tests.acceptance.talk import Talk
from wigwag.domain.errors import NotFound
from wigwag.domain.events import CallReported, GroupReported
from wigwag.domain.ids import Jid, contact_jid
from wigwag.domain.messages import MessageKind
from wigwag.simulator import Content, Simulator

pytestmark = [pytest.mark.asyncio(loop_scope="session")]

PHONE = "15550600000"
ANA, BEN = "15550600001", "15550600002"  # Ben is addressed by LID
GROUP, LID_GROUP = "120363060000000001", "120363060000000002"
HARD = " Ünï©ode \u202eRTL\u202c 👩‍👩‍👧‍👦\r\n\t\x7f ﷽ \U0001f3f4\U000e0067\U000e007f "


@pytest_asyncio.fixture(loop_scope="session", scope="module", autouse=True)
async def people(simulator: Simulator) -> None:
    simulator.put_contact(PHONE)
    simulator.put_contact(ANA, name="Ana")
    simulator.put_contact(BEN, name="Ben", addressed_by_lid=True)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def talk(
    simulator: Simulator, clock: PushedClock, people: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Talk]:
    for group, by_lid in ((GROUP, False), (LID_GROUP, True)):
        await simulator.put_group(group, subject="Team", participants=[PHONE, ANA, BEN], by_lid=by_lid)
    home: Path = tmp_path_factory.mktemp("in")
    async with staged(simulator, clock, home) as stage:
        await stage.pair(PHONE)
        yield Talk(stage=stage, phone=PHONE)


WHERE = [(ANA, None), (BEN, None), (BEN, GROUP), (ANA, LID_GROUP)]
everywhere = pytest.mark.parametrize(("who", "group"), WHERE, ids=["number", "lid", "group", "group by lid"])


def chat(who: str, group: str | None) -> Jid:
    return Jid(f"{group}@g.us") if group else contact_jid(who)


SAID: list[tuple[Content, MessageKind, str]] = [
    (Content(kind="text", text=HARD), MessageKind.TEXT, HARD),
    (
        Content(kind="location", fields={"latitude": 1.5, "longitude": 2.5, "name": "Port"}),
        MessageKind.LOCATION,
        "Port",
    ),
    (Content(kind="live_location", fields={"latitude": 1.5, "longitude": 2.5}), MessageKind.LOCATION, ""),
    (Content(kind="contact", fields={"name": "Lea", "vcard": "BEGIN:VCARD"}), MessageKind.CONTACT, "Lea"),
    (Content(kind="contacts", fields={"name": "2 people"}), MessageKind.CONTACT, "2 people"),
    (Content(kind="poll", text="Tea?", fields={"options": ["yes", "no"]}), MessageKind.POLL, "Tea?"),
]
FILES = [
    ("image", MessageKind.IMAGE, "look", {"mimetype": "image/jpeg"}),
    ("video", MessageKind.VIDEO, "film", {"mimetype": "video/mp4"}),
    ("audio", MessageKind.AUDIO, None, {"mimetype": "audio/mpeg"}),
    ("voice", MessageKind.VOICE, None, {"mimetype": "audio/ogg; codecs=opus"}),
    ("document", MessageKind.DOCUMENT, "read", {"mimetype": "application/pdf", "file_name": "a.pdf"}),
    ("sticker", MessageKind.STICKER, None, {"mimetype": "image/webp"}),
]


@everywhere
async def test_each_kind_is_heard_as_it_was_said(talk: Talk, who: str, group: str | None) -> None:
    for said, kind, text in SAID:
        message = await talk.hear(await talk.stage.simulator.send(who, said, group=group, account=PHONE))
        assert (message.kind, message.text) == (kind, text)
        assert (message.chat, message.sender, message.from_me) == (chat(who, group), contact_jid(who), False)
        assert message.name == {ANA: "Ana", BEN: "Ben"}[who]


@everywhere
async def test_media_are_downloaded_when_they_are_asked_for(talk: Talk, who: str, group: str | None) -> None:
    messages, simulator = talk.stage.core.gateway.messages, talk.stage.simulator
    for kind, heard, caption, fields in FILES:
        data = f"{kind} of {who} in {group} ".encode() * 50
        said = Content(kind=kind, text=caption, fields=fields)
        message = await talk.hear(await simulator.send(who, said, file=data, group=group, account=PHONE))
        assert (message.kind, message.text, message.mimetype) == (heard, caption or "", fields["mimetype"])
        assert (message.size, message.media) == (len(data), "")
        for _once_from_whatsapp_and_once_from_us in range(2):
            assert await messages.media(message.chat, message.id) == (data, fields["mimetype"])


@everywhere
async def test_an_edit_a_deletion_a_reaction_and_a_vote_name_their_target(
    talk: Talk, who: str, group: str | None
) -> None:
    simulator, messages, here = talk.stage.simulator, talk.stage.core.gateway.messages, chat(who, group)

    async def about(kind: str, target: str | None, text: str | None = None, **more: Any) -> Any:
        said = Content(kind=kind, text=text, fields={"target": target, **more})
        return await talk.hear(await simulator.send(who, said, group=group, account=PHONE))

    first = await simulator.send_text(who, "firts", PHONE, group=group)
    await talk.hear(first)
    edit = await about("edit", first, "first")
    assert (edit.kind, edit.target, edit.text) == (MessageKind.EDIT, first, "first")
    assert (await messages.message(here, first)).text == "first"
    reaction = await about("reaction", first, "👍", from_me=False)
    assert (reaction.kind, reaction.target, reaction.text) == (MessageKind.REACTION, first, "👍")
    taken_back = await about("reaction", first, "", from_me=False)
    assert (taken_back.kind, taken_back.text) == (MessageKind.REACTION, "")
    vote = await about("vote", first)
    assert (vote.kind, vote.target) == (MessageKind.VOTE, first)
    deletion = await about("deletion", first)
    assert (deletion.kind, deletion.target) == (MessageKind.DELETION, first)
    assert (await messages.message(here, first)).deleted
    assert (await messages.message(here, first)).text == ""


@everywhere
async def test_an_answer_to_us_names_what_it_answers(talk: Talk, who: str, group: str | None) -> None:
    job = await talk.sent(f"{group}@g.us" if group else who, "question")
    said = Content(kind="text", text="answer", quoted=job.message_id)
    message = await talk.hear(await talk.stage.simulator.send(who, said, group=group, account=PHONE))
    assert (message.text, message.quoted) == ("answer", job.message_id)
    await talk.kept(job)
    asked = await talk.stage.core.gateway.messages.message(message.chat, message.quoted)
    assert (asked.job, asked.from_me, asked.sender) == (job.id, True, contact_jid(PHONE))


async def test_expired_media_are_not_found_and_other_trouble_may_pass(talk: Talk) -> None:
    messages, simulator = talk.stage.core.gateway.messages, talk.stage.simulator
    message = await talk.hear(await simulator.send(ANA, Content(kind="image"), file=b"gone" * 50, account=PHONE))
    await simulator.inject("media_expired")
    with pytest.raises(NotFound, match="any more"):
        await messages.media(message.chat, message.id)
    simulator.clear_faults()
    assert (await messages.media(message.chat, message.id))[0] == b"gone" * 50
    text = await talk.hear(await simulator.send_text(ANA, "no media", PHONE))
    with pytest.raises(NotFound):
        await messages.media(text.chat, text.id)


@pytest.mark.parametrize("who", [ANA, BEN])
async def test_a_call_is_told_by_the_number_of_the_caller(talk: Talk, who: str) -> None:
    call = await talk.stage.simulator.call(who, PHONE)
    await talk.stage.until(lambda: [c for c in talk.stage.facts.of(CallReported) if c.call_id == call])
    assert [c.caller for c in talk.stage.facts.of(CallReported) if c.call_id == call] == [contact_jid(who)]


@pytest.mark.parametrize(("group", "by_lid"), [(GROUP, False), (LID_GROUP, True)])
async def test_a_group_tells_its_new_subject_and_who_came_and_went(talk: Talk, group: str, by_lid: bool) -> None:
    stage, everybody = talk.stage, [PHONE, ANA, BEN]

    async def change(subject: str, participants: list[str]) -> GroupReported:
        before = len(stage.facts.of(GroupReported))
        await stage.simulator.put_group(group, subject=subject, participants=participants, by_lid=by_lid)
        await stage.until(lambda: len(stage.facts.of(GroupReported)) > before)
        return stage.facts.of(GroupReported)[-1]

    renamed = await change("Crew", everybody)
    assert (renamed.group, renamed.subject) == (f"{group}@g.us", "Crew")
    assert (await change("Crew", [PHONE, ANA])).left == (contact_jid(BEN),)
    assert (await change("Crew", everybody)).joined == (contact_jid(BEN),)


@everywhere
async def test_marking_as_read_reaches_the_writer(talk: Talk, who: str, group: str | None) -> None:
    simulator = talk.stage.simulator
    message = await talk.hear(await simulator.send_text(who, "read me", PHONE, group=group))
    await talk.stage.core.gateway.messages.mark_read(message.chat, message.id)
    await talk.stage.until(
        lambda: [line for line in simulator.journal.receipts if line.kind == "read" and message.id in line.ids]
    )

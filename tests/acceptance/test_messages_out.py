# SPDX-License-Identifier: Apache-2.0
"""Messages of every kind on their way out, through whatsmeow itself: what is read is what was sent."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.stage import PushedClock, staged
from tests.acceptance.talk import Talk
from tests.media.making import moving, mp3, opus, picture
from wigwag.domain.contents import ContactCard, Content, Kind, Location, Media, Poll, Reaction, Text
from wigwag.domain.delivery import Mark, State
from wigwag.domain.ids import contact_jid
from wigwag.simulator import Content as Said
from wigwag.simulator import ReceiptPolicy, Simulator

pytestmark = [pytest.mark.asyncio(loop_scope="session")]

PHONE = "15550400000"
ANA, BEN, LEA = "15550400001", "15550400002", "15550400003"  # Ben is addressed by LID, and so is Lea
GROUP, LID_GROUP = "120363040000000001", "120363040000000002"
HARD = "  Ünï©ode \u202eRTL\u202c 👩‍👩‍👧‍👦 *bold* _it_ ~no~\n\ttabs\r\n\x7f ﷽ \U0001f3f4\U000e0067\U000e007f end  "

MP4 = (32).to_bytes(4, "big") + b"ftypisom" + bytes(20) + b"mdat" + bytes(64)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def talk(
    simulator: Simulator, clock: PushedClock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Talk]:
    simulator.put_contact(ANA, name="Ana")
    for number, name in ((BEN, "Ben"), (LEA, "Lea")):
        simulator.put_contact(number, name=name, addressed_by_lid=True)
    simulator.put_contact(PHONE)
    for group, by_lid in ((GROUP, False), (LID_GROUP, True)):
        await simulator.put_group(group, subject="Team", participants=[PHONE, ANA, BEN], by_lid=by_lid)
    home: Path = tmp_path_factory.mktemp("out")
    async with staged(simulator, clock, home) as stage:
        await stage.pair(PHONE)
        yield Talk(stage=stage, phone=PHONE)


PLAIN: list[tuple[Content, Said]] = [
    (Text(text="hello"), Said(kind="text", text="hello")),
    (Text(text=HARD), Said(kind="text", text=HARD)),
    (Text(text="ﷺ" * 4096), Said(kind="text", text="ﷺ" * 4096)),
    (
        Location(latitude=-12.5, longitude=130.875, name="Port", address="1 Road"),
        Said(kind="location", fields={"latitude": -12.5, "longitude": 130.875, "name": "Port", "address": "1 Road"}),
    ),
    (
        Poll(question="Tea?", options=("yes", "no")),
        Said(kind="poll", text="Tea?", fields={"options": ["yes", "no"], "selectable": 1}),
    ),
    (
        Poll(question="Days?", options=("Mo", "Tu", "We"), selectable=0),
        Said(kind="poll", text="Days?", fields={"options": ["Mo", "Tu", "We"], "selectable": 0}),
    ),
]
FILES: list[tuple[Kind, bytes, dict[str, Any], str, dict[str, Any]]] = [
    (Kind.IMAGE, picture("JPEG"), {"caption": HARD}, HARD, {"mimetype": "image/jpeg", "width": 640, "height": 480}),
    (Kind.VIDEO, MP4, {"caption": "film"}, "film", {"mimetype": "video/mp4"}),
    (Kind.AUDIO, mp3(100), {}, "", {"mimetype": "audio/mpeg"}),
    (Kind.VOICE, opus(3), {}, "", {"mimetype": "audio/ogg; codecs=opus", "seconds": 3}),
    (
        Kind.DOCUMENT,
        b"%PDF-1.7 x",
        {"caption": "read", "filename": "a b.pdf"},
        "read",
        {"mimetype": "application/pdf", "file_name": "a b.pdf"},
    ),
    (Kind.STICKER, moving("WEBP", (512, 512)), {}, "", {"mimetype": "image/webp", "animated": True}),
]
CHATS = [(ANA, None), (BEN, None), (GROUP, GROUP), (LID_GROUP, LID_GROUP)]
chats = pytest.mark.parametrize(("to", "group"), CHATS, ids=["number", "lid", "group", "group by lid"])


def readers(to: str) -> tuple[str, ...]:
    return (ANA, BEN) if to in (GROUP, LID_GROUP) else (to,)


def address(to: str) -> str:
    return f"{to}@g.us" if to in (GROUP, LID_GROUP) else to


@chats
async def test_what_is_read_is_what_was_sent(talk: Talk, to: str, group: str | None) -> None:
    for content, expected in PLAIN:
        job = await talk.sent(address(to), content)
        for reader in readers(to):
            line = talk.read(reader, group)[-1]
            assert (line.id, line.kind, line.text, line.quoted) == (job.message_id, expected.kind, expected.text, None)
            assert {name: line.fields.get(name) for name in expected.fields} == expected.fields


@chats
async def test_a_file_arrives_bit_by_bit_with_what_is_to_be_told_of_it(talk: Talk, to: str, group: str | None) -> None:
    for kind, data, more, text, fields in FILES:
        kept = await talk.stage.core.gateway.messages.keep_media(data)
        job = await talk.sent(address(to), Media(kind=kind, media=kept, **more))
        for reader in readers(to):
            line = talk.read(reader, group)[-1]
            assert (line.id, line.kind, line.text or "") == (job.message_id, kind.value, text)
            assert {name: line.fields.get(name) for name in fields} == fields
        received = talk.stage.simulator.received_media(str(job.message_id))
        assert hashlib.sha256(received).digest() == hashlib.sha256(data).digest()


@chats
async def test_a_contact_card_can_be_read_by_its_rules(talk: Talk, to: str, group: str | None) -> None:
    await talk.sent(address(to), ContactCard(name="Doe; John, Jr.", phone="+1 555 010-0001"))
    line = talk.read(readers(to)[0], group)[-1]
    assert (line.kind, line.fields["name"]) == ("contact", "Doe; John, Jr.")
    assert "FN:Doe\\; John\\, Jr.\n" in line.fields["vcard"]
    assert "TEL;type=CELL;waid=15550100001:+15550100001\n" in line.fields["vcard"]


@chats
async def test_a_reply_quotes_and_mentions_and_a_reaction_names_its_target(
    talk: Talk, to: str, group: str | None
) -> None:
    asked = await talk.stage.simulator.send_text(readers(to)[-1], "who?", PHONE, group=group)
    await talk.hear(asked)
    await talk.sent(address(to), "@15550400003 does", reply_to=asked, mentions=(f"+{LEA}",))
    line = talk.read(readers(to)[0], group)[-1]
    assert (line.text, line.quoted, line.mentions) == ("@15550400003 does", asked, (contact_jid(LEA),))
    await talk.sent(address(to), Reaction(message_id=asked, emoji="👍"))
    line = talk.read(readers(to)[0], group)[-1]
    assert (line.kind, line.text, line.fields["target"], line.fields["from_me"]) == ("reaction", "👍", asked, False)
    assert line.fields.get("participant") == (contact_jid(readers(to)[-1]) if group else None)
    await talk.sent(address(to), Reaction(message_id=asked, emoji=""))
    assert talk.read(readers(to)[0], group)[-1].text in (None, "")


async def test_a_reaction_to_our_own_message_says_that_it_is_ours(talk: Talk) -> None:
    job = await talk.sent(ANA, "mine")
    await talk.kept(job)
    await talk.sent(ANA, Reaction(message_id=str(job.message_id), emoji="🙈"))
    assert talk.read(ANA)[-1].fields["from_me"] is True


# --- receipts


POLICIES = [
    (ReceiptPolicy(), "text", State.READ),
    (ReceiptPolicy(order="reversed"), "text", State.READ),
    (ReceiptPolicy(copies=3), "text", State.READ),
    (ReceiptPolicy(copies=2, order="reversed", played=True), "voice", State.PLAYED),
    (ReceiptPolicy(played=True), "voice", State.PLAYED),
    (ReceiptPolicy(read=False), "text", State.DELIVERED),
    (ReceiptPolicy(delivery=False), "text", State.READ),
]


@pytest.mark.parametrize(("policy", "kind", "end"), POLICIES)
@pytest.mark.parametrize("to", [ANA, BEN])
async def test_receipts_move_a_job_forward_only_in_whatever_order_they_come(
    talk: Talk, to: str, policy: ReceiptPolicy, kind: str, end: State
) -> None:
    talk.stage.simulator.set_receipts(policy, to)
    try:
        voice = Media(kind=Kind.VOICE, media=await talk.stage.core.gateway.messages.keep_media(opus(1)))
        job = await talk.sent(to, voice if kind == "voice" else "receipts", end)
        marker = await talk.sent(to, "after", State.READ if policy.read else State.DELIVERED)
    finally:
        talk.stage.simulator.unset_receipts(to)
    assert (await talk.job(job)).state is end
    order = [State.SENT, State.DELIVERED, State.READ, State.PLAYED]
    passed = [order.index(state) for state in talk.states(job) if state in order]
    assert passed == sorted(set(passed))
    instants = await talk.job(job)
    assert (instants.delivered_at is not None) is policy.delivery
    assert (instants.read_at is not None) is policy.read
    told = [(receipt.reader, receipt.mark) for receipt in await talk.stage.core.gateway.messages.receipts(job.id)]
    assert len(told) == len(set(told))
    assert {reader for reader, _ in told} == {contact_jid(to)}
    assert marker.to == contact_jid(to)


@pytest.mark.parametrize("group", [GROUP, LID_GROUP])
async def test_in_a_group_each_member_has_receipts_of_its_own(talk: Talk, group: str) -> None:
    job = await talk.sent(f"{group}@g.us", "all of you")
    wanted = {(contact_jid(who), mark) for who in (ANA, BEN) for mark in (Mark.DELIVERED, Mark.READ)}
    told: set[Any] = set()
    while told != wanted:
        told = {(each.reader, each.mark) for each in await talk.stage.core.gateway.messages.receipts(job.id)}
        await talk.stage.breathe()


# --- whom it reaches


async def test_a_number_that_is_not_on_whatsapp_fails_and_nothing_is_sent(talk: Talk) -> None:
    job = await talk.until(await talk.send("+15550499999", "anybody?"), State.FAILED)
    assert (job.code, talk.states(job)) == ("not_on_whatsapp", [State.ACCEPTED, State.FAILED])


@pytest.mark.parametrize("written", ["+5511987654321", "+551187654321"])
async def test_a_number_of_before_is_written_to_under_the_one_of_today(talk: Talk, written: str) -> None:
    simulator = talk.stage.simulator
    simulator.put_contact("551187654321", name="Bia", aliases=["5511987654321"])
    job = await talk.sent(written, "oi")
    assert [line.id for line in talk.read("551187654321")][-1] == job.message_id
    await talk.kept(job, contact_jid("551187654321"))
    asked = await simulator.send_text("551187654321", "tudo bem?", PHONE)
    await talk.hear(asked)
    await talk.sent(written, "tudo", reply_to=asked)
    assert talk.read("551187654321")[-1].quoted == asked
    await talk.sent(written, Reaction(message_id=asked, emoji="👍"))
    target = {name: talk.read("551187654321")[-1].fields.get(name) for name in ("target", "chat", "participant")}
    assert target == {"target": asked, "chat": "551187654321@s.whatsapp.net", "participant": None}

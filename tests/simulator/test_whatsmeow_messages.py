# SPDX-License-Identifier: Apache-2.0
"""whatsmeow, as it is, sends and reads all that the simulator claims to know: kinds, groups, receipts and calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.simulator import real_clients
from tests.simulator.conftest import ALICE, BOB, received
from tests.simulator.real_clients import Program
from wigwag.simulator import ACCOUNT_PHONE, Content, ReceiptPolicy, Simulator

pytestmark = pytest.mark.slow

DELIVERED, READ, PLAYED = 1, 4, 6  # as neonize numbers them
BY_NUMBER, BY_LID = "120363000000000001", "120363000000000002"
KEY = {"remoteJID": f"{ALICE}@s.whatsapp.net", "fromMe": True, "ID": "3EB0AAAA"}


@pytest.fixture
async def world() -> AsyncIterator[Simulator]:
    async with Simulator(latency=0.01) as sim:
        sim.put_contact(ALICE, name="Alice")
        sim.put_contact(BOB, name="Bob", addressed_by_lid=True)
        sim.put_contact(ACCOUNT_PHONE, name="Tester")
        sim.put_contact("5511987654321", name="Ana", aliases=["551187654321"])
        for group, by_lid in ((BY_NUMBER, False), (BY_LID, True)):
            await sim.put_group(group, subject="Team", participants=[ACCOUNT_PHONE, ALICE, BOB], by_lid=by_lid)
        yield sim


@asynccontextmanager
async def linked(world: Simulator, folder: Path) -> AsyncIterator[Program]:
    async with real_clients.whatsmeow(world, folder) as program:
        await world.scan((await program.expect("qr"))["code"])
        await program.expect("connected")
        yield program


@pytest.fixture
async def program(world: Simulator, tmp_path: Path) -> AsyncIterator[Program]:
    async with linked(world, tmp_path) as program:
        yield program
    assert [entry.detail for entry in world.journal.log if entry.event == "refused"] == []


OUTGOING: list[tuple[str, dict[str, Any], Content]] = [
    ("text", {"conversation": "hello ☂"}, Content(kind="text", text="hello ☂")),
    (
        "reply",
        {
            "extendedTextMessage": {
                "text": "yes @17770000002",
                "contextInfo": {"stanzaID": "3EB0BBBB", "mentionedJID": [f"{BOB}@s.whatsapp.net"]},
            }
        },
        Content(kind="text", text="yes @17770000002", quoted="3EB0BBBB", mentions=(f"{BOB}@s.whatsapp.net",)),
    ),
    (
        "image",
        {"imageMessage": {"caption": "look", "mimetype": "image/png", "fileLength": "7", "height": 2}},
        Content(kind="image", text="look", fields={"mimetype": "image/png", "length": 7, "height": 2}),
    ),
    ("voice", {"audioMessage": {"PTT": True, "seconds": 3}}, Content(kind="voice", fields={"seconds": 3})),
    (
        "document",
        {"documentWithCaptionMessage": {"message": {"documentMessage": {"fileName": "a.pdf", "caption": "read"}}}},
        Content(kind="document", text="read", fields={"file_name": "a.pdf"}),
    ),
    (
        "location",
        {"locationMessage": {"degreesLatitude": 52.5, "degreesLongitude": -13.25, "name": "Berlin"}},
        Content(kind="location", fields={"latitude": 52.5, "longitude": -13.25, "name": "Berlin"}),
    ),
    (
        "contact",
        {"contactMessage": {"displayName": "Bob", "vcard": "BEGIN:VCARD"}},
        Content(kind="contact", fields={"name": "Bob", "vcard": "BEGIN:VCARD"}),
    ),
    (
        "poll",
        {
            "pollCreationMessage": {
                "name": "Tea?",
                "options": [{"optionName": "yes"}, {"optionName": "no"}],
                "selectableOptionsCount": 1,
            }
        },
        Content(kind="poll", text="Tea?", fields={"options": ["yes", "no"], "selectable": 1}),
    ),
    (
        "reaction",
        {"reactionMessage": {"key": KEY, "text": "👍"}},
        Content(kind="reaction", text="👍", fields={"target": "3EB0AAAA", "from_me": True, "chat": KEY["remoteJID"]}),
    ),
    (
        "edit",
        {
            "editedMessage": {
                "message": {
                    "protocolMessage": {"key": KEY, "type": "MESSAGE_EDIT", "editedMessage": {"conversation": "new"}}
                }
            }
        },
        Content(kind="edit", text="new", fields={"target": "3EB0AAAA", "from_me": True, "chat": KEY["remoteJID"]}),
    ),
    (
        "deletion",
        {"protocolMessage": {"key": KEY, "type": "REVOKE"}},
        Content(kind="deletion", fields={"target": "3EB0AAAA", "from_me": True, "chat": KEY["remoteJID"]}),
    ),
]


def contents(world: Simulator) -> list[Content]:
    names = ("kind", "text", "quoted", "mentions", "fields")
    return [Content(**{name: getattr(line, name) for name in names}) for line in world.journal.inbox]


async def test_every_kind_it_sends_is_told_for_what_it_is(world: Simulator, program: Program) -> None:
    for _, content, _ in OUTGOING:
        await program.do("say", chat=f"{ALICE}@s.whatsapp.net", content=content)
        await program.expect("sent")
    await received(world, len(OUTGOING))
    assert contents(world) == [told for _, _, told in OUTGOING]


@pytest.mark.parametrize(("group", "lid"), [(BY_NUMBER, False), (BY_LID, True)])
async def test_it_writes_into_a_group_and_each_participant_reads_it_once(
    world: Simulator, program: Program, group: str, lid: bool
) -> None:
    for text in ("one", "two"):
        await program.do("say", chat=f"{group}@g.us", content={"conversation": text})
        sent = await program.expect("sent")
        for phone in (ALICE, BOB):
            jid = f"9{phone}@lid" if lid else f"{phone}@s.whatsapp.net"
            for kind in (DELIVERED, READ):
                await program.expect("receipt", ids=[sent["id"]], chat=f"{group}@g.us", jid=jid, kind=kind)
    lines = [(line.phone, line.text, line.group) for line in world.journal.inbox]
    assert lines == [(phone, text, f"{group}@g.us") for text in ("one", "two") for phone in (ALICE, BOB)]
    assert "stale_participants" not in [entry.event for entry in world.journal.log]


@pytest.mark.parametrize(("group", "lid"), [(BY_NUMBER, False), (BY_LID, True)])
async def test_it_reads_what_people_write_into_a_group_also_after_somebody_left(
    world: Simulator, program: Program, group: str, lid: bool
) -> None:
    for phone in (ALICE, BOB):
        for text in ("hello", "all"):
            await world.send_text(phone, text, group=group)
            jid = f"9{phone}@lid" if lid else f"{phone}@s.whatsapp.net"
            await program.expect("message", chat=f"{group}@g.us", jid=jid, text=text)
    people = [ACCOUNT_PHONE, ALICE]
    await world.put_group(group, subject="Team", participants=people, by_lid=lid, by=BOB)
    await program.expect("group", left=[f"9{BOB}@lid" if lid else f"{BOB}@s.whatsapp.net"])
    await world.send_text(ALICE, "only us", group=group)
    await program.expect("message", chat=f"{group}@g.us", text="only us")


async def test_what_it_sends_again_after_the_line_was_cut_is_delivered_once(world: Simulator, program: Program) -> None:
    for number, chat in enumerate((f"{ALICE}@s.whatsapp.net", f"{BY_NUMBER}@g.us")):
        await world.inject("drop_acks", count=1)
        saying = asyncio.create_task(program.do("say", chat=chat, content={"conversation": "once"}), name="say")
        await received(world, 1 + 2 * number)
        await world.cut()
        await saying
        await program.expect("sent")
        assert world.journal.counts.events["duplicate"] == number + 1
    assert sorted((line.phone, line.group) for line in world.journal.inbox if line.group is None) == [(ALICE, None)]
    assert sorted(line.phone for line in world.journal.inbox if line.group) == [ALICE, BOB]


async def test_it_writes_anew_to_a_phone_that_has_lost_its_keys(world: Simulator, tmp_path: Path) -> None:
    async with linked(world, tmp_path) as program:
        for text, so_far in (("before", 3), ("after", 6)):
            for chat in (f"{ALICE}@s.whatsapp.net", f"{BY_LID}@g.us"):
                await program.do("say", chat=chat, content={"conversation": text})
                await program.expect("sent")
            await received(world, so_far)
            world.reset_keys(ALICE)
    by_phone = sorted((line.phone, line.text, bool(line.group)) for line in world.journal.inbox)
    alice = [(ALICE, text, group) for text in ("after", "before") for group in (False, True)]
    assert by_phone == [*alice, (BOB, "after", True), (BOB, "before", True)]


async def test_it_reads_every_kind_that_a_contact_can_send(world: Simulator, program: Program) -> None:
    first = await world.send_text(ALICE, "first")
    await program.expect("message", id=first)
    for _, _, said in OUTGOING:
        fields = {**said.fields, "target": first} if "target" in said.fields else said.fields
        message_id = await world.send(ALICE, Content(**{**_plain(said), "fields": fields}))
        told = await program.expect("message", id=message_id)
        assert told["content"]


def _plain(said: Content) -> dict[str, Any]:
    return {name: getattr(said, name) for name in ("kind", "text", "quoted", "mentions")}


async def test_receipts_reach_it_reversed_and_after_it_was_away(world: Simulator, program: Program) -> None:
    policy = ReceiptPolicy(order="reversed", hold=True, played=True)
    world.set_receipts(policy, ALICE)
    await program.do("say", chat=f"{ALICE}@s.whatsapp.net", content={"audioMessage": {"PTT": True}})
    sent = await program.expect("sent")
    await received(world, 1)
    await world.cut()
    assert await world.release_receipts(ALICE) == 3
    seen = [(await program.expect("receipt", ids=[sent["id"]]))["kind"] for _ in range(3)]
    assert seen == [PLAYED, READ, DELIVERED]


async def test_a_call_rings(world: Simulator, program: Program) -> None:
    call_id = await world.call(ALICE)
    await program.expect("call", jid=f"{ALICE}@s.whatsapp.net", id=call_id)


async def test_a_number_that_has_become_another_is_found_under_it(program: Program) -> None:
    await program.do("known", numbers=["+551187654321", "+5511987654321", "+19998887777"])
    found = (await program.expect("known"))["found"]
    assert [(each["query"], each["jid"], each["is"]) for each in found] == [
        ("+551187654321", "95511987654321@lid", True),
        ("+5511987654321", "95511987654321@lid", True),
        ("+19998887777", "19998887777@s.whatsapp.net", False),
    ]


async def test_an_acknowledgement_with_an_error_is_an_error_in_a_group_too(world: Simulator, program: Program) -> None:
    for chat in (f"{ALICE}@s.whatsapp.net", f"{BY_LID}@g.us"):
        await world.inject("error_463", count=1)
        await program.do("say", chat=chat, content={"conversation": "cold"})
        assert "463" in (await program.expect("unsent"))["why"]
    assert world.journal.counts.by(2) == {}

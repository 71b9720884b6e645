# SPDX-License-Identifier: Apache-2.0
"""Messages to and from groups: one text for all, keys told once, receipts from each, and no word from outside."""

from collections.abc import Callable

import pytest

from tests.simulator.client import Client
from tests.simulator.conftest import ALICE, BOB
from wigwag.simulator import ACCOUNT_PHONE, Simulator, e2e
from wigwag.simulator.stanzas.outgoing import participants_hash
from wigwag.simulator.wire import Jid, Node, Value

ID = "120363000000000001"
GROUP = Jid(ID, "g.us")


def address(phone: str, *, by_lid: bool) -> Jid:
    return Jid(f"9{phone}", "lid") if by_lid else Jid(phone)


def refusals(sim: Simulator) -> list[str]:
    return [entry.detail["reason"] for entry in sim.journal.log if entry.event == "refused"]


@pytest.fixture(params=[False, True], ids=["by number", "by lid"])
async def by_lid(sim: Simulator, online: Client, request: pytest.FixtureRequest) -> bool:
    """How the group of Alice, Bob and the account addresses its participants."""
    await sim.put_group(ID, subject="Team", participants=[ACCOUNT_PHONE, ALICE, BOB], by_lid=request.param)
    await online.expect("notification", type="w:gp2")
    return bool(request.param)


async def test_everybody_reads_it_once_and_sends_receipts_as_a_participant(
    sim: Simulator, online: Client, by_lid: bool
) -> None:
    members = [address(phone, by_lid=by_lid) for phone in (ALICE, BOB)]
    await online.send(await online.group_text(GROUP, members, "hello", "M1"))
    ack = await online.expect("ack", id="M1")
    assert (ack.jid("from"), ack.text("phash")) == (GROUP, participants_hash(sim.exchange.world.group(ID)))
    receipts = [await online.expect("receipt", id="M1") for _ in range(4)]
    assert [(node.jid("from"), node.jid("participant"), node.text("type")) for node in receipts] == [
        (GROUP, member, kind) for member in members for kind in ("", "read")
    ]
    lines = [(line.phone, line.jid, line.group, line.text, line.id) for line in sim.journal.inbox]
    phones = zip((ALICE, BOB), members, strict=True)
    assert lines == [(phone, str(member), str(GROUP), "hello", "M1") for phone, member in phones]


async def test_a_key_that_was_told_serves_for_all_that_follows(sim: Simulator, online: Client, by_lid: bool) -> None:
    members = [address(phone, by_lid=by_lid) for phone in (ALICE, BOB)]
    await online.send(await online.group_text(GROUP, members, "one"))
    await online.send(await online.group_text(GROUP, [], "two"))
    await online.settle()
    assert [line.text for line in sim.journal.inbox] == ["one", "one", "two", "two"]
    assert refusals(sim) == []


async def test_who_was_not_told_the_key_asks_and_gets_the_message_alone(
    sim: Simulator, online: Client, by_lid: bool
) -> None:
    alice, bob = (address(phone, by_lid=by_lid) for phone in (ALICE, BOB))
    await online.send(await online.group_text(GROUP, [alice], "hello", "M1"))
    retry = await online.expect("receipt", type="retry")
    assert (retry.jid("from"), retry.jid("participant")) == (GROUP, bob)
    distribution = online.group_keys.ours(str(GROUP)).distribution()
    told = {"sender_key": {"group": str(GROUP), "distribution": distribution}, "conversation": "hello"}
    copy = await online.copy(bob, e2e.CONTENT.encode(told))
    enc = copy.children[0]
    again = Node("enc", {**enc.attrs, "count": "1"}, enc.content)
    head: dict[str, Value] = {"id": "M1", "type": "text", "to": GROUP, "participant": bob}
    await online.send(Node("message", head, [again, *online.proof_of(copy)]))
    await online.send(await online.group_text(GROUP, [], "more"))
    await online.settle()
    assert [(line.phone, line.text) for line in sim.journal.inbox] == [
        (ALICE, "hello"),
        (BOB, "hello"),
        (ALICE, "more"),
        (BOB, "more"),
    ]


async def test_a_contact_tells_its_key_once_and_anew_after_somebody_has_left(
    sim: Simulator, online: Client, by_lid: bool
) -> None:
    for text in ("one", "two"):
        await sim.send_text(ALICE, text, group=ID)
    first, second = await online.expect("message"), await online.expect("message")
    assert first.jid("participant") == address(ALICE, by_lid=by_lid)
    assert first.text("addressing_mode") == ("lid" if by_lid else "pn")
    assert first.jid("participant_pn" if by_lid else "participant_lid") == address(ALICE, by_lid=not by_lid)
    assert [online.read(node)["conversation"] for node in (first, second)] == ["one", "two"]
    assert [[child.text("type") for child in node.children] for node in (first, second)] == [
        ["pkmsg", "skmsg"],
        ["skmsg"],
    ]
    await sim.put_group(ID, subject="Team", participants=[ACCOUNT_PHONE, ALICE], by_lid=by_lid)
    await sim.send_text(ALICE, "three", group=ID)
    third = await online.expect("message")
    assert (len(third.children), online.read(third)["conversation"]) == (2, "three")


async def test_a_message_that_the_client_cannot_read_comes_anew_with_the_key(
    sim: Simulator, online: Client, by_lid: bool
) -> None:
    message_id = await sim.send_text(ALICE, "unreadable", group=ID)
    lost = await online.expect("message", id=message_id)
    retry = Node("retry", {"count": "1", "id": message_id, "t": "1", "v": "1"})
    head: dict[str, Value] = {"id": message_id, "to": GROUP, "type": "retry", "participant": lost.attrs["participant"]}
    await online.send(Node("receipt", head, [retry]))
    again = await online.expect("message", id=message_id)
    assert online.read(again)["conversation"] == "unreadable"
    await sim.send_text(ALICE, "next", group=ID)
    assert online.read(await online.expect("message"))["conversation"] == "next"


async def test_receipts_of_many_participants_wait_for_a_client_that_is_away(
    sim: Simulator, online: Client, by_lid: bool
) -> None:
    members = [address(phone, by_lid=by_lid) for phone in (ALICE, BOB)]
    await online.send(await online.group_text(GROUP, members, "hello", "M1"))
    acknowledged = await online.expect("receipt", id="M1")
    await online.acknowledge(acknowledged)
    await online.settle()
    await online.open(online.login_payload())
    waiting = [node for node in await online.activate() if node.tag == "receipt"]
    assert [(node.jid("participant"), node.text("type")) for node in waiting] == [
        (members[0], "read"),
        (members[1], ""),
        (members[1], "read"),
    ]


async def test_accounts_in_a_group_read_each_other_device_by_device(
    sim: Simulator, online: Client, by_lid: bool, make_client: Callable[[], Client]
) -> None:
    other = make_client()
    await other.pair("15550009999")
    await other.login()
    people = [ACCOUNT_PHONE, ALICE, "15550009999"]
    await sim.put_group(ID, subject="Team", participants=people, by_lid=by_lid)
    own, theirs = (online.lid, other.lid) if by_lid else (online.jid, other.jid)
    members = [address(ALICE, by_lid=by_lid), theirs.bare, theirs]
    await online.send(await online.group_text(GROUP, members, "hello", "M1"))
    message = await other.expect("message", id="M1")
    assert message.jid("participant") == own
    assert other.read(message)["conversation"] == "hello"
    await other.send(Node("receipt", {"id": "M1", "to": GROUP, "participant": own, "type": "read"}))
    receipt = await online.expect("receipt", type="read", participant=str(theirs.bare))
    assert receipt.jid("from") == GROUP


ENC = Node("enc", {"v": "2", "type": "skmsg"}, b"x")
PAIRWISE = Node("enc", {"v": "2", "type": "msg"}, b"x")


@pytest.mark.parametrize(
    ("attrs", "content", "code"),
    [
        pytest.param({"to": Jid("120363999", "g.us")}, [ENC], "404", id="no such group"),
        pytest.param({"to": Jid("120363000000000002", "g.us")}, [ENC], "403", id="a group of others"),
        pytest.param({"addressing_mode": "lid"}, [ENC], "421", id="another addressing mode"),
        pytest.param(
            {},
            [Node("participants", {}, [Node("to", {"jid": Jid(f"9{ALICE}", "lid")}, [PAIRWISE])]), ENC],
            "421",
            id="a participant by the other address",
        ),
        pytest.param({}, [PAIRWISE], "479", id="not for the group"),
        pytest.param({}, [], "479", id="empty"),
    ],
)
async def test_what_no_group_would_take_is_refused(
    sim: Simulator, online: Client, attrs: dict[str, Value], content: list[Node], code: str
) -> None:
    await sim.put_group(ID, subject="Team", participants=[ACCOUNT_PHONE, ALICE])
    await sim.put_group("120363000000000002", subject="Others", participants=[ALICE, BOB])
    head: dict[str, Value] = {"id": "M1", "type": "text", "to": GROUP, **attrs}
    await online.send(Node("message", head, content or None))
    assert (await online.expect("ack", id="M1")).text("error") == code
    assert list(sim.journal.inbox) == []


async def test_a_copy_for_somebody_outside_reaches_nobody(sim: Simulator, online: Client) -> None:
    await sim.put_group(ID, subject="Team", participants=[ACCOUNT_PHONE, ALICE])
    await online.send(await online.group_text(GROUP, [Jid(ALICE), Jid(BOB)], "hello"))
    await online.settle()
    assert [line.phone for line in sim.journal.inbox] == [ALICE]
    assert refusals(sim) == ["no such device in the group"]


async def test_only_a_participant_writes_into_a_group(sim: Simulator, online: Client) -> None:
    await sim.put_group(ID, subject="Team", participants=[ACCOUNT_PHONE, ALICE])
    with pytest.raises(ValueError, match="not in the group"):
        await sim.send_text(BOB, "let me in", group=ID)
    with pytest.raises(LookupError, match="no group"):
        await sim.send_text(BOB, "let me in", group="12345")


async def test_what_changes_in_a_group_is_told_with_who_did_it(sim: Simulator, online: Client) -> None:
    await sim.put_group(ID, subject="Team", participants=[ACCOUNT_PHONE, ALICE, BOB], admins=[ALICE])
    await online.expect("notification")
    await sim.put_group(ID, subject="Club", participants=[ACCOUNT_PHONE, ALICE, BOB], admins=[BOB], by=BOB)
    news = [await online.expect("notification") for _ in range(3)]
    assert [(node.children[0].tag, node.jid("participant")) for node in news] == [
        ("subject", Jid(BOB)),
        ("promote", Jid(BOB)),
        ("demote", Jid(BOB)),
    ]
    await sim.put_group(ID, subject="Club", participants=[ACCOUNT_PHONE, ALICE], admins=[ALICE], by=BOB)
    left = await online.expect("notification")
    assert (left.children[0].tag, left.children[0].children[0].jid("jid")) == ("remove", Jid(BOB))


@pytest.mark.parametrize("kind", ["drop_acks", "delay_acks", "error_acks"])
async def test_faults_of_acknowledgements_strike_in_groups_too(sim: Simulator, online: Client, kind: str) -> None:
    await sim.put_group(ID, subject="Team", participants=[ACCOUNT_PHONE, ALICE])
    await sim.inject(kind, count=1)
    stanza = await online.group_text(GROUP, [Jid(ALICE)], "hello", "M1")
    await online.send(stanza)
    await online.settle()
    acks = [node.text("error") for node in online.seen if node.tag == "ack"]
    assert acks == (["463"] if kind == "error_acks" else [])
    assert len(sim.journal.inbox) == (kind != "error_acks")
    await online.send(stanza)
    await online.expect("ack", id="M1", error="")
    await online.settle()
    assert [line.text for line in sim.journal.inbox] == ["hello"]

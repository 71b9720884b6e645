# SPDX-License-Identifier: Apache-2.0
"""Text both ways, end to end encrypted, with receipts, repeats and retries."""

from collections.abc import Callable

import pytest

from tests.simulator.client import Client, key_node
from tests.simulator.conftest import ALICE, BOB
from wigwag.simulator import ACCOUNT_PHONE, Content, ReceiptPolicy, Simulator, e2e
from wigwag.simulator.content import tell
from wigwag.simulator.wire import Jid, Node


def refusals(sim: Simulator) -> list[str]:
    return [entry.detail["reason"] for entry in sim.journal.log if entry.event == "refused"]


async def test_a_text_is_acknowledged_decrypted_and_receipted_in_that_order(sim: Simulator, online: Client) -> None:
    await online.send(await online.text(Jid(ALICE), "hello", "M1"))
    online.seen.clear()
    await online.expect("receipt", type="read")
    kinds = [(node.tag, node.text("type"), node.text("id")) for node in online.seen]
    assert kinds == [("ack", "", "M1"), ("receipt", "", "M1")]
    message = sim.journal.inbox[-1]
    assert (message.phone, message.kind, message.text, message.id) == (ALICE, "text", "hello", "M1")
    assert (message.account, message.device) == (ACCOUNT_PHONE, 1)


async def test_a_lid_is_as_good_an_address(sim: Simulator, online: Client) -> None:
    await online.send(await online.text(Jid(f"9{ALICE}", "lid"), "hello"))
    receipt = await online.expect("receipt", type="")
    assert receipt.jid("from") == Jid(f"9{ALICE}", "lid")
    assert (sim.journal.inbox[-1].phone, sim.journal.inbox[-1].jid) == (ALICE, f"9{ALICE}@lid")


@pytest.mark.parametrize(
    ("delivery", "read", "kinds"), [(True, False, [""]), (False, True, ["read"]), (False, False, [])]
)
async def test_contacts_send_the_receipts_they_are_told_to(
    sim: Simulator, online: Client, delivery: bool, read: bool, kinds: list[str]
) -> None:
    sim.set_receipts(ReceiptPolicy(delivery=delivery, read=read))
    await online.send(await online.text(Jid(ALICE), "hello"))
    await online.settle()
    assert [node.text("type") for node in online.seen if node.tag == "receipt"] == kinds


async def test_a_conversation_goes_on_in_both_directions(sim: Simulator, online: Client) -> None:
    for number in range(3):
        await online.send(await online.text(Jid(ALICE), f"ping {number}"))
        await online.settle()
        await sim.send_text(ALICE, f"pong {number}")
        message = await online.expect("message")
        assert online.read(message)["conversation"] == f"pong {number}"
    assert [message.text for message in sim.journal.inbox] == ["ping 0", "ping 1", "ping 2"]


async def test_a_contact_may_write_first_and_says_who_it_is(sim: Simulator, online: Client) -> None:
    await sim.send_text(ALICE, "it is me")
    await sim.send_text(BOB, "and me")
    from_alice, from_bob = await online.expect("message"), await online.expect("message")
    assert (from_alice.jid("from"), from_alice.jid("sender_lid")) == (Jid(ALICE), Jid(f"9{ALICE}", "lid"))
    assert (from_bob.jid("from"), from_bob.jid("sender_pn")) == (Jid(f"9{BOB}", "lid"), Jid(BOB))
    assert [node.text("notify") for node in (from_alice, from_bob)] == ["Alice", "Bob"]
    enc = from_alice.child("enc")
    assert enc
    assert enc.text("type") == "pkmsg"
    assert online.read(from_bob)["conversation"] == "and me"


async def test_what_is_not_text_is_kept_by_its_kind(sim: Simulator, online: Client) -> None:
    online.keys.open(ALICE, await online.fetch_bundle(Jid(ALICE)))
    for fields in ({"image": {"url": "x"}}, {"extended_text": {"text": "a link"}}, {}):
        kind, message = online.keys.encrypt(ALICE, e2e.CONTENT.encode(fields))
        enc, proof = Node("enc", {"v": "2", "type": kind}, message), Node("device-identity", {}, online.proof)
        head: dict[str, str | Jid] = {"id": online.next_id(), "type": "media", "to": Jid(ALICE)}
        await online.send(Node("message", head, [enc, proof]))
    await online.settle()
    assert [(line.kind, line.text) for line in sim.journal.inbox] == [
        ("image", None),
        ("text", "a link"),
        ("unknown", None),
    ]


async def test_the_copy_for_the_own_phone_is_read_and_is_nobodys_mail(sim: Simulator, online: Client) -> None:
    own = online.jid.bare
    online.keys.open(own, await online.fetch_bundle(own))
    content = {"device_sent": {"destination": str(Jid(ALICE)), "message": {"conversation": "hello"}}}
    kind, message = online.keys.encrypt(own, e2e.CONTENT.encode(content))
    stanza = await online.text(Jid(ALICE), "hello")
    participants = stanza.children[0]
    participants.children.append(Node("to", {"jid": own}, [Node("enc", {"v": "2", "type": kind}, message)]))
    await online.send(stanza)
    await online.settle()
    assert [line.phone for line in sim.journal.inbox] == [ALICE]
    copies = [entry.detail["device_sent"] for entry in sim.journal.log if entry.event == "own_copy"]
    assert copies == [True]


async def test_a_repeated_id_is_acknowledged_again_but_delivered_once(sim: Simulator, online: Client) -> None:
    """After a lost acknowledgement clients send the very same stanza once more."""
    stanza = await online.text(Jid(ALICE), "hello", "M1")
    for _ in range(2):
        await online.send(stanza)
    await online.settle()
    assert len([node for node in online.seen if node.tag == "ack"]) == 2
    assert len(sim.journal.inbox) == 1
    assert [entry.detail["id"] for entry in sim.journal.log if entry.event == "duplicate"] == ["M1"]


async def test_a_message_that_does_not_decrypt_is_asked_for_again(sim: Simulator, online: Client) -> None:
    stanza = await online.text(Jid(ALICE), "hello", "M1")
    enc = stanza.children[0].children[0].children[0]
    broken = Node("enc", enc.attrs, enc.data[:-1] + bytes([enc.data[-1] ^ 1]))
    copy = Node("to", {"jid": Jid(ALICE)}, [broken])
    await online.send(Node("message", stanza.attrs, [Node("participants", {}, [copy]), *stanza.children[1:]]))
    retry = await online.expect("receipt", type="retry")
    assert retry.text("id") == "M1"
    assert retry.child("registration")
    assert list(sim.journal.inbox) == []
    assert refusals(sim) == ["the MAC is wrong"]


@pytest.mark.parametrize("with_keys", [True, False])
async def test_a_client_that_cannot_read_a_message_gets_it_anew(
    sim: Simulator, online: Client, with_keys: bool
) -> None:
    message_id = await sim.send_text(ALICE, "unreadable")
    await online.expect("message", id=message_id)
    bundle = online.keys.bundle()
    content = [Node("retry", {"count": "1", "id": message_id, "t": "1", "v": "1"})]
    if with_keys:
        assert bundle.one_time
        signature = Node("signature", {}, bundle.signed.signature)
        skey = key_node("skey", bundle.signed.id, bundle.signed.public, signature)
        content.append(Node("keys", {}, [key_node("key", *bundle.one_time), skey]))
    await online.send(Node("receipt", {"id": message_id, "to": Jid(ALICE), "type": "retry"}, content))
    again = await online.expect("message", id=message_id)
    enc = again.child("enc")
    assert enc
    assert (enc.text("type"), enc.text("count")) == ("pkmsg", "1")
    assert online.read(again)["conversation"] == "unreadable"


async def test_a_retry_without_end_is_refused(sim: Simulator, online: Client) -> None:
    message_id = await sim.send_text(ALICE, "unreadable")
    retry = Node("retry", {"count": "6", "id": message_id, "t": "1", "v": "1"})
    await online.send(Node("receipt", {"id": message_id, "to": Jid(ALICE), "type": "retry"}, [retry]))
    await online.settle()
    assert "5 times at most" in refusals(sim)[-1]


async def test_receipts_of_the_client_are_acknowledged_and_kept(sim: Simulator, online: Client) -> None:
    items = Node("list", {}, [Node("item", {"id": "B"}), Node("item", {"id": "C"})])
    await online.send(Node("receipt", {"id": "A", "to": Jid(ALICE), "type": "read", "t": "1790000000"}, [items]))
    ack = await online.expect("ack")
    assert (ack.text("class"), ack.text("id"), ack.text("type")) == ("receipt", "A", "read")
    receipt = sim.journal.receipts[-1]
    assert (receipt.kind, receipt.ids, receipt.jid) == ("read", ["A", "B", "C"], f"{ALICE}@s.whatsapp.net")


ENC = Node("enc", {"v": "2", "type": "msg"}, b"x")


@pytest.mark.parametrize(
    ("stanza", "code"),
    [
        pytest.param(Node("message", {"id": "M1", "type": "text"}, [ENC]), "479", id="to nobody"),
        pytest.param(Node("message", {"id": "M1", "to": Jid(ALICE)}, [ENC]), "479", id="of no type"),
        pytest.param(Node("message", {"id": "M1", "to": Jid(ALICE), "type": "text"}), "479", id="empty"),
        pytest.param(
            Node("message", {"id": "M1", "to": Jid(ALICE), "type": "text"}, [Node("enc", {"type": "plain"}, b"x")]),
            "479",
            id="not encrypted",
        ),
        pytest.param(
            Node("message", {"id": "M1", "to": Jid(ALICE), "type": "text"}, [Node("enc", {"type": "pkmsg"}, b"x")]),
            "479",
            id="a first message without proof of identity",
        ),
        pytest.param(
            Node("message", {"id": "M1", "to": Jid("19998887777"), "type": "text"}, [ENC]), "404", id="stranger"
        ),
        pytest.param(
            Node("message", {"id": "M1", "to": Jid("12036", "g.us"), "type": "text"}, [ENC]), "404", id="no such group"
        ),
        pytest.param(Node("receipt", {"id": "M1"}), "479", id="a receipt to nobody"),
    ],
)
async def test_a_bad_message_or_receipt_is_acknowledged_with_an_error(
    sim: Simulator, online: Client, stanza: Node, code: str
) -> None:
    await online.send(stanza)
    ack = await online.expect("ack", id="M1")
    assert (ack.text("class"), ack.text("error")) == (stanza.tag, code)
    assert len(refusals(sim)) == 1
    assert list(sim.journal.inbox) == []


@pytest.mark.parametrize("stanza", [Node("message", {"to": Jid(ALICE)}), Node("ack", {"class": "message"})])
async def test_a_stanza_without_its_id_is_an_invalid_stanza(online: Client, stanza: Node) -> None:
    await online.send(stanza)
    assert (await online.expect("error")).text("code") == "479"


async def test_a_first_message_with_the_proof_of_another_device_is_refused(
    sim: Simulator, online: Client, make_client: Callable[[], Client]
) -> None:
    other = make_client()
    await other.pair("15550009999")
    online.proof = other.proof
    await online.send(await online.text(Jid(ALICE), "hello", "M1"))
    assert (await online.expect("ack", id="M1")).text("error") == "479"


async def test_accounts_write_to_each_other_device_to_device(online: Client, make_client: Callable[[], Client]) -> None:
    other = make_client()
    await other.pair("15550009999")
    await other.login()
    await online.send(await online.text(other.jid, "hello", "M1"))
    message = await other.expect("message", id="M1")
    assert message.jid("from") == online.jid
    assert message.child("device-identity")
    assert other.read(message)["conversation"] == "hello"
    await other.send(Node("receipt", {"id": "M1", "to": online.jid, "type": "read", "t": "1790000000"}))
    receipt = await online.expect("receipt", type="read")
    assert (receipt.text("id"), receipt.jid("from")) == ("M1", Jid("15550009999"))


async def test_a_device_that_is_gone_misses_its_copy_and_the_log_says_so(sim: Simulator, online: Client) -> None:
    stanza = Node("message", {"id": "M1", "type": "text", "to": Jid(ALICE, device=3)}, [ENC])
    await online.send(stanza)
    await online.settle()
    assert refusals(sim) == ["no such device"]


async def test_every_kind_that_a_contact_sends_comes_under_its_type(sim: Simulator, online: Client) -> None:
    said = {
        "text": Content(kind="text", text="hello"),
        "media": Content(kind="voice", fields={"seconds": 3}),
        "poll": Content(kind="poll", text="Tea?", fields={"options": ["yes", "no"]}),
        "reaction": Content(kind="reaction", text="👍", fields={"target": "M1"}),
    }
    for kind, content in said.items():
        message_id = await sim.send(ALICE, content)
        message = await online.expect("message", id=message_id, type=kind)
        assert tell(online.read(message)).kind == content.kind


async def test_what_is_about_another_message_names_it_and_its_author(sim: Simulator, online: Client) -> None:
    for kind, own, edit in (("edit", True, "1"), ("deletion", True, "7"), ("reaction", False, "")):
        text = None if kind == "deletion" else "new"
        await sim.send(ALICE, Content(kind=kind, text=text, fields={"target": "M1"}))
        message = await online.expect("message", edit=edit)
        expected = {"target": "M1", "from_me": own, "chat": f"{ACCOUNT_PHONE}@s.whatsapp.net"}
        assert tell(online.read(message)) == Content(kind=kind, text=text, fields=expected)


async def test_any_bytes_can_be_sent_as_a_message(sim: Simulator, online: Client) -> None:
    raw = e2e.CONTENT.encode({"conversation": "hello"}) + b"\xfa\x07\x00"
    message_id = await sim.send_message(ALICE, raw)
    enc = (await online.expect("message", id=message_id)).child("enc")
    assert enc
    assert online.keys.decrypt(Jid(ALICE), enc.text("type"), enc.data) == raw


async def test_what_a_contact_received_is_kept_to_the_byte(sim: Simulator, online: Client) -> None:
    raw = e2e.CONTENT.encode({"extended_text": {"text": "yes", "context": {"quoted": "M0", "mentions": ["a@lid"]}}})
    raw += b"\xfa\x07\x00"
    await online.send(await online.message(Jid(ALICE), raw, "M1"))
    await online.settle()
    line = sim.journal.inbox[-1]
    assert (line.text, line.quoted, line.mentions, line.message) == ("yes", "M0", ("a@lid",), raw)


async def test_a_call_rings_on_every_device_until_it_is_ended(sim: Simulator, online: Client) -> None:
    call_id = await sim.call(BOB, video=True)
    offer = await online.expect("call")
    assert offer.jid("from") == Jid(f"9{BOB}", "lid")
    step = offer.children[0]
    assert (step.tag, step.text("call-id"), step.jid("caller_pn")) == ("offer", call_id, Jid(BOB))
    assert [child.tag for child in step.children] == ["audio", "video"]
    await online.acknowledge(offer)
    await sim.hang_up(BOB, call_id)
    assert (await online.expect("call")).children[0].tag == "terminate"


async def test_a_call_can_be_rejected_and_no_more(sim: Simulator, online: Client) -> None:
    for step, error in (("reject", ""), ("accept", "501")):
        child = Node(step, {"call-id": "C1", "call-creator": Jid(ALICE)})
        await online.send(Node("call", {"id": f"S{step}", "to": Jid(ALICE)}, [child]))
        assert (await online.expect("ack", id=f"S{step}", class_="call")).text("error") == error
    assert [entry.detail["call"] for entry in sim.journal.log if entry.event == "call_rejected"] == ["C1"]


async def test_a_phone_asks_five_times_with_fresh_keys_from_the_second(sim: Simulator, online: Client) -> None:
    stanza = await online.text(Jid(ALICE), "hello", "M1")
    copy = stanza.children[0].children[0]
    asked = []
    for count in range(7):
        attrs = copy.children[0].attrs | ({"count": str(count)} if count else {})
        enc = Node("enc", attrs, b"\x33unreadable")
        await online.send(Node("message", stanza.attrs, [enc, *stanza.children[1:]]))
        await online.settle()
        retries = [node for node in online.seen if node.text("type") == "retry"]
        asked += [(node.children[0].text("count"), node.child("keys") is not None) for node in retries]
        online.seen.clear()
    assert asked == [("1", False), ("2", True), ("3", True), ("4", True), ("5", True)]


async def test_a_phone_without_its_keys_reads_what_is_written_with_the_new_ones(sim: Simulator, online: Client) -> None:
    await online.send(await online.text(Jid(ALICE), "before"))
    await online.settle()
    sim.reset_keys(ALICE)
    await online.send(await online.text(Jid(ALICE), "lost"))
    await online.expect("receipt", type="retry")
    online.keys.open(Jid(ALICE), await online.fetch_bundle(Jid(ALICE)))
    await online.send(await online.text(Jid(ALICE), "after"))
    await online.settle()
    assert [line.text for line in sim.journal.inbox] == ["before", "after"]

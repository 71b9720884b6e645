# SPDX-License-Identifier: Apache-2.0
"""Messages of a client: checked, acknowledged, and brought to each device they were encrypted for.

Phones are simulated and decrypt their copy into the inbox; linked devices get theirs as it came. The server itself
reads nothing.
"""

from collections.abc import Iterator
from typing import Any

from wigwag.simulator import phone, schema
from wigwag.simulator.exchange import Exchange, Refusal, Stream
from wigwag.simulator.journal import Received
from wigwag.simulator.protobuf import ProtobufError
from wigwag.simulator.ratchet import SignalError
from wigwag.simulator.wire import Jid, Node, Value
from wigwag.simulator.world import Device, Person


def handle(exchange: Exchange, stream: Stream, node: Node) -> None:
    to = _check(exchange, stream, node)
    fault = exchange.faults.strike("error_acks", stream.account, exchange.now())
    if fault:
        exchange.journal.note("messages", "error_ack", stream.account, id=node.text("id"), code=fault.code)
        stream.post(_ack(exchange, node, to, error=str(fault.code)))
        return
    parts = list(_parts(node, to))
    if stream.device.sent_before(node.text("id")):
        exchange.journal.refuse("messages", "duplicate message id", stream.account, id=node.text("id"))
        parts = []
    _acknowledge(exchange, stream, _ack(exchange, node, to))
    for jid, enc in parts:
        _bring(exchange, stream.device, node, jid, enc)


def _check(exchange: Exchange, stream: Stream, node: Node) -> Jid:
    to = node.jid("to")
    if to is None or not node.text("id") or not node.text("type"):
        raise Refusal(479, "a message needs id, to and type")
    if to.server == "g.us":
        raise Refusal(501, "messages to groups are not simulated")
    if to.server not in ("s.whatsapp.net", "lid") or exchange.world.find(to) is None:
        raise Refusal(404, f"nobody has the address {to}")
    if any(enc.text("type") == "pkmsg" for _, enc in _parts(node, to)):
        _check_identity(stream.device, node.child("device-identity"))
    return to


def _check_identity(device: Device, node: Node | None) -> None:
    """A first message proves that its device belongs to the account."""
    try:
        shown = schema.SIGNED_DEVICE_IDENTITY.decode(node.data) if node else {}
    except ProtobufError:
        shown = {}
    ours = schema.SIGNED_DEVICE_IDENTITY.decode(device.proof)
    if any(shown.get(name) != ours[name] for name in ("details", "device_signature")):
        raise Refusal(479, "a pkmsg without the device identity that was paired")


def _parts(node: Node, to: Jid) -> Iterator[tuple[Jid, Node]]:
    """Every device's address and its own encrypted copy."""
    participants = node.child("participants")
    copies = [(part.jid("jid"), part.child("enc")) for part in participants.children] if participants else []
    if direct := node.child("enc"):
        copies.append((to, direct))
    if not copies:
        raise Refusal(479, "a message without <enc>")
    for jid, enc in copies:
        if jid is None or enc is None or enc.text("type") not in ("pkmsg", "msg") or not enc.data:
            raise Refusal(479, "a copy needs the address of a device and an <enc> of type pkmsg or msg")
        yield jid, enc


def _ack(exchange: Exchange, node: Node, to: Jid, **more: str) -> Node:
    return Node("ack", {"class": "message", "id": node.text("id"), "from": to, "t": exchange.time(), **more})


def _acknowledge(exchange: Exchange, stream: Stream, ack: Node) -> None:
    now = exchange.now()
    if exchange.faults.strike("drop_acks", stream.account, now):
        exchange.journal.note("messages", "ack_dropped", stream.account, id=ack.text("id"))
    elif fault := exchange.faults.strike("delay_acks", stream.account, now):
        exchange.journal.note("messages", "ack_delayed", stream.account, id=ack.text("id"), seconds=fault.delay)
        exchange.delayed.append((now + fault.delay, stream, ack))
    else:
        stream.post(ack)


def _bring(exchange: Exchange, sender: Device, node: Node, jid: Jid, enc: Node) -> None:
    person = exchange.world.find(jid)
    device = person.devices.get(jid.device) if person else None
    if person and not jid.device:
        _read(exchange, sender, node, person, jid, enc)
    elif device:
        _relay(exchange, sender, node, device, enc)
    else:
        exchange.journal.refuse("messages", "no such device", sender.person.phone, jid=str(jid))


def _read(exchange: Exchange, sender: Device, node: Node, person: Person, jid: Jid, enc: Node) -> None:
    account, message_id = sender.person.phone, node.text("id")
    try:
        content = phone.read(person, sender, enc.text("type"), enc.data)
    except SignalError as error:
        exchange.journal.refuse("messages", str(error), account, id=message_id, to=str(jid))
        _ask_again(exchange, sender, node, person, jid)
        return
    if person is sender.person:
        exchange.journal.note("messages", "own_copy", account, id=message_id, device_sent=content.device_sent)
        return
    fields: dict[str, Any] = {"id": message_id, "account": account, "device": sender.number, "phone": person.phone}
    received = Received(**exchange.journal.stamp(), **fields, jid=str(jid), kind=content.kind, text=content.text)
    exchange.journal.inbox.append(received)
    exchange.journal.note("messages", "message", account, id=message_id, to=str(jid), kind=content.kind)
    kinds = [""] * exchange.receipts.delivery + ["read"] * exchange.receipts.read
    for kind in kinds:
        head: dict[str, Value] = {"from": jid, "id": message_id, "t": exchange.time()}
        exchange.deliver(sender, Node("receipt", head | ({"type": kind} if kind else {})))


def _ask_again(exchange: Exchange, sender: Device, node: Node, person: Person, jid: Jid) -> None:
    """What a phone does with a message it cannot read: a retry receipt."""
    message_id, now = node.text("id"), exchange.time()
    body = [
        Node("retry", {"count": "1", "id": message_id, "t": now, "v": "1"}),
        Node("registration", {}, person.keys.registration.to_bytes(4, "big")),
    ]
    exchange.deliver(sender, Node("receipt", {"from": jid, "id": message_id, "t": now, "type": "retry"}, body))


def _relay(exchange: Exchange, sender: Device, node: Node, device: Device, enc: Node) -> None:
    """From one linked device to another: the copy as it is, under the sender's own address."""
    head: dict[str, Value] = {
        "from": sender.lid if sender.person.addressed_by_lid else sender.jid,
        "id": node.text("id"),
        "type": node.text("type"),
        "t": exchange.time(),
        "notify": sender.person.name,
    }
    if sender.person is device.person:
        head["recipient"] = node.attrs["to"]
    elif sender.person.addressed_by_lid:
        head["sender_pn"] = sender.person.jid
    else:
        head["sender_lid"] = sender.person.lid_jid
    proof = [Node("device-identity", {}, sender.proof)] if enc.text("type") == "pkmsg" else []
    exchange.deliver(device, Node("message", head, [enc, *proof]))

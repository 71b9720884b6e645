# SPDX-License-Identifier: Apache-2.0
"""Messages of a client: acknowledged, and then brought to each device they were encrypted for.

Phones are simulated and read their copy (`reading`); linked devices get theirs as it came. The server itself reads
nothing.
"""

from functools import partial

from wigwag.simulator.exchange import Exchange, Stream
from wigwag.simulator.stanzas import reading
from wigwag.simulator.stanzas.outgoing import Outgoing, check, participants_hash
from wigwag.simulator.wire import Jid, Node, Value
from wigwag.simulator.world import Device, Group


def handle(exchange: Exchange, stream: Stream, node: Node) -> None:
    outgoing = check(exchange, stream, node)
    fault = exchange.faults.strike("error_acks", stream.account, exchange.now())
    if fault:
        exchange.journal.note("messages", "error_ack", stream.account, id=outgoing.id, code=fault.code)
        stream.post(_ack(exchange, outgoing, error=str(fault.code)))
        return
    known = stream.device.sent_before(outgoing.id)
    _acknowledge(exchange, stream, _ack(exchange, outgoing))
    if known and not outgoing.again:
        exchange.journal.note("messages", "duplicate", stream.account, id=outgoing.id, to=str(outgoing.to))
    else:
        exchange.to_bring.append(partial(_bring_to_all, exchange, stream.device, outgoing))


def _ack(exchange: Exchange, outgoing: Outgoing, **more: str) -> Node:
    head: dict[str, Value] = {"class": "message", "id": outgoing.id, "from": outgoing.to, "t": exchange.time(), **more}
    if outgoing.group:
        head["phash"] = participants_hash(outgoing.group)
    return Node("ack", head)


def _acknowledge(exchange: Exchange, stream: Stream, ack: Node) -> None:
    now = exchange.now()
    if exchange.faults.strike("drop_acks", stream.account, now):
        exchange.journal.note("messages", "ack_dropped", stream.account, id=ack.text("id"))
    elif fault := exchange.faults.strike("delay_acks", stream.account, now):
        exchange.journal.note("messages", "ack_delayed", stream.account, id=ack.text("id"), seconds=fault.delay)
        exchange.delayed.append((now + fault.delay, stream, ack))
    else:
        stream.post(ack)


def _bring_to_all(exchange: Exchange, sender: Device, outgoing: Outgoing) -> None:
    if outgoing.group:
        _bring_to_group(exchange, sender, outgoing, outgoing.group)
        return
    for jid, enc in outgoing.copies:
        _bring(exchange, sender, outgoing, jid, [enc])


def _bring_to_group(exchange: Exchange, sender: Device, outgoing: Outgoing, group: Group) -> None:
    """To every device in the group but the one that has sent it: its own copy, if there is one, and the shared one."""
    copies = dict(outgoing.copies)
    addresses = [group.address(person) for person in group.participants]
    members = [jid._replace(device=n) for jid in addresses for n in (0, *exchange.world.devices(jid))]
    for jid in members:
        parts = [enc for enc in (copies.pop(jid, None), outgoing.shared) if enc]
        if parts and exchange.world.device(jid) is not sender:
            _bring(exchange, sender, outgoing, jid, parts)
    for jid in copies:
        exchange.journal.refuse("messages", "no such device in the group", sender.person.phone, jid=str(jid))


def _bring(exchange: Exchange, sender: Device, outgoing: Outgoing, jid: Jid, parts: list[Node]) -> None:
    person, device = exchange.world.find(jid), exchange.world.device(jid)
    if person and not jid.device:
        reading.read(exchange, person, reading.Letter(outgoing.id, sender, jid, outgoing.group, parts))
    elif device:
        _relay(exchange, sender, outgoing, device, parts)
    else:
        exchange.journal.refuse("messages", "no such device", sender.person.phone, jid=str(jid))


def _relay(exchange: Exchange, sender: Device, outgoing: Outgoing, device: Device, parts: list[Node]) -> None:
    """From one linked device to another: the copies as they are, under the sender's own address."""
    node, person = outgoing.node, sender.person
    head: dict[str, Value] = {"id": outgoing.id, "type": node.text("type"), "t": exchange.time(), "notify": person.name}
    head |= {"edit": node.text("edit")} if "edit" in node.attrs else {}
    if outgoing.group:
        participant = outgoing.group.address(person)._replace(device=sender.number)
        head |= {"from": outgoing.to, "participant": participant, "addressing_mode": outgoing.group.mode}
        head |= outgoing.group.other_address(person)
    else:
        head |= _sender(sender, device, outgoing.to)
    proof = [Node("device-identity", {}, sender.proof)] if any(enc.text("type") == "pkmsg" for enc in parts) else []
    exchange.deliver(device, Node("message", head, [*parts, *proof]))


def _sender(sender: Device, device: Device, to: Jid) -> dict[str, Value]:
    person = sender.person
    if person is device.person:
        return {"from": sender.lid if person.addressed_by_lid else sender.jid, "recipient": to}
    if person.addressed_by_lid:
        return {"from": sender.lid, "sender_pn": person.jid}
    return {"from": sender.jid, "sender_lid": person.lid_jid}

# SPDX-License-Identifier: Apache-2.0
"""Receipts and acknowledgements: what a client has got, what its user has read, what it could not decrypt.

Each receipt of a client is acknowledged; a message or notification leaves its queue when the client acknowledges it.
"""

from typing import Any

from wigwag.simulator import phone
from wigwag.simulator.exchange import Exchange, Refusal, Stream
from wigwag.simulator.ratchet import SignalError
from wigwag.simulator.signal import Bundle
from wigwag.simulator.stanzas import prekeys
from wigwag.simulator.stanzas.reading import MOST_RETRIES
from wigwag.simulator.wire import Node, Value
from wigwag.simulator.world import Person

_RELAYED = ("", "read", "played")


def handle(exchange: Exchange, stream: Stream, node: Node) -> None:
    to, kind = node.jid("to"), node.text("type")
    if to is None or not node.text("id"):
        raise Refusal(479, "a receipt needs id and to")
    items = node.child("list")
    ids = [node.text("id"), *(item.text("id") for item in (items.children if items else []))]
    fields: dict[str, Any] = {"account": stream.account, "device": stream.device.number, "jid": str(to)}
    participant = node.text("participant") or None
    exchange.journal.receipt(**fields, participant=participant, kind=kind or "delivery", ids=ids)
    for message_id in ids:
        stream.device.drop_message(message_id)
    head: dict[str, Value] = {"class": "receipt", "id": node.text("id"), "from": to, "t": exchange.time()}
    stream.post(Node("ack", head | ({"type": kind} if kind else {})))
    if kind == "retry":
        _retry(exchange, stream, node)
    elif kind in _RELAYED:
        author = node.jid("participant") if to.server == "g.us" else to
        _relay(exchange, stream, node, exchange.world.find(author) if author else None)


def handle_ack(exchange: Exchange, stream: Stream, node: Node) -> None:
    if not node.text("id") or not node.text("class"):
        raise Refusal(479, "an ack needs id and class")
    if error := node.text("error"):
        exchange.journal.note("receipts", "nack", stream.account, id=node.text("id"), error=error)
    stream.device.acknowledge(node.text("class"), node)


def _relay(exchange: Exchange, stream: Stream, node: Node, person: Person | None) -> None:
    """Another account hears of it on all its devices; a simulated contact needs no telling."""
    for device in person.devices.values() if person else []:
        if person is not stream.device.person:
            head = {**node.attrs, **_reader(exchange, stream.device.person, node), "t": exchange.time()}
            head.pop("to")
            exchange.deliver(device, Node("receipt", head, node.content))


def _reader(exchange: Exchange, person: Person, node: Node) -> dict[str, Value]:
    """Whose receipt it is; in a group, a participant's."""
    to = node.jid("to")
    group = exchange.world.groups.get(to.user) if to and to.server == "g.us" else None
    return {"from": group.jid, "participant": group.address(person)} if group else {"from": person.address}


def _retry(exchange: Exchange, stream: Stream, node: Node) -> None:
    retry = node.child("retry")
    count = retry.text("count") if retry else ""
    if not count.isdecimal():
        raise Refusal(479, "a retry receipt needs a count")
    message_id = node.text("id")
    if int(count) > MOST_RETRIES:
        raise Refusal(479, f"retry {count}: a message is written anew {MOST_RETRIES} times at most")
    try:
        sent = phone.rewrite(exchange, stream.device, message_id, int(count), _fresh_keys(stream, node))
    except SignalError as error:
        raise Refusal(479, f"the keys of the retry receipt: {error}") from error
    exchange.journal.note("receipts", "retry", stream.account, id=message_id, count=count, sent_again=sent)


def _fresh_keys(stream: Stream, node: Node) -> Bundle | None:
    keys = node.child("keys")
    if keys is None:
        return None
    one_time = keys.child("key")
    device = stream.device
    return Bundle(
        registration=device.registration,
        identity=device.identity,
        signed=prekeys.read_signed(keys, device.identity),
        one_time=prekeys.read_key(one_time) if one_time else None,
    )

# SPDX-License-Identifier: Apache-2.0
"""What the simulated phones read: they decrypt what a client wrote to them, keep it in the journal, and answer.

A phone reads a message once, however often it comes, and asks for it again when it cannot read it.
"""

import base64
from dataclasses import dataclass
from typing import Any

from wigwag.simulator import content, e2e
from wigwag.simulator.exchange import Exchange
from wigwag.simulator.protobuf import ProtobufError
from wigwag.simulator.ratchet import SignalError
from wigwag.simulator.stanzas import prekeys
from wigwag.simulator.wire import Jid, Node, Value
from wigwag.simulator.world import Device, Group, Person

MOST_RETRIES = 5
"""How often a message is asked for again."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message for one phone: who wrote it, to which address, and its encrypted parts."""

    id: str
    sender: Device
    jid: Jid
    group: Group | None
    parts: list[Node]


def read(exchange: Exchange, person: Person, letter: Letter) -> None:
    """Read it and answer with receipts; or ask for it again."""
    account = letter.sender.person
    try:
        messages = [_open(person, letter, enc) for enc in letter.parts]
    except SignalError as error:
        exchange.journal.refuse("messages", str(error), account.phone, id=letter.id, to=str(letter.jid))
        _ask_again(exchange, person, letter)
        return
    if not messages or person.read_before(account.phone, letter.id):
        return
    raw, values = messages[-1]
    if person is account:
        device_sent = "device_sent" in values
        exchange.journal.trace("messages", "own_copy", account.phone, id=letter.id, device_sent=device_sent)
    else:
        _keep(exchange, person, letter, raw, content.tell(values))


def _keep(exchange: Exchange, person: Person, letter: Letter, raw: bytes, said: content.Content) -> None:
    exchange.journal.received(
        id=letter.id,
        account=letter.sender.person.phone,
        device=letter.sender.number,
        phone=person.phone,
        jid=str(letter.jid),
        group=str(letter.group.jid) if letter.group else None,
        kind=said.kind,
        text=said.text,
        quoted=said.quoted,
        mentions=said.mentions,
        fields=said.fields,
        raw=base64.b64encode(raw).decode(),
    )
    for kind in exchange.answering.policy(person).kinds(said.kind):
        exchange.answer(person, letter.sender, _receipt(exchange, letter, kind))


def _open(person: Person, letter: Letter, enc: Node) -> tuple[bytes, dict[str, Any]]:
    """One part, decrypted and decoded. A sender key in it is learnt. Raises SignalError."""
    sender, kind, group = letter.sender.key, enc.text("type"), letter.group
    if kind == "skmsg" and group:
        raw = person.group_keys.decrypt(group.id, sender, enc.data)
    else:
        raw = person.keys.decrypt(sender, kind, enc.data)
    try:
        values = e2e.CONTENT.decode(raw)
    except ProtobufError as error:
        raise SignalError("the content is not readable") from error
    distribution = values.get("sender_key", {})
    if group and distribution.get("group") == str(group.jid):
        person.group_keys.learn(group.id, sender, distribution.get("distribution", b""))
    return raw, values


def _receipt(exchange: Exchange, letter: Letter, kind: str, body: list[Node] | None = None) -> Node:
    """A receipt of that reader, under the address that the message was sent to; in a group, as a participant."""
    head: dict[str, Value] = {"from": letter.jid, "id": letter.id, "t": exchange.time()}
    if letter.group:
        head |= {"from": letter.group.jid, "participant": letter.jid}
    return Node("receipt", head | ({"type": kind} if kind else {}), body)


def _ask_again(exchange: Exchange, person: Person, letter: Letter) -> None:
    """What a phone does with a message it cannot read: a retry receipt, from the second on with fresh keys."""
    before = max(int(count) for enc in letter.parts if (count := enc.text("count") or "0").isdecimal())
    if before >= MOST_RETRIES:
        return
    keys = person.keys
    retry: dict[str, Value] = {"count": str(before + 1), "id": letter.id, "t": exchange.time(), "v": "1"}
    body = [Node("retry", retry), Node("registration", {}, keys.registration.to_bytes(4, "big"))]
    fresh = [Node("keys", {}, prekeys.bundle_nodes(keys.bundle())[1:])] if before else []
    exchange.deliver(letter.sender, _receipt(exchange, letter, "retry", body + fresh))

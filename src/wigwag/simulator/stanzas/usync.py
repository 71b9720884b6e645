# SPDX-License-Identifier: Apache-2.0
"""User look-up (`usync`): for each user of the list, an answer to each part of the query.

A user is named by address, or by number in `<contact>`. A number that nobody has is answered as not on WhatsApp; one
that has become another (as in Brazil, with the ninth digit) with the address of today.
"""

from collections.abc import Callable

from wigwag.simulator.exchange import Exchange, Refusal, Stream
from wigwag.simulator.wire import Jid, Node, Value
from wigwag.simulator.world import Person


def answer(exchange: Exchange, _stream: Stream, node: Node) -> list[Node]:
    usync = node.children[0]
    query, users = usync.child("query"), usync.child("list")
    if query is None or users is None or not usync.text("sid"):
        raise Refusal(400, "<usync> needs sid, <query> and <list>")
    by_lid = any(part.text("addressing_mode") == "lid" for part in query.children)
    wanted = [part.tag for part in query.children]
    found = [_user(exchange, user, wanted, by_lid=by_lid) for user in users.children]
    head = {name: value for name, value in usync.attrs.items() if name in ("sid", "index", "last", "mode", "context")}
    return [Node("usync", head, [Node("result", {}, [Node(tag) for tag in wanted]), Node("list", {}, found)])]


def _user(exchange: Exchange, user: Node, wanted: list[str], *, by_lid: bool) -> Node:
    contact = user.child("contact")
    jid = user.jid("jid")
    number = None if jid else _number(contact)
    person = exchange.world.find(jid) if jid else exchange.world.look_up(number or "")
    if person is None:
        nobody = Node("contact", {"type": "out"}, contact.data if contact else None)
        return Node("user", {"jid": jid or Jid(number or "")}, [nobody] if "contact" in wanted else [])
    head: dict[str, Value] = {"jid": jid or person.jid}
    if by_lid and contact:
        head = {"jid": person.lid_jid, "pn_jid": person.jid}
    parts = [_PARTS[tag](person) for tag in wanted if tag in _PARTS and tag != "contact"]
    if "contact" in wanted:
        parts.append(Node("contact", {"type": "in"}, contact.data if contact else None))
    return Node("user", head, parts)


def _number(contact: Node | None) -> str:
    digits = contact.data.decode(errors="replace").partition("@")[0].lstrip("+") if contact else ""
    if not digits.isdecimal():
        raise Refusal(400, "a user of <usync> has neither an address nor a number")
    return digits


def _devices(person: Person) -> Node:
    linked = [Node("device", {"id": str(n), "key-index": str(n)}) for n in person.devices]
    return Node("devices", {}, [Node("device-list", {}, [Node("device", {"id": "0"}), *linked])])


def _about(person: Person) -> Node:
    return Node("status", {}, person.about.encode())


_PARTS: dict[str, Callable[[Person], Node]] = {
    "devices": _devices,
    "lid": lambda person: Node("lid", {"val": person.lid_jid}),
    "status": _about,
}

# SPDX-License-Identifier: Apache-2.0
"""A client's message as the server sees it: to whom, and which encrypted copy is whose. Checked here, never read.

What the real server refuses is refused here, with its error number.
"""

import base64
import hashlib
from dataclasses import dataclass

from wigwag.simulator import schema
from wigwag.simulator.exchange import Exchange, Refusal, Stream
from wigwag.simulator.protobuf import ProtobufError
from wigwag.simulator.wire import Jid, Node
from wigwag.simulator.world import Device, Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """`copies` are for one device each; `shared` is for everybody in the `group`.

    `again`: written once more for one reader who has asked, so the id is known and that is right.
    """

    node: Node
    to: Jid
    group: Group | None = None
    copies: list[tuple[Jid, Node]]
    shared: Node | None = None
    again: bool = False

    @property
    def id(self) -> str:
        return self.node.text("id")


def check(exchange: Exchange, stream: Stream, node: Node) -> Outgoing:
    """Raises Refusal for what the server would not take."""
    to = node.jid("to")
    if to is None or not node.text("id") or not node.text("type"):
        raise Refusal(479, "a message needs id, to and type")
    outgoing = _to_group(exchange, stream, node, to) if to.server == "g.us" else _to_person(exchange, node, to)
    if not (outgoing.copies or outgoing.shared):
        raise Refusal(479, "a message without <enc>")
    for jid, enc in outgoing.copies:
        if enc.text("type") not in ("pkmsg", "msg") or not enc.data:
            raise Refusal(479, f"the copy for {jid} needs an <enc> of type pkmsg or msg")
    if any(enc.text("type") == "pkmsg" for _, enc in outgoing.copies):
        _check_identity(stream.device, node.child("device-identity"))
    return outgoing


def participants_hash(group: Group) -> str:
    """The `phash`: it names the devices that a message to the group must be written for."""
    people = [(group.address(person), person) for person in group.participants]
    devices = [(jid, number) for jid, person in people for number in (0, *person.devices)]
    names = sorted(f"{jid.user}.0:{number}@{jid.server}" for jid, number in devices)
    digest = hashlib.sha256("".join(names).encode()).digest()[:6]
    return f"2:{base64.b64encode(digest).decode()}"


def _to_person(exchange: Exchange, node: Node, to: Jid) -> Outgoing:
    if to.server not in ("s.whatsapp.net", "lid") or exchange.world.find(to) is None:
        raise Refusal(404, f"nobody has the address {to}")
    copies, direct = _copies(node), node.child("enc")
    again = direct is not None and "count" in direct.attrs
    return Outgoing(node=node, to=to, copies=copies + ([(to, direct)] if direct else []), again=again)


def _to_group(exchange: Exchange, stream: Stream, node: Node, to: Jid) -> Outgoing:
    group = exchange.world.groups.get(to.user)
    if group is None:
        raise Refusal(404, f"no group has the address {to}")
    if stream.device.person not in group.participants:
        raise Refusal(403, f"the account is not in the group {to}")
    if node.text("addressing_mode") not in ("", group.mode):
        raise Refusal(421, f"the group {to} addresses its participants by {group.mode}")
    direct, reader = node.child("enc"), node.jid("participant")
    if direct and reader:
        return Outgoing(node=node, to=to, group=group, copies=[(reader, direct)], again=True)
    if direct is None or direct.text("type") != "skmsg" or not direct.data:
        raise Refusal(479, "a message to a group needs an <enc> of type skmsg")
    copies, server = _copies(node), "lid" if group.by_lid else "s.whatsapp.net"
    if wrong := next((jid for jid, _ in copies if jid.server != server), None):
        raise Refusal(421, f"{wrong} in a group that addresses its participants by {group.mode}")
    return Outgoing(node=node, to=to, group=group, copies=copies, shared=direct)


def _copies(node: Node) -> list[tuple[Jid, Node]]:
    participants, copies = node.child("participants"), []
    for part in participants.children if participants else []:
        jid, enc = part.jid("jid"), part.child("enc")
        if jid is None or enc is None:
            raise Refusal(479, "a copy needs the address of a device and an <enc>")
        copies.append((jid, enc))
    return copies


def _check_identity(device: Device, node: Node | None) -> None:
    """A first message proves that its device belongs to the account."""
    if node and node.data == device.proof:
        return
    try:
        shown = schema.SIGNED_DEVICE_IDENTITY.decode(node.data) if node else {}
    except ProtobufError:
        shown = {}
    ours = schema.SIGNED_DEVICE_IDENTITY.decode(device.proof)
    if any(shown.get(name) != ours[name] for name in ("details", "device_signature")):
        raise Refusal(479, "a pkmsg without the device identity that was paired")

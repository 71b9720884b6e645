# SPDX-License-Identifier: Apache-2.0
"""Prekeys (namespace `encrypt`): devices upload them, everybody fetches them, a one-time prekey is given out once.

Keys are checked as they come in: sizes, the identity that was paired, and the signature of the signed prekey.
"""

from wigwag.simulator.curve import DJB, KEY_SIZE
from wigwag.simulator.exchange import Exchange, Refusal, Stream
from wigwag.simulator.phone import share_settings, warn_of_few_prekeys
from wigwag.simulator.signal import Bundle, SignedPrekey
from wigwag.simulator.wire import Jid, Node
from wigwag.simulator.world import Device


def count(_exchange: Exchange, stream: Stream, _node: Node) -> list[Node]:
    return [Node("count", {"value": str(len(stream.device.one_time))})]


def upload(exchange: Exchange, stream: Stream, node: Node) -> None:
    """New one-time prekeys beside those that are left, and the present signed prekey.

    With the first upload others can write to the device, and the phone is the first to do so.
    """
    device = stream.device
    if _data(node, "identity", KEY_SIZE) != device.identity:
        raise Refusal(406, "the prekeys belong to another identity than the one that was paired")
    if _data(node, "type", 1) != DJB:
        raise Refusal(406, "unknown key type")
    keys = node.child("list")
    if keys is None:
        raise Refusal(400, "<iq> lacks <list>")
    signed = read_signed(node, device.identity)
    one_time = dict(read_key(key) for key in keys.children)
    device.registration = int.from_bytes(_data(node, "registration", 4), "big")
    device.one_time |= one_time
    device.signed = signed
    exchange.journal.note("prekeys", "prekeys", stream.account, uploaded=len(one_time), left=len(device.one_time))
    if not device.uploaded:
        device.uploaded = True
        share_settings(exchange, device)


def rotate(_exchange: Exchange, stream: Stream, node: Node) -> None:
    stream.device.signed = read_signed(node.children[0], stream.device.identity)


def fetch(exchange: Exchange, _stream: Stream, node: Node) -> list[Node]:
    wanted = node.children[0].children
    if not wanted:
        raise Refusal(400, "a key query names no user")
    return [Node("list", {}, [_user(exchange, user) for user in wanted])]


def read_signed(node: Node, identity: bytes) -> SignedPrekey:
    """The `<skey>` below a node. Refuses one that the identity did not sign."""
    skey = node.child("skey")
    if skey is None:
        raise Refusal(400, f"<{node.tag}> lacks <skey>")
    number, public = read_key(skey)
    signed = SignedPrekey(id=number, public=public, signature=_data(skey, "signature", 64))
    if not signed.is_signed_by(identity):
        raise Refusal(406, "the signature of the signed prekey is false")
    return signed


def read_key(node: Node) -> tuple[int, bytes]:
    return int.from_bytes(_data(node, "id", 3), "big"), _data(node, "value", KEY_SIZE)


def bundle_nodes(bundle: Bundle) -> list[Node]:
    signed = bundle.signed
    nodes = [
        Node("registration", {}, bundle.registration.to_bytes(4, "big")),
        Node("type", {}, DJB),
        Node("identity", {}, bundle.identity),
        Node("skey", {}, [*_key_nodes(signed.id, signed.public), Node("signature", {}, signed.signature)]),
    ]
    return nodes + ([Node("key", {}, _key_nodes(*bundle.one_time))] if bundle.one_time else [])


def _user(exchange: Exchange, user: Node) -> Node:
    jid = user.jid("jid")
    if jid is None:
        raise Refusal(400, "a key query names no address")
    person = exchange.world.find(jid)
    device = person.devices.get(jid.device) if person else None
    if person is None or (jid.device and device is None):
        return Node("user", {"jid": jid}, [Node("error", {"code": "404", "text": "item-not-found"})])
    head: dict[str, str | Jid] = {"jid": jid, "t": exchange.time()}
    if device is None:
        return Node("user", head, bundle_nodes(person.keys.bundle()))
    return Node("user", head, [*_device_nodes(exchange, device), Node("device-identity", {}, device.proof)])


def _device_nodes(exchange: Exchange, device: Device) -> list[Node]:
    nodes = bundle_nodes(device.take_bundle())
    warn_of_few_prekeys(exchange, device)
    return nodes


def _key_nodes(number: int, public: bytes) -> list[Node]:
    return [Node("id", {}, number.to_bytes(3, "big")), Node("value", {}, public)]


def _data(node: Node, tag: str, size: int) -> bytes:
    found = node.child(tag)
    if found is None or len(found.data) != size:
        raise Refusal(400, f"<{node.tag}> needs a <{tag}> of {size} bytes")
    return found.data

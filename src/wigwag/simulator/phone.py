# SPDX-License-Identifier: Apache-2.0
"""What the simulated phones write to linked devices: messages to people and groups, calls, an account's settings.

A phone is device 0 of its person and holds the private keys. Everything it sends goes through the exchange like
anybody's stanza. What phones read is in `stanzas.reading`.
"""

from wigwag.simulator import content, e2e
from wigwag.simulator.exchange import Exchange
from wigwag.simulator.signal import Bundle
from wigwag.simulator.wire import Node, Value
from wigwag.simulator.world import Device, Group, Person, Written

_FEW_PREKEYS = 4
_MEDIA_TYPES = {
    **{kind: kind for kind in ("image", "video", "audio", "document", "sticker", "location")},
    "voice": "ptt",
    "live_location": "livelocation",
    "contact": "vcard",
    "contacts": "contact_array",
}
_STANZA_TYPES = {**dict.fromkeys(_MEDIA_TYPES, "media"), "reaction": "reaction", "poll": "poll", "vote": "poll"}
_EDITS = {"edit": "1", "deletion": "7"}
_HIDDEN = {"edit", "deletion", "reaction", "vote"}
"""Kinds of which a client says nothing when it cannot read them."""


def send(exchange: Exchange, person: Person, account: Person, message: bytes) -> str:
    """Write to every linked device of the account. Returns the message id."""
    message_id, kind = exchange.new_id(), content.read_or_unknown(message).kind
    for device in account.devices.values():
        device.remember(message_id, Written(person=person, content=message))
        enc = _encrypt(exchange, person, device, message, **_about(kind))
        exchange.deliver(device, Node("message", _head(exchange, person, device, message_id, kind), [enc]))
    return message_id


def send_to_group(exchange: Exchange, person: Person, group: Group, message: bytes) -> str:
    """Write to a group: one text for all linked devices in it, and the key to those that do not have it yet."""
    message_id, kind = exchange.new_id(), content.read_or_unknown(message).kind
    key = person.group_keys.ours(group.id)
    distribution = key_content(group, key.distribution())
    shared = Node("enc", {"v": "2", "type": "skmsg", **_about(kind)}, key.encrypt(message))
    for device in [device for other in group.participants if other is not person for device in other.devices.values()]:
        written = Written(person=person, content=message + distribution, group=group)
        device.remember(message_id, written)
        copies = [] if device.key in key.told else [_encrypt(exchange, person, device, distribution)]
        key.told.add(device.key)
        head = _group_head(exchange, person, group, message_id, kind)
        exchange.deliver(device, Node("message", head, [*copies, shared]))
    return message_id


def key_content(group: Group, distribution: bytes) -> bytes:
    """The message that tells a member the sender key of another."""
    return e2e.CONTENT.encode({"sender_key": {"group": str(group.jid), "distribution": distribution}})


def call(exchange: Exchange, person: Person, account: Person, call_id: str, step: str, *media: str) -> None:
    """Ring the account's devices (step `offer`), or end that (`terminate`)."""
    creator: dict[str, Value] = {"call-id": call_id, "call-creator": person.address}
    other: dict[str, Value] = {"caller_pn": person.jid} if person.addressed_by_lid else {}
    reason: dict[str, Value] = {"reason": "timeout"} if step == "terminate" else {}
    child = Node(step, creator | other | reason, [Node(each) for each in media] or None)
    for device in account.devices.values():
        head: dict[str, Value] = {"from": person.address, "id": exchange.new_id(), "t": exchange.time()}
        head |= {"notify": person.name, "platform": "android", "version": "2.26.40.1"}
        exchange.deliver(device, Node("call", head, [child]))


def share_settings(exchange: Exchange, device: Device) -> None:
    """What a phone sends to a device it has just linked: the key of the settings, with a first patch to read."""
    account, now = device.person, int(exchange.now())
    account.settings.ensure_push_name(account.name, now)
    enc = _encrypt(exchange, account, device, e2e.CONTENT.encode(account.settings.key_share(now)))
    head = _head(exchange, account, device, exchange.new_id(), "protocol")
    exchange.deliver(device, Node("message", {**head, "category": "peer"}, [enc]))


def rewrite(exchange: Exchange, device: Device, message_id: str, count: int, bundle: Bundle | None) -> bool:
    """Answer a retry receipt: the same message in a fresh conversation. False when it is not remembered."""
    written = device.recent.get(message_id)
    if written is None:
        return False
    person, kind = written.person, content.read_or_unknown(written.content).kind
    person.keys.open(device.key, bundle or device.take_bundle())
    enc = _encrypt(exchange, person, device, written.content, count=str(count), **_about(kind))
    if written.group:
        head = _group_head(exchange, person, written.group, message_id, kind)
    else:
        head = _head(exchange, person, device, message_id, kind)
    exchange.deliver(device, Node("message", head, [enc]))
    return True


def warn_of_few_prekeys(exchange: Exchange, device: Device) -> None:
    """The server tells a device once when its one-time prekeys run out."""
    if len(device.one_time) == _FEW_PREKEYS:
        exchange.notify(device, "encrypt", [Node("count", {"value": str(_FEW_PREKEYS)})])


def _encrypt(exchange: Exchange, person: Person, device: Device, message: bytes, **enc: Value) -> Node:
    """A copy for one device. A conversation is opened from its prekeys when there is none."""
    if not person.keys.knows(device.key):
        person.keys.open(device.key, device.take_bundle())
        warn_of_few_prekeys(exchange, device)
    kind, ciphertext = person.keys.encrypt(device.key, message)
    return Node("enc", {"v": "2", "type": kind, **enc}, ciphertext)


def _about(kind: str) -> dict[str, Value]:
    """What a copy says openly of its content."""
    media = {"mediatype": _MEDIA_TYPES[kind]} if kind in _MEDIA_TYPES else {}
    return {**media, **({"decrypt-fail": "hide"} if kind in _HIDDEN else {})}


def _stanza(exchange: Exchange, message_id: str, kind: str) -> dict[str, Value]:
    head: dict[str, Value] = {"id": message_id, "t": exchange.time(), "type": _STANZA_TYPES.get(kind, "text")}
    return head | ({"edit": _EDITS[kind]} if kind in _EDITS else {})


def _head(exchange: Exchange, person: Person, device: Device, message_id: str, kind: str) -> dict[str, Value]:
    head = _stanza(exchange, message_id, kind)
    if person is device.person:
        return {"from": person.jid, **head}
    other = {"sender_pn": person.jid} if person.addressed_by_lid else {"sender_lid": person.lid_jid}
    return {"from": person.address, **head, "notify": person.name, **other}


def _group_head(exchange: Exchange, person: Person, group: Group, message_id: str, kind: str) -> dict[str, Value]:
    head: dict[str, Value] = {"from": group.jid, "participant": group.address(person), "notify": person.name}
    head |= {"addressing_mode": group.mode, **group.other_address(person)}
    return head | _stanza(exchange, message_id, kind)

# SPDX-License-Identifier: Apache-2.0
"""What the simulated phones do: write to linked devices, read what those send, share an account's settings.

A phone is device 0 of its person and holds the private keys. Everything it sends goes through the exchange like
anybody's stanza.
"""

from dataclasses import dataclass
from typing import Any

from wigwag.simulator import schema
from wigwag.simulator.exchange import Exchange
from wigwag.simulator.protobuf import ProtobufError
from wigwag.simulator.ratchet import SignalError
from wigwag.simulator.signal import Bundle
from wigwag.simulator.wire import Node, Value
from wigwag.simulator.world import Device, Person

_KINDS = ("image", "video", "audio", "document", "sticker", "location", "contact", "reaction", "protocol")
_FEW_PREKEYS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """`kind` is text, or what else it is; `device_sent`: a copy of what the device sent to somebody else."""

    kind: str
    text: str | None = None
    device_sent: bool = False


def send_text(exchange: Exchange, person: Person, account: Person, text: str) -> str:
    """Write to every linked device of the account. Returns the message id."""
    message_id, content = exchange.new_id(), schema.CONTENT.encode({"conversation": text})
    for device in account.devices.values():
        device.remember(message_id, person, content)
        write(exchange, person, device, message_id, content)
    return message_id


def share_settings(exchange: Exchange, device: Device) -> None:
    """What a phone sends to a device it has just linked: the key of the settings, with a first patch to read."""
    account, now = device.person, int(exchange.now())
    account.settings.ensure_push_name(account.name, now)
    content = schema.CONTENT.encode(account.settings.key_share(now))
    write(exchange, account, device, exchange.new_id(), content, category="peer")


def write(exchange: Exchange, person: Person, device: Device, message_id: str, content: bytes, **attrs: str) -> None:
    """Encrypt for one device and deliver. A conversation is opened from its prekeys when there is none."""
    address = _address(device)
    if not person.keys.knows(address):
        person.keys.open(address, device.take_bundle())
        warn_of_few_prekeys(exchange, device)
    _deliver(exchange, person, device, message_id, content, attrs)


def rewrite(exchange: Exchange, device: Device, message_id: str, count: int, bundle: Bundle | None) -> bool:
    """Answer a retry receipt: the same message in a fresh conversation. False when it is not remembered."""
    if message_id not in device.recent:
        return False
    person, content = device.recent[message_id]
    person.keys.open(_address(device), bundle or device.take_bundle())
    _deliver(exchange, person, device, message_id, content, {}, count=str(count))
    return True


def read(person: Person, device: Device, kind: str, message: bytes) -> Content:
    """What the device wrote to this phone. Raises SignalError when the phone cannot read it."""
    plain = person.keys.decrypt(_address(device), kind, message)
    try:
        fields = schema.CONTENT.decode(plain)
    except ProtobufError as error:
        raise SignalError("the content is not readable") from error
    if "device_sent" in fields:
        return _content(fields["device_sent"].get("message", {}), device_sent=True)
    return _content(fields, device_sent=False)


def warn_of_few_prekeys(exchange: Exchange, device: Device) -> None:
    """The server tells a device once when its one-time prekeys run out."""
    if len(device.one_time) == _FEW_PREKEYS:
        exchange.notify(device, "encrypt", [Node("count", {"value": str(_FEW_PREKEYS)})])


def _deliver(
    exchange: Exchange,
    person: Person,
    device: Device,
    message_id: str,
    content: bytes,
    attrs: dict[str, str],
    **enc: str,
) -> None:
    kind, message = person.keys.encrypt(_address(device), content)
    head: dict[str, Value] = {"from": person.address, "id": message_id, "t": exchange.time(), "type": "text"}
    if person is device.person:
        head["from"] = person.jid
    else:
        head |= {"notify": person.name, **_other_address(person)}
    body = Node("enc", {"v": "2", "type": kind, **enc}, message)
    exchange.deliver(device, Node("message", {**head, **attrs}, [body]))


def _other_address(person: Person) -> dict[str, Value]:
    return {"sender_pn": person.jid} if person.addressed_by_lid else {"sender_lid": person.lid_jid}


def _content(fields: dict[str, Any], *, device_sent: bool) -> Content:
    text = fields.get("conversation", fields.get("extended_text", {}).get("text"))
    if text is not None:
        return Content(kind="text", text=text, device_sent=device_sent)
    return Content(kind=next((kind for kind in _KINDS if kind in fields), "unknown"), device_sent=device_sent)


def _address(device: Device) -> tuple[str, int]:
    return device.person.phone, device.number

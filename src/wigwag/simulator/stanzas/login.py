# SPDX-License-Identifier: Apache-2.0
"""Login and its end: who is let in, what waits for them, and how a device is unlinked.

A refused login is a `<failure>` with a reason; the reasons are the protocol's (401 logged out, 402 banned for a
while, 405 client outdated, 500 and 503 come back later).
"""

from collections import Counter

from wigwag.simulator.connection import Connection
from wigwag.simulator.exchange import Exchange, Refusal, Stream
from wigwag.simulator.noise import Greeting
from wigwag.simulator.stanzas import presence
from wigwag.simulator.wire import SERVER, Node
from wigwag.simulator.world import Device


def admit(exchange: Exchange, connection: Connection, greeting: Greeting) -> Stream | None:
    """The stream of a device that may come in; None when it was told why not."""
    phone = str(greeting.payload.get("username", ""))
    person = exchange.world.people.get(phone)
    device = person.devices.get(greeting.payload.get("device", 0)) if person else None
    failure = _fault(exchange, phone) or _stranger(device, greeting)
    if failure:
        exchange.journal.refuse("login", f"login: failure {failure.text('reason')}", phone)
    if failure or device is None:
        connection.post(failure or _failure(401))
        connection.post(Node("xmlstreamend"))
        connection.close()
        return None
    stream = Stream(connection, device, exchange)
    if previous := exchange.streams.get(device):
        exchange.journal.note("login", "replaced", phone, device=device.number)
        previous.end(replaced())
    exchange.streams[device] = stream
    exchange.journal.note("login", "login", phone, device=device.number)
    stream.post(Node("success", {"t": exchange.time(), "lid": device.lid, "display_name": device.person.name}))
    if not greeting.payload.get("passive"):
        catch_up(exchange, stream)
    return stream


def depart(exchange: Exchange, stream: Stream) -> None:
    """The connection is gone."""
    if exchange.streams.get(stream.device) is stream:
        del exchange.streams[stream.device]
    presence.leave(exchange, stream)
    exchange.journal.note("login", "disconnected", stream.account, device=stream.device.number)


def deactivate(_exchange: Exchange, stream: Stream, _node: Node) -> None:
    stream.ready = False


def catch_up(_exchange: Exchange, stream: Stream, _node: Node | None = None) -> None:
    """The client is active: it gets what it missed, between a preview and the word that this is all."""
    if stream.ready:
        return
    waiting = list(stream.device.unacknowledged.values())
    sorts = Counter(node.tag for node in waiting)
    counts = {tag: str(sorts[tag]) for tag in ("message", "receipt", "notification")}
    preview = Node("offline_preview", {"count": str(len(waiting)), "appdata": "0", **counts})
    stream.post(Node("ib", {"from": SERVER}, [preview]))
    for position, node in enumerate(waiting):
        stream.post(Node(node.tag, {**node.attrs, "offline": str(position)}, node.content))
    stream.post(Node("ib", {"from": SERVER}, [Node("offline", {"count": str(len(waiting))})]))
    stream.ready = True


def check_unlink(exchange: Exchange, stream: Stream, node: Node) -> None:
    if _named(exchange, stream, node) is None:
        raise Refusal(404, "the account has no such device")


def unlink(exchange: Exchange, stream: Stream, node: Node) -> None:
    """A client logs out: it removes a device of its account, mostly itself."""
    if device := _named(exchange, stream, node):
        remove(exchange, device)


def remove(exchange: Exchange, device: Device) -> None:
    """The device is no longer linked; if it is connected it is told so."""
    device.person.devices.pop(device.number, None)
    exchange.journal.note("login", "device_removed", device.person.phone, device=device.number)
    if stream := exchange.streams.get(device):
        stream.end(Node("stream:error", {"code": "401"}, [Node("conflict", {"type": "device_removed"})]))


def _named(exchange: Exchange, stream: Stream, node: Node) -> Device | None:
    jid, account = node.children[0].jid("jid"), stream.device.person
    return account.devices.get(jid.device) if jid and exchange.world.find(jid) is account else None


def replaced() -> Node:
    return Node("stream:error", {}, [Node("conflict", {"type": "replaced"})])


def _fault(exchange: Exchange, phone: str) -> Node | None:
    now = exchange.now()
    if ban := exchange.faults.find("ban", phone, now):
        left = max(int((ban.until or now) - now), 0)
        return _failure(402, code=str(ban.code), expire=str(left))
    if exchange.faults.find("outdated", phone, now):
        return _failure(405)
    if refuse := exchange.faults.strike("refuse", phone, now):
        return _failure(refuse.code)
    return None


def _stranger(device: Device | None, greeting: Greeting) -> Node | None:
    if device is None or device.noise_key != greeting.static_key:
        return _failure(401)
    return None


def _failure(reason: int, **more: str) -> Node:
    return Node("failure", {"reason": str(reason), "location": "sim", **more})

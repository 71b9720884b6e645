# SPDX-License-Identifier: Apache-2.0
"""Presence and typing: a client shows itself, subscribes to contacts, and hears of them while it is available.

The protocol gives no answer to a subscribe but the contact's present state, and none at all to a subscription that is
one too many. A subscription lives as long as its stream.
"""

from typing import Any

from wigwag.simulator.exchange import Exchange, Refusal, Stream
from wigwag.simulator.wire import Jid, Node, Value
from wigwag.simulator.world import Person

TYPING = ("composing", "paused")


def handle(exchange: Exchange, stream: Stream, node: Node) -> None:
    match node.text("type") or "available":
        case "available":
            _show(exchange, stream, available=True, name=node.text("name"))
        case "unavailable":
            _show(exchange, stream, available=False, name=node.text("name"))
        case "subscribe":
            _subscribe(exchange, stream, node)
        case "unsubscribe":
            _unsubscribe(exchange, stream, node)
        case other:
            raise Refusal(479, f"presence type {other!r}")


def handle_typing(exchange: Exchange, stream: Stream, node: Node) -> None:
    """A client types. Another account hears of it; to all others it is only noted."""
    to, state = node.jid("to"), node.children[0].tag if len(node.children) == 1 else ""
    if to is None or state not in TYPING:
        raise Refusal(479, "a chatstate needs an address and one of composing, paused")
    exchange.journal.note("presence", "typing", stream.account, to=str(to), state=state)
    person = exchange.world.find(to)
    for other in exchange.streams_of(person.phone) if person else []:
        other.post(Node("chatstate", {"from": stream.device.person.address}, node.children))


def set_presence(exchange: Exchange, person: Person, *, online: bool, last_seen: int | None = None) -> list[Stream]:
    """A person comes or goes. Returns the streams that were told."""
    if person.online and not online:
        person.last_seen = int(exchange.now())
    person.last_seen = person.last_seen if last_seen is None else last_seen
    person.online = online
    told = exchange.watchers(person)
    for stream in told:
        stream.post(_state(person, stream.subscriptions[person]))
    return told


def type_to(exchange: Exchange, person: Person, state: str, media: str | None) -> list[Stream]:
    """A person types to everybody who watches. Returns the streams that were told."""
    told = exchange.watchers(person)
    child = Node(state, {"media": media} if media else {})
    for stream in told:
        stream.post(Node("chatstate", {"from": _from(person, stream.subscriptions[person])}, [child]))
    return told


def forget(exchange: Exchange, stream: Stream) -> None:
    """The server loses this stream's subscriptions, without a word."""
    for person in list(stream.subscriptions):
        exchange.unwatch(stream, person)


def leave(exchange: Exchange, stream: Stream) -> None:
    """The stream is over: so are its subscriptions, and the account is seen to go."""
    forget(exchange, stream)
    if stream.available:
        _show(exchange, stream, available=False, name="")


def _show(exchange: Exchange, stream: Stream, *, available: bool, name: str) -> None:
    account = stream.device.person
    account.name = name or account.name
    stream.available = available
    exchange.journal.note("presence", "available" if available else "unavailable", stream.account)
    online = any(other.available for other in exchange.streams_of(stream.account))
    if online != account.online:
        set_presence(exchange, account, online=online)


def _subscribe(exchange: Exchange, stream: Stream, node: Node) -> None:
    jid, person = _target(exchange, stream, node)
    alive = len(stream.subscriptions) - (person in stream.subscriptions)
    excess = exchange.gate.excess(stream.account, alive, exchange.now())
    if excess:
        _log(exchange, stream, "refused", jid, person, reason=excess)
        _answer_excess(stream, jid, exchange.gate.limits.on_excess)
        return
    _log(exchange, stream, "subscribe", jid, person)
    if person is None:
        return
    exchange.watch(stream, person, jid)
    if stream.available:
        stream.post(_state(person, jid))


def _answer_excess(stream: Stream, jid: Jid, manner: str) -> None:
    if manner == "error":
        error = Node("error", {"code": "429", "text": "rate-overlimit"})
        stream.post(Node("presence", {"from": jid, "type": "error"}, [error]))
    elif manner == "stream_error":
        stream.end(Node("stream:error", {"code": "429"}))


def _unsubscribe(exchange: Exchange, stream: Stream, node: Node) -> None:
    jid, person = _target(exchange, stream, node)
    _log(exchange, stream, "unsubscribe", jid, person)
    if person:
        exchange.unwatch(stream, person)


def _target(exchange: Exchange, stream: Stream, node: Node) -> tuple[Jid, Person | None]:
    jid = node.jid("to")
    if jid is None or not jid.user or jid.server not in ("s.whatsapp.net", "lid"):
        _log(exchange, stream, "refused", jid or Jid("", "invalid"), None, reason="not the address of a person")
        raise Refusal(479, f"presence of {jid}: not the address of a person")
    return jid, exchange.world.find(jid)


def _log(
    exchange: Exchange, stream: Stream, action: str, jid: Jid, person: Person | None, reason: str | None = None
) -> None:
    phone = person.phone if person else ""
    if person is None and reason is None:
        reason = "nobody has this address"
    fields: dict[str, Any] = {"account": stream.account, "device": stream.device.number, "action": action}
    exchange.journal.subscribed(**fields, phone=phone, jid=str(jid), reason=reason)


def _state(person: Person, subscribed: Jid) -> Node:
    attrs: dict[str, Value] = {"from": _from(person, subscribed)}
    if not person.online:
        attrs["type"] = "unavailable"
        if not person.last_seen_visible:
            attrs["last"] = "deny"
        elif person.last_seen is not None:
            attrs["last"] = str(person.last_seen)
    return Node("presence", attrs)


def _from(person: Person, subscribed: Jid) -> Jid:
    return person.lid_jid if subscribed.server == "lid" else person.address

# SPDX-License-Identifier: Apache-2.0
"""What each stanza of a logged-in client does: one module for each family, found by tag in `HANDLERS`.

A handler changes the world and posts nodes, or raises `Refusal`; it never waits. How a refusal is answered is decided
here, once, after the manner of the protocol: an `iq` gets an error, a message or receipt an `ack` with an error, and
everything else the error 479 (an invalid stanza).
"""

from collections.abc import Callable

from wigwag.simulator.exchange import Exchange, Refusal, Stream
from wigwag.simulator.stanzas import calls, iq, messages, presence, receipts
from wigwag.simulator.wire import SERVER, Node

Handler = Callable[[Exchange, Stream, Node], None]


def _ignore(exchange: Exchange, stream: Stream, node: Node) -> None:
    """Telemetry and batch hints of the client; the protocol gives them no answer."""


def _unknown(_exchange: Exchange, _stream: Stream, node: Node) -> None:
    raise Refusal(479, f"there is no stanza <{node.tag}>")


HANDLERS: dict[str, Handler] = {
    "iq": iq.handle,
    "presence": presence.handle,
    "chatstate": presence.handle_typing,
    "message": messages.handle,
    "receipt": receipts.handle,
    "call": calls.handle,
    "ack": receipts.handle_ack,
    "ib": _ignore,
}


def handle(exchange: Exchange, stream: Stream, node: Node) -> None:
    """Do what the stanza asks, or refuse it."""
    try:
        HANDLERS.get(node.tag, _unknown)(exchange, stream, node)
    except Refusal as refusal:
        exchange.journal.refuse(node.tag, refusal.reason, stream.account, code=refusal.code, id=node.text("id"))
        _answer(stream, node, refusal.code)


def _answer(stream: Stream, node: Node, code: int) -> None:
    stanza_id = node.text("id")
    if node.tag == "iq" and not stanza_id:
        stream.end(Node("stream:error", {}, [Node("xml-not-well-formed")]))
    elif node.tag == "iq":
        stream.post(iq.error(node, code))
    elif node.tag in ("message", "receipt", "call") and stanza_id:
        head = {"class": node.tag, "id": stanza_id, "from": node.attrs.get("to", SERVER), "error": str(code)}
        stream.post(Node("ack", {**head, "t": stream.exchange.time()}))
    else:
        stream.post(Node("error", {"code": str(code), "text": "smax-invalid"}))

# SPDX-License-Identifier: Apache-2.0
"""Queries: every `iq` of a client gets exactly one answer, a result or an error.

The table says who answers, by namespace, type and first child. An unknown query gets the error 501 and is logged;
silence would cost the client its whole timeout.
"""

from collections.abc import Callable

from wigwag.simulator.exchange import Exchange, Refusal, Stream
from wigwag.simulator.stanzas import account, groups, login, media, prekeys, usync
from wigwag.simulator.wire import SERVER, Node

Answer = Callable[[Exchange, Stream, Node], list[Node] | None]

ERRORS = {
    400: "bad-request",
    401: "not-authorized",
    403: "forbidden",
    404: "item-not-found",
    405: "not-allowed",
    406: "not-acceptable",
    409: "conflict",
    429: "rate-overlimit",
    500: "internal-server-error",
    501: "feature-not-implemented",
    503: "service-unavailable",
}


def _nothing(exchange: Exchange, stream: Stream, node: Node) -> None:
    """A result without content: the server has taken note."""


ANSWERS: dict[tuple[str, str, str], Answer] = {
    ("w:p", "get", ""): _nothing,
    ("w:p", "get", "ping"): _nothing,
    ("urn:xmpp:ping", "get", ""): _nothing,
    ("urn:xmpp:ping", "get", "ping"): _nothing,
    ("passive", "set", "active"): _nothing,
    ("passive", "set", "passive"): login.deactivate,
    ("encrypt", "get", "count"): prekeys.count,
    ("encrypt", "get", "key"): prekeys.fetch,
    ("encrypt", "set", "registration"): prekeys.upload,
    ("encrypt", "set", "rotate"): prekeys.rotate,
    ("usync", "get", "usync"): usync.answer,
    ("w:g2", "get", "participating"): groups.participating,
    ("w:g2", "get", "query"): groups.info,
    ("w:sync:app:state", "set", "sync"): account.sync,
    ("privacy", "get", "privacy"): account.privacy,
    ("privacy", "set", "privacy"): _nothing,
    ("privacy", "set", "tokens"): account.privacy_tokens,
    ("blocklist", "get", ""): account.blocklist,
    ("status", "set", "status"): account.about,
    ("w:profile:picture", "get", "picture"): account.picture,
    ("disappearing_mode", "set", "disappearing_mode"): _nothing,
    ("urn:xmpp:whatsapp:dirty", "set", "clean"): _nothing,
    ("urn:xmpp:whatsapp:push", "set", "config"): _nothing,
    ("w:m", "set", "media_conn"): media.connect,
    ("abt", "get", "props"): account.properties,
    ("w", "get", "props"): account.properties,
    ("md", "set", "remove-companion-device"): login.check_unlink,
}

AFTERWARDS: dict[tuple[str, str, str], Callable[[Exchange, Stream, Node], None]] = {
    ("passive", "set", "active"): login.catch_up,
    ("md", "set", "remove-companion-device"): login.unlink,
}
"""What follows the result, and so must not come before it."""


def handle(exchange: Exchange, stream: Stream, node: Node) -> None:
    kind = node.text("type")
    if not node.text("id"):
        raise Refusal(400, "an iq without id cannot be answered")
    if kind in ("result", "error"):
        return  # the client's answer to something the server asked
    if kind not in ("get", "set"):
        raise Refusal(400, f"iq type {kind!r}: expected get or set")
    child = node.children[0].tag if node.children else ""
    query = node.text("xmlns"), kind, child
    if query not in ANSWERS:
        raise Refusal(501, f"no answer to {kind} <{child}> in {node.text('xmlns')!r}")
    stream.post(result(node, ANSWERS[query](exchange, stream, node)))
    if query in AFTERWARDS:
        AFTERWARDS[query](exchange, stream, node)


def result(node: Node, content: list[Node] | None = None) -> Node:
    return Node("iq", {"from": node.attrs.get("to", SERVER), "type": "result", "id": node.text("id")}, content)


def error(node: Node, code: int) -> Node:
    text = ERRORS.get(code, "bad-request")
    head = {"from": node.attrs.get("to", SERVER), "type": "error", "id": node.text("id")}
    return Node("iq", head, [Node("error", {"code": str(code), "text": text})])

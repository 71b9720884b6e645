# SPDX-License-Identifier: Apache-2.0
"""An account's own affairs: synchronised settings, privacy, profile, and the properties every client asks for.

Just enough for a client to come up without an error in its log; each answer is what a new account without pictures or
blocked contacts would get.
"""

from wigwag.simulator.appstate import COLLECTIONS
from wigwag.simulator.exchange import Exchange, Refusal, Stream
from wigwag.simulator.wire import Node

_PRIVACY = {
    "readreceipts": "all",
    "profile": "all",
    "status": "all",
    "online": "all",
    "last": "all",
    "groupadd": "all",
    "calladd": "all",
    "messages": "all",
}


def sync(exchange: Exchange, stream: Stream, node: Node) -> list[Node]:
    """Hand out the patches a device lacks, and take the ones it made."""
    wanted = node.children[0].children
    return [Node("sync", {}, [_collection(exchange, stream, collection) for collection in wanted])]


def _collection(exchange: Exchange, stream: Stream, node: Node) -> Node:
    name, settings = node.text("name"), stream.device.person.settings
    version = node.text("version") or "0"
    if name not in COLLECTIONS or not version.isdecimal():
        raise Refusal(400, f"no settings collection {name!r} with version {version!r}")
    patch = node.child("patch")
    if patch is not None and not settings.accept(name, int(version), patch.data):
        return Node("collection", {"name": name, "type": "error"}, [Node("error", {"code": "409", "text": "conflict"})])
    if patch is not None:
        _tell_other_devices(exchange, stream, name)
    fresh = settings.since(name, int(version))
    patches = [Node("patches", {}, [Node("patch", {}, patch) for patch in fresh])] if fresh else None
    return Node("collection", {"name": name, "version": str(settings.version(name))}, patches)


def _tell_other_devices(exchange: Exchange, stream: Stream, name: str) -> None:
    account = stream.device.person
    for device in account.devices.values():
        if device is not stream.device:
            news = Node("collection", {"name": name, "version": str(account.settings.version(name))})
            exchange.notify(device, "server_sync", [news])


def privacy(_exchange: Exchange, _stream: Stream, _node: Node) -> list[Node]:
    categories = [Node("category", {"name": name, "value": value}) for name, value in _PRIVACY.items()]
    return [Node("privacy", {}, categories)]


def privacy_tokens(exchange: Exchange, stream: Stream, node: Node) -> None:
    """A client allows a contact to write to it and see it. Noted; nothing here depends on it."""
    for token in node.children[0].children:
        if token.jid("jid") is None or token.text("type") != "trusted_contact":
            raise Refusal(400, "a privacy token needs an address and the type trusted_contact")
        exchange.journal.note("account", "privacy_token", stream.account, jid=str(token.jid("jid")))


def blocklist(_exchange: Exchange, _stream: Stream, _node: Node) -> list[Node]:
    return [Node("list", {"dhash": "none"})]


def about(_exchange: Exchange, stream: Stream, node: Node) -> None:
    stream.device.person.about = node.children[0].data.decode(errors="replace")


def picture(_exchange: Exchange, _stream: Stream, _node: Node) -> None:
    raise Refusal(404, "nobody here has a profile picture")


def properties(_exchange: Exchange, _stream: Stream, _node: Node) -> list[Node]:
    return [Node("props", {"protocol": "1", "hash": "simulator", "refresh": "86400"})]

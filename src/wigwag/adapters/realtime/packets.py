# SPDX-License-Identifier: Apache-2.0
"""Socket.IO version 5: packets with namespaces, acknowledgements and binary attachments. Pure: text in, values out.

What an event means is not known here, nor how it travels. Source: the Socket.IO protocol, revision 5. Its form is
`<type>[<attachments>-][<namespace>,][<acknowledgement id>][JSON]`.
"""

import json
import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NoReturn

from wigwag.adapters.realtime.engine import Frame, Malformed

MAIN = "/"  # the namespace that needs no name
RESERVED = {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
_FORM = re.compile(r"([0-6])(?:(\d{1,4})-)?(?:(/[^,]{0,127})(?:,|$))?(\d{1,15})?(.*)", re.ASCII | re.DOTALL)


class Kind(IntEnum):
    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large a packet may be, beside its bytes."""

    depth: int = 16
    attachments: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """`kind` never says binary: whether `data` has bytes in it is seen from `data`."""

    kind: Kind
    namespace: str = MAIN
    id: int | None = None
    data: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """A packet whose attachments are on their way."""

    head: Packet
    text: str
    wanted: int
    shape: Shape
    parts: list[bytes] = field(default_factory=list)

    def add(self, part: bytes) -> Packet | None:
        """Take the next attachment; the whole packet comes with the last. Raises Malformed."""
        self.parts.append(part)
        return self.whole() if len(self.parts) == self.wanted else None

    def whole(self) -> Packet:
        left = dict(enumerate(self.parts))

        def put(value: dict[str, Any]) -> Any:
            if value.get("_placeholder") is not True:
                return value
            number = value.get("num")
            if type(number) is not int or number not in left:
                raise Malformed("a placeholder without its attachment")
            return left.pop(number)

        data = _parse(self.text, self.shape.depth, json.JSONDecoder(object_hook=put, parse_constant=_no_constant))
        if left:
            raise Malformed("an attachment without its placeholder")
        return _checked(self.head, data)


def decode(text: str, shape: Shape) -> Packet | Partial:
    """Return a packet, or the beginning of one with attachments. Raises Malformed."""
    form = _FORM.fullmatch(text)
    if not form:
        raise Malformed("no packet")
    number, attachments, namespace, ack, rest = form.groups()
    kind = Kind(int(number))
    binary = kind in (Kind.BINARY_EVENT, Kind.BINARY_ACK)
    if binary != (attachments is not None):
        raise Malformed("attachments where there are none, or none where there are")
    plain = Kind(kind - 3) if binary else kind
    head = Packet(kind=plain, namespace=namespace or MAIN, id=None if ack is None else int(ack))
    if not binary:
        return _checked(head, _parse(rest, shape.depth, _PLAIN) if rest else None)
    if int(attachments) > shape.attachments:
        raise Malformed("too many attachments")
    partial = Partial(head=head, text=rest, wanted=int(attachments), shape=shape)
    return partial if partial.wanted else partial.whole()


def encode(packet: Packet) -> list[Frame]:
    """Return a packet's text and its attachments. Raises TypeError or ValueError for what JSON cannot say."""
    body, parts = "", list[Frame]()
    if packet.data is not None:
        try:
            body = _TEXTS.encode(packet.data)
        except _HasBytes:
            body = _with_placeholders(packet.data, parts)
    kind = f"{packet.kind + 3}{len(parts)}-" if parts else f"{packet.kind:d}"
    namespace = "" if packet.namespace == MAIN else f"{packet.namespace},"
    return [f"{kind}{namespace}{'' if packet.id is None else packet.id}{body}", *parts]


def _with_placeholders(data: Any, parts: list[Frame]) -> str:
    """JSON with a placeholder for each attachment, which is added to the parts."""

    def placeholder(value: object) -> dict[str, object]:
        if not isinstance(value, bytes | bytearray):
            raise TypeError(f"{type(value).__name__} cannot be sent")
        parts.append(bytes(value))
        return {"_placeholder": True, "num": len(parts) - 1}

    return json.dumps(data, separators=(",", ":"), allow_nan=False, default=placeholder)


class _HasBytes(Exception):
    """An encoder that is made once cannot know where attachments go."""


def _refuse(_value: object) -> NoReturn:
    raise _HasBytes


def _checked(head: Packet, data: Any) -> Packet:
    """Refuse data that this kind of packet does not carry."""
    match head.kind:
        case Kind.CONNECT:
            fits = head.id is None and (data is None or isinstance(data, dict))
        case Kind.DISCONNECT:
            fits = head.id is None and data is None
        case Kind.EVENT:
            fits = isinstance(data, list) and data[:1] != [] and isinstance(data[0], str) and data[0] not in RESERVED
        case Kind.ACK:
            fits = head.id is not None and isinstance(data, list)
        case _:
            fits = isinstance(data, dict | str)
    if not fits:
        raise Malformed(f"{head.kind.name} with other data than it may carry")
    return Packet(kind=head.kind, namespace=head.namespace, id=head.id, data=data)


def _parse(text: str, depth: int, decoder: json.JSONDecoder) -> Any:
    try:
        value = decoder.decode(text)
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed("no JSON") from error
    level = [value]
    for _ in range(depth):
        level = [inner for outer in level if isinstance(outer, dict | list) for inner in _inside(outer)]
        if not level:
            return value
    raise Malformed("nested too deep")


def _inside(value: dict[str, Any] | list[Any]) -> Any:
    return value.values() if isinstance(value, dict) else value


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is no JSON")


_PLAIN = json.JSONDecoder(parse_constant=_no_constant)
_TEXTS = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_refuse)

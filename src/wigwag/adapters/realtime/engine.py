# SPDX-License-Identifier: Apache-2.0
"""Engine.IO version 4: packets, the payloads of long polling, and the handshake. Pure: text and bytes in and out.

What a message carries is not known here (that is `packets`), nor how frames travel. Source: the Engine.IO protocol,
revision 4.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence

Frame = str | bytes
"""What travels in one piece: text that begins with the type of its packet, or bytes, which are always a message."""

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = "0123456"
PROBE = "probe"  # what a ping and its pong carry while a websocket is tried
VERSION = "4"
SEPARATOR = "\x1e"
_BINARY = "b"  # in a payload: base64 follows


class Malformed(ValueError):
    """What came is not of the protocol."""


def decode(frame: Frame) -> tuple[str, Frame]:
    """Return a packet's type and what it carries.

    Raises:
        Malformed: there is no such type.
    """
    if isinstance(frame, bytes):
        return MESSAGE, frame
    kind, body = frame[:1], frame[1:]
    if not kind or kind not in "0123456":
        raise Malformed("no packet has this type")
    return kind, body


def decode_payload(body: bytes) -> list[Frame]:
    """Return the frames of a long polling request. Raises Malformed."""
    try:
        return [_unpacked(part) for part in body.decode().split(SEPARATOR)]
    except ValueError as error:  # of base64 and UTF-8 too
        raise Malformed("no payload of packets") from error


def encode_payload(frames: Iterable[Frame]) -> bytes:
    """Return what answers a long polling request."""
    return SEPARATOR.join(
        _BINARY + b64encode(frame).decode() if isinstance(frame, bytes) else frame for frame in frames
    ).encode()


def handshake(sid: str, upgrades: Sequence[str], *, interval: float, timeout: float, payload: int) -> str:
    """Return the first packet of a session; times in seconds, the payload in bytes."""
    told = {
        "sid": sid,
        "upgrades": list(upgrades),
        "pingInterval": round(interval * 1000),
        "pingTimeout": round(timeout * 1000),
        "maxPayload": payload,
    }
    return OPEN + json.dumps(told, separators=(",", ":"))


def _unpacked(part: str) -> Frame:
    return b64decode(part[1:], validate=True) if part.startswith(_BINARY) else part

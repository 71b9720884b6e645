# SPDX-License-Identifier: Apache-2.0
"""What is sent, in the form of each transport. Made once for everybody who gets it, and never changed.

Who gets it, and when, is not known here.
"""

from collections.abc import Sequence
from functools import cached_property

from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode

from wigwag.adapters.realtime.engine import NOOP, PING, Frame
from wigwag.adapters.realtime.packets import Packet, encode


class Parcel:
    """Engine.IO packets that travel together: an event and its attachments, or one packet alone."""

    def __init__(self, *frames: Frame) -> None:
        self.frames: Sequence[Frame] = frames
        self.size = sum(map(len, frames))  # characters and bytes

    @cached_property
    def wired(self) -> bytes:
        """As frames of a websocket."""
        return b"".join(map(_wired, self.frames))


def parcel_of(packet: Packet) -> Parcel:
    """A Socket.IO packet. Raises TypeError or ValueError for what JSON cannot say."""
    text, *parts = encode(packet)
    return Parcel(f"4{text!s}", *parts)


def _wired(frame: Frame) -> bytes:
    if isinstance(frame, str):
        return WebSocketFrame(Opcode.TEXT, frame.encode()).serialize(mask=False, extensions=[])
    return WebSocketFrame(Opcode.BINARY, frame).serialize(mask=False, extensions=[])


PINGING, NOTHING = Parcel(PING), Parcel(NOOP)

# SPDX-License-Identifier: Apache-2.0
"""One connection of one client, over whichever transport it has now, and its sockets.

What is sent goes out at once where it can, and waits in a bounded outbox where it cannot. Nothing here waits, reads or
looks at a clock.
"""

from asyncio import Future
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from wigwag.adapters.realtime.engine import CLOSE, NOOP, Frame
from wigwag.adapters.realtime.handlers import SocketId
from wigwag.adapters.realtime.limits import Bucket, Limits
from wigwag.adapters.realtime.packets import Packet, Partial, encode
from wigwag.adapters.realtime.wire import Wire


class Ending(StrEnum):
    """Why a session ended; what a client is told, and what is counted."""

    GOODBYE = "goodbye"
    TRANSPORT = "transport_closed"
    TIMEOUT = "ping_timeout"
    NO_CONNECT = "no_connect"
    MALFORMED = "protocol_error"
    TOO_LARGE = "payload_too_large"
    OVERLAP = "overlapping_requests"
    FLOOD = "rate_limited"
    SLOW = "slow_reader"
    DISCONNECTED = "disconnected"
    SHUTDOWN = "shutdown"


class Session:
    """An Engine.IO session.

    Args:
        left: told once, when the session has ended and nobody works for it any more.
    """

    __slots__ = (
        "_left",
        "_limits",
        "address",
        "awaits",
        "bytes",
        "clean",
        "ended",
        "fresh",
        "headers",
        "messages",
        "outbox",
        "partial",
        "poll",
        "posting",
        "probed",
        "sid",
        "sockets",
        "strikes",
        "trial",
        "waiting",
        "wire",
        "working",
    )

    def __init__(
        self,
        sid: str,
        address: str,
        headers: Mapping[str, str],
        limits: Limits,
        now: float,
        left: Callable[["Session"], None],
    ) -> None:
        self.sid, self.address, self.headers = sid, address, headers
        self._limits, self._left = limits, left
        self.messages, self.bytes = Bucket(limits.messages_burst, now), Bucket(limits.bytes_burst, now)
        self.strikes = 0
        self.fresh = True  # the handshake was not told yet
        self.sockets: dict[str, Socket] = {}  # by namespace
        self.wire: Wire | None = None  # None: long polling
        self.poll: Future[None] | None = None  # a request that waits for something to say
        self.posting = False  # a request brings packets
        self.trial: Wire | None = None  # may become the wire
        self.probed = False  # its trial packet went both ways, so polls are sent away
        self.outbox: list[Frame] = []
        self.waiting = 0  # characters and bytes in the outbox
        self.partial: Partial | None = None  # a packet whose attachments are on their way
        self.awaits = 0.0  # until when a pong must come; 0: none is awaited
        self.working = False  # a packet of this client is being handled
        self.ended: Ending | None = None
        self.clean = False

    def push(self, frame: Frame) -> None:
        """Send, or keep until it can be sent; a reader that lets too much pile up is cut off."""
        if self.ended or (self.wire is not None and not self.outbox and self.wire.write(frame)):
            return
        self.outbox.append(frame)
        self.waiting += len(frame)
        if self.waiting > self._limits.outbox:
            self.end(Ending.SLOW)
        elif self.poll is not None and not self.poll.done():
            self.poll.set_result(None)

    def flush(self) -> None:
        """Send what waits, as far as the wire takes it."""
        if self.wire is None:
            return
        sent = 0
        for frame in self.outbox:
            if not self.wire.write(frame):
                break
            self.waiting -= len(frame)
            sent += 1
        del self.outbox[:sent]

    def take(self) -> list[Frame]:
        """Everything that waits."""
        taken, self.outbox, self.waiting = self.outbox, [], 0
        return taken

    def last_word(self) -> Frame:
        """What a poll is told when there is nothing else; after it nobody needs to poll again."""
        return CLOSE if self.ended and not self.clean and self.wire is None else NOOP

    def release_poll(self) -> None:
        """Answer the poll that waits, if one does, with nothing."""
        if self.poll is not None and not self.poll.done():
            self.push(NOOP)

    def upgrade(self, wire: Wire) -> None:
        """From now on everything goes over this wire."""
        if self.poll is not None and not self.poll.done():
            self.poll.set_result(None)
        self.wire, self.trial, self.probed = wire, None, False
        self.flush()

    def end(self, why: Ending, *, clean: bool = False, orderly: bool = False) -> None:
        """Close the session; the first end is the one that counts.

        Args:
            clean: the client said goodbye.
            orderly: what waits in the outbox is still told to the next poll, and the end to the one after it: the
                official client forgets what came together with an end.
        """
        if self.ended:
            return
        self.ended, self.clean = why, clean
        if not orderly:
            self.take()
        for wire in (self.wire, self.trial):
            if wire is not None:
                wire.close(why)
        if self.poll is not None and not self.poll.done():
            self.poll.set_result(None)
        if not self.working:
            self._left(self)

    def rest(self) -> None:
        """The work for a packet is done."""
        self.working = False
        if self.ended:
            self._left(self)


class Socket:
    """A session in one namespace. What is emitted before the client knows that it is connected waits until then."""

    __slots__ = ("_early", "id", "namespace", "session")

    def __init__(self, socket: SocketId, session: Session, namespace: str) -> None:
        self.id, self.session, self.namespace = socket, session, namespace
        self._early: list[Frame] | None = []

    def push(self, frames: Iterable[Frame]) -> None:
        if self._early is not None:
            self._early.extend(frames)
            return
        for frame in frames:
            self.session.push(frame)

    def welcome(self, frames: Iterable[Frame]) -> None:
        """Tell the client that it is connected, then what was emitted meanwhile."""
        early, self._early = self._early or [], None
        self.push([*frames, *early])


def frames_of(packet: Packet) -> list[Frame]:
    """A Socket.IO packet as Engine.IO messages. Raises TypeError or ValueError for what JSON cannot say."""
    text, *parts = encode(packet)
    return [f"4{text!s}", *parts]

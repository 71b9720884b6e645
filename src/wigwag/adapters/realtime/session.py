# SPDX-License-Identifier: Apache-2.0
"""One connection of one client, over whichever transport it has now, and its sockets.

What is sent goes out at once where it can, and waits in a bounded outbox where it cannot. Nothing here waits, reads or
looks at a clock.
"""

from asyncio import Future
from collections.abc import Callable, Coroutine, Mapping
from enum import StrEnum
from typing import Any

from wigwag.adapters.realtime.engine import CLOSE, NOOP, Frame
from wigwag.adapters.realtime.handlers import SocketId
from wigwag.adapters.realtime.limits import Bucket, Limits
from wigwag.adapters.realtime.packets import Partial
from wigwag.adapters.realtime.parcels import NOTHING, Parcel
from wigwag.adapters.realtime.wire import Wire

Hear = Callable[["Session", Frame], Coroutine[Any, Any, None] | None]
"""Does what a frame asks for; returns what is left to do before the next, if that takes time."""


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
    """An Engine.IO session, and the listener of its wire.

    Args:
        hear: told of each frame that comes over a wire.
        left: told once, when the session has ended and nobody works for it any more.
    """

    __slots__ = (
        "_hear",
        "_left",
        "_limits",
        "address",
        "awaits",
        "bytes",
        "clean",
        "doubted",
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
        "silent",
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
        hear: Hear,
        left: Callable[["Session"], None],
    ) -> None:
        self.sid, self.address, self.headers = sid, address, headers
        self._limits, self._hear, self._left = limits, hear, left
        self.messages, self.bytes = Bucket(limits.messages_burst, now), Bucket(limits.bytes_burst, now)
        self.strikes = 0
        self.fresh = True  # the handshake was not told yet
        self.sockets: dict[str, Socket] = {}  # by namespace
        self.wire: Wire | None = None  # None: long polling
        self.poll: Future[None] | None = None  # a request that waits for something to say
        self.posting = False  # a request brings packets
        self.trial: Wire | None = None  # may become the wire
        self.probed = False  # its trial packet went both ways, so polls are sent away
        self.outbox: list[Parcel] = []
        self.waiting = 0  # characters and bytes in the outbox
        self.partial: Partial | None = None  # a packet whose attachments are on their way
        self.awaits = 0.0  # until when a pong must come; 0: none is awaited
        self.doubted = 0.0  # from when on a client who does not answer is silent
        self.silent = False  # it did not answer for a while
        self.working = False  # a packet of this client is being handled
        self.ended: Ending | None = None
        self.clean = False

    # --- what its wire tells

    def heard(self, frame: Frame) -> Coroutine[Any, Any, None] | None:
        return self._hear(self, frame)

    def rested(self) -> None:
        self.flush()

    def lost(self) -> None:
        self.end(Ending.TOO_LARGE if self.wire is not None and self.wire.too_large else Ending.TRANSPORT)

    # --- what is sent

    def push(self, parcel: Parcel) -> None:
        """Send, or keep until it can be sent; a reader that lets too much pile up is cut off."""
        if self.ended or (self.wire is not None and not self.outbox and self.wire.write(parcel.wired)):
            return
        self.outbox.append(parcel)
        self.waiting += parcel.size
        if self.waiting > self._limits.outbox:
            self.end(Ending.SLOW)
        elif self.poll is not None and not self.poll.done():
            self.poll.set_result(None)

    def flush(self) -> None:
        """Send what waits, as far as the wire takes it."""
        if self.wire is None:
            return
        sent = 0
        for parcel in self.outbox:
            if not self.wire.write(parcel.wired):
                break
            self.waiting -= parcel.size
            sent += 1
        del self.outbox[:sent]

    def take(self) -> list[Frame]:
        """Everything that waits."""
        taken, self.outbox, self.waiting = self.outbox, [], 0
        return [frame for parcel in taken for frame in parcel.frames]

    def last_word(self) -> Frame:
        """What a poll is told when there is nothing else; after it nobody needs to poll again."""
        return CLOSE if self.ended and not self.clean and self.wire is None else NOOP

    def release_poll(self) -> None:
        """Answer the poll that waits, if one does, with nothing."""
        if self.poll is not None and not self.poll.done():
            self.push(NOTHING)

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
        self._early: list[Parcel] | None = []

    def push(self, parcel: Parcel) -> None:
        if self._early is None:
            self.session.push(parcel)
        else:
            self._early.append(parcel)

    def welcome(self, parcel: Parcel) -> None:
        """Tell the client that it is connected, then what was emitted meanwhile."""
        early, self._early = self._early or [], None
        for each in (parcel, *early):
            self.push(each)

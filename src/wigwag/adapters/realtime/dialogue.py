# SPDX-License-Identifier: Apache-2.0
"""What becomes of what a client says: packets in, calls of the handlers, answers out. No request stays without one.

How frames travel and how long a client may be silent is not known here.
"""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from wigwag.adapters.realtime import engine, packets
from wigwag.adapters.realtime.engine import Frame, Malformed
from wigwag.adapters.realtime.handlers import RATE_LIMITED, Handlers, Refused, SocketId
from wigwag.adapters.realtime.limits import Limits
from wigwag.adapters.realtime.packets import Kind, Packet, Partial
from wigwag.adapters.realtime.parcels import parcel_of
from wigwag.adapters.realtime.session import Ending, Session, Socket

log = logging.getLogger(__name__)

INTERNAL = "internal"


class Dialogue:
    """Listens to all sessions.

    Args:
        sockets: all that are connected; kept up to date here.
        pong: told of each pong, with the time it came.
    """

    def __init__(
        self,
        handlers: Handlers,
        now: Callable[[], float],
        limits: Limits,
        namespaces: Collection[str],
        sockets: dict[SocketId, Socket],
        counts: Counter[str],
        pong: Callable[[Session, float], None],
    ) -> None:
        self._handlers, self._now, self._limits, self._namespaces = handlers, now, limits, namespaces
        self._sockets, self._counts, self._pong = sockets, counts, pong

    def hear(self, session: Session, frame: Frame) -> Coroutine[Any, Any, None] | None:
        """Do what a frame asks for. What is not of the protocol ends the session.

        Returns what the handlers must be asked, if anything; it is to be awaited before the next frame is given.
        """
        if session.ended:
            return None
        try:
            asked = self._hear(session, frame)
        except Malformed:
            session.end(Ending.MALFORMED)
            return None
        if asked is None:
            return None
        session.working = True
        return self._ask(session, asked)

    async def _ask(self, session: Session, asked: Coroutine[Any, Any, None]) -> None:
        try:
            await asked
        finally:
            session.rest()

    async def leave(self, socket: Socket, *, clean: bool) -> None:
        """Tell the handlers that a socket is gone."""
        self._sockets.pop(socket.id, None)
        try:
            await self._handlers.disconnect(socket.id, clean)
        except Exception:  # one that cannot be taken down must not keep the others up
            log.exception("Nobody could be told that a socket is gone", extra={"action": "realtime.disconnect"})
            self._counts[INTERNAL] += 1

    def _hear(self, session: Session, frame: Frame) -> Coroutine[Any, Any, None] | None:
        if len(frame) > self._limits.payload:
            session.end(Ending.TOO_LARGE)
            return None
        calm = self._calm(session, len(frame))
        kind, body = engine.decode(frame)
        if kind == engine.MESSAGE:
            packet = self._assemble(session, body)
            if packet is not None and not session.ended:
                return self._obey(session, packet, calm=calm)
        elif kind == engine.PONG:
            self._pong(session, self._now())
        elif kind == engine.CLOSE:
            session.end(Ending.GOODBYE, clean=True)
        else:
            raise Malformed("a client does not send this packet")
        return None

    def _calm(self, session: Session, size: int) -> bool:
        """Whether this client keeps to its rates; who does not for too long is cut off."""
        limits, now = self._limits, self._now()
        if session.messages.take(1, rate=limits.messages, burst=limits.messages_burst, now=now) and session.bytes.take(
            size, rate=limits.bytes, burst=limits.bytes_burst, now=now
        ):
            session.strikes = 0
            return True
        session.strikes += 1
        if session.strikes > limits.strikes:
            session.end(Ending.FLOOD)
        return False

    def _assemble(self, session: Session, body: Frame) -> Packet | None:
        if isinstance(body, bytes):
            if session.partial is None:
                raise Malformed("an attachment of no packet")
            whole = session.partial.add(body)
        else:
            if session.partial is not None:
                raise Malformed("an attachment is missing")
            decoded = packets.decode(body, self._limits.shape)
            whole, session.partial = (None, decoded) if isinstance(decoded, Partial) else (decoded, None)
        if whole is not None:
            session.partial = None
        return whole

    def _obey(self, session: Session, packet: Packet, *, calm: bool) -> Coroutine[Any, Any, None] | None:
        self._counts["packets_in"] += 1
        if packet.kind is Kind.CONNECT:
            return self._connect(session, packet, calm=calm)
        socket = session.sockets.get(packet.namespace)
        if socket is None:
            raise Malformed("not connected to this namespace")
        if packet.kind is Kind.EVENT:
            return self._event(socket, packet, calm=calm)
        if packet.kind is Kind.DISCONNECT:
            del session.sockets[packet.namespace]
            return self.leave(socket, clean=True)
        if packet.kind is not Kind.ACK:  # we ask for none; a late one of an older server harms nobody
            raise Malformed("a client does not send this packet")
        return None

    async def _connect(self, session: Session, packet: Packet, *, calm: bool) -> None:
        space = packet.namespace
        if space in session.sockets:
            session.end(Ending.MALFORMED)
            return
        if space not in self._namespaces:
            self._counts["refused_namespace"] += 1
            self._turn_away(session, space, {"message": "Invalid namespace"})
            return
        socket = Socket(SocketId(secrets.token_urlsafe(15)), session, space)
        self._sockets[socket.id] = socket
        try:
            _insist(calm)
            await self._handlers.connect(socket.id, packet.data or {}, session.headers)
            session.sockets[space] = socket
        except Refused as refused:
            self._counts[f"refused_{refused.code}"] += 1
            self._turn_away(session, space, {"message": refused.message, "data": {"code": refused.code}})
        except Exception:  # a fault of ours is not the end of the client's connection
            log.exception("A client could not be let in", extra={"action": "realtime.connect"})
            self._turn_away(session, space, {"message": self._fault().message, "data": {"code": INTERNAL}})
        finally:
            if space not in session.sockets:
                del self._sockets[socket.id]
        if space in session.sockets:
            self._counts["packets_out"] += 1
            socket.welcome(parcel_of(Packet(kind=Kind.CONNECT, namespace=space, data={"sid": socket.id})))

    def _turn_away(self, session: Session, space: str, told: dict[str, Any]) -> None:
        self._counts["packets_out"] += 1
        session.push(parcel_of(Packet(kind=Kind.CONNECT_ERROR, namespace=space, data=told)))

    async def _event(self, socket: Socket, packet: Packet, *, calm: bool) -> None:
        name, *args = packet.data
        try:
            _insist(calm)
            answer = await self._handlers.event(socket.id, name, args) or []
        except Refused as refused:
            answer = [{"error": self._deny(socket, name, refused)}]
        except Exception:  # a fault of ours is not the end of the client's connection
            log.exception("An event could not be handled", extra={"action": "realtime.event"})
            answer = [{"error": self._deny(socket, name, self._fault())}]
        if packet.id is not None:
            self._counts["packets_out"] += 1
            socket.push(parcel_of(Packet(kind=Kind.ACK, namespace=packet.namespace, id=packet.id, data=answer)))

    def _deny(self, socket: Socket, name: str, refused: Refused) -> dict[str, str]:
        self._counts[f"refused_{refused.code}"] += 1
        self._counts["packets_out"] += 1
        told = {"event": name, "code": refused.code, "message": refused.message}
        socket.push(parcel_of(Packet(kind=Kind.EVENT, namespace=socket.namespace, data=["error", told])))
        return told

    def _fault(self) -> Refused:
        self._counts[INTERNAL] += 1
        return Refused(INTERNAL, "This failed on our side. Try again; the log of the server says why.")


def _insist(calm: bool) -> None:
    """Raises Refused for a client that is over its rates."""
    if not calm:
        raise Refused(RATE_LIMITED, "Too much at once: wait a second, then send less.")

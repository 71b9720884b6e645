# SPDX-License-Identifier: Apache-2.0
"""The server: who is connected, requests to their transports, and what is emitted to many at once.

Mount it at `/socket.io/` before any other app. An event is encoded once and written to each socket directly.
"""

import asyncio
import logging
import secrets
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from wigwag.adapters.realtime import door, polling
from wigwag.adapters.realtime.dialogue import Dialogue
from wigwag.adapters.realtime.door import Refusal, Request
from wigwag.adapters.realtime.engine import handshake
from wigwag.adapters.realtime.handlers import Handlers, SocketId
from wigwag.adapters.realtime.heartbeat import Heartbeat
from wigwag.adapters.realtime.limits import Limits, Occupancy
from wigwag.adapters.realtime.packets import MAIN, Kind, Packet
from wigwag.adapters.realtime.parcels import Parcel, parcel_of
from wigwag.adapters.realtime.session import Ending, Session, Socket
from wigwag.adapters.realtime.trial import Trial
from wigwag.adapters.realtime.wire import EXTENSION, Turn, Wire
from wigwag.app.ports import Clock

log = logging.getLogger(__name__)

_REFUSED = "refused_"
_CUT = {Ending.SLOW, Ending.FLOOD, Ending.TOO_LARGE, Ending.MALFORMED, Ending.OVERLAP}  # it was the client's fault
GRAIN = 1000  # the heartbeat wakes at most so many times in an interval


class Realtime:
    """An Engine.IO 4 and Socket.IO 5 server as an ASGI app.

    Args:
        ping_interval: seconds from a pong to the next ping.
        ping_timeout: seconds in which a pong must come, or the connection is closed.
        patience: seconds after a ping until the handlers are told that a client is silent.
        origins: of pages that may connect, as browsers send them; "*" lets every page in.
        namespaces: that a client may connect to.
    """

    def __init__(
        self,
        handlers: Handlers,
        *,
        clock: Clock,
        ping_interval: float = 10.0,
        ping_timeout: float = 30.0,
        patience: float = 6.0,
        origins: Collection[str] = (),
        limits: Limits | None = None,
        namespaces: Collection[str] = (MAIN,),
    ) -> None:
        self._clock, self._origins, self._limits = clock, origins, limits or Limits()
        self._interval, self._timeout = ping_interval, ping_timeout
        self._wake = asyncio.Event()
        self._heartbeat = Heartbeat(
            interval=ping_interval,
            timeout=ping_timeout,
            patience=patience,
            connect=self._limits.connect,
            wake=self._wake.set,
            silent=self._silent,
            back=self._back,
        )
        self._occupancy, self._turn = Occupancy(self._limits), Turn()
        self._sessions: dict[str, Session] = {}
        self._lingering: deque[tuple[float, str]] = deque()  # ended sessions that have something to hear, until when
        self._sockets: dict[SocketId, Socket] = {}
        self._farewells: set[asyncio.Task[None]] = set()
        self._returns: set[asyncio.Task[None]] = set()
        self._counts: Counter[str] = Counter()
        self._handlers = handlers
        self._dialogue = Dialogue(
            handlers, clock.now, self._limits, namespaces, self._sockets, self._counts, self._heartbeat.answered
        )

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each thing happened.

        `opened`, each `Ending`, `packets_in` and `packets_out` (of Socket.IO), `deliveries` (an event to one socket),
        `silent`, `back`, `internal`, and `refused_` with the code or the name of each refusal.
        """
        return self._counts

    @property
    def ended(self) -> Mapping[str, int]:
        """How many connections ended, by why."""
        return {ending.value: self._counts[ending] for ending in Ending}

    @property
    def refused(self) -> Mapping[str, int]:
        """How many connections and packets were refused, by why."""
        counted = {key.removeprefix(_REFUSED): n for key, n in self._counts.items() if key.startswith(_REFUSED)}
        return dict.fromkeys(door.REASONS, 0) | counted

    @property
    def connections(self) -> int:
        return self._occupancy.total

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = door.read(scope, self._origins)
        if request.method == "OPTIONS":
            await door.preflight(request)(scope, receive, send)
            return
        session = self._admit(scope["type"], request)
        wire: Wire | None = scope["extensions"][EXTENSION] if scope["type"] == "websocket" else None
        if isinstance(session, Refusal):
            self._counts[_REFUSED + session.name] += 1
            if wire is not None:
                wire.refuse(session.status, session.message)
            else:
                await session.tell(request.cors, scope, receive, send)
        elif wire is not None:
            self._attach(session, wire)
        elif answer := await self._poll(session, request.method, receive):
            answer.headers.update(request.cors | {"Cache-Control": "no-store"})
            await answer(scope, receive, send)

    def wire(self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: object = None) -> Wire:
        """A websocket for uvicorn, as its `Config.ws`; this app needs them."""
        return Wire(config, server_state, app_state, largest=self._limits.payload, turn=self._turn)

    async def run(self) -> None:
        """Ping, and end who is silent. For ever."""
        while True:
            await self._clock.wait(self._wake, self._heartbeat.due())
            self._wake.clear()
            now = self._clock.now()
            self._heartbeat.turn(now)
            while self._lingering and self._lingering[0][0] <= now:
                self._sessions.pop(self._lingering.popleft()[1], None)
            await self._clock.sleep(self._interval / GRAIN)

    def emit(self, sockets: Iterable[SocketId], event: str, *args: Any) -> None:
        """Send an event to each of these sockets that is connected; `bytes` in it become attachments. Never waits.

        Raises TypeError or ValueError for what JSON cannot say.
        """
        encoded: dict[str, Parcel] = {}
        delivered = 0
        for number in sockets:
            socket = self._sockets.get(number)
            if socket is None:
                continue
            parcel = encoded.get(socket.namespace)
            if parcel is None:
                packet = Packet(kind=Kind.EVENT, namespace=socket.namespace, data=[event, *args])
                parcel = encoded[socket.namespace] = parcel_of(packet)
            socket.push(parcel)
            delivered += 1
        self._counts["deliveries"] += delivered
        self._counts["packets_out"] += delivered

    async def disconnect(self, socket: SocketId, reason: str) -> None:
        """End a socket: the client hears an `error` event with the reason as its code.

        The official client does not come back by itself then. The handlers' `disconnect` follows, not clean.
        """
        found = self._sockets.get(socket)
        if found is None:
            return
        self.emit([socket], "error", {"event": None, "code": reason, "message": "The server ended this connection."})
        found.push(parcel_of(Packet(kind=Kind.DISCONNECT, namespace=found.namespace)))
        if len(found.session.sockets) > 1:
            found.session.sockets.pop(found.namespace, None)
            await self._dialogue.leave(found, clean=False)
        else:
            found.session.end(Ending.DISCONNECTED, orderly=True)

    async def close_all(self) -> None:
        """End all connections, and return when the handlers know. Clients come back when there is a server again."""
        for session in list(self._sessions.values()):
            session.end(Ending.SHUTDOWN, orderly=True)
        await asyncio.gather(*self._farewells)

    def _admit(self, kind: str, request: Request) -> Session | Refusal:
        """Return the session that a request belongs to, or a new one."""
        if request.refusal:
            return request.refusal
        if request.sid is None:
            return self._open(request) if request.method == "GET" else door.WRONG_METHOD
        session = self._sessions.get(request.sid)
        if session is None:
            return door.UNKNOWN_SESSION
        if kind == "websocket":
            return session
        return door.BAD_REQUEST if session.wire or request.method not in ("GET", "POST") else session

    def _open(self, request: Request) -> Session | Refusal:
        full = self._occupancy.enter(request.address)
        if full:
            return full
        now = self._clock.now()
        sid, hear = secrets.token_urlsafe(15), self._dialogue.hear
        session = Session(sid, request.address, request.headers, self._limits, now, hear, self._left)
        self._counts["opened"] += 1
        self._sessions[session.sid] = session
        self._heartbeat.enrol(session, now)
        return session

    def _attach(self, session: Session, wire: Wire) -> None:
        wire.accept()
        if session.fresh:
            wire.listener = session
            session.upgrade(wire)
            session.push(self._handshake(session, upgrades=()))
        elif session.wire or session.trial or session.ended:
            wire.close()
        else:
            wire.listener = Trial(session, wire)

    async def _poll(self, session: Session, method: str, receive: Receive) -> Response | None:
        if session.fresh:
            session.push(self._handshake(session, upgrades=("websocket",)))
        if method == "POST":
            return await polling.listen(session, receive, self._dialogue.hear, self._limits.payload)
        over = session.ended and not session.outbox
        answer = await polling.say(session, receive)
        if over:
            self._sessions.pop(session.sid, None)
        return answer

    def _handshake(self, session: Session, upgrades: Sequence[str]) -> Parcel:
        session.fresh = False
        interval, timeout, payload = self._interval, self._timeout, self._limits.payload
        return Parcel(handshake(session.sid, upgrades, interval=interval, timeout=timeout, payload=payload))

    def _silent(self, session: Session) -> None:
        self._counts["silent"] += 1
        session.silent = True
        for socket in session.sockets.values():
            self._handlers.silent(socket.id)

    def _back(self, session: Session) -> None:
        self._counts["back"] += 1
        session.silent = False
        task = asyncio.create_task(self._return(session), name=f"return {session.sid}")
        self._returns.add(task)
        task.add_done_callback(self._returns.discard)

    async def _return(self, session: Session) -> None:
        """Tell the handlers of its sockets; if that fails, again at its next answer."""
        for socket in list(session.sockets.values()):
            try:
                await self._handlers.back(socket.id)
            except Exception:  # one that cannot be taken back must not keep the others out
                log.exception("Nobody could be told that a socket is back", extra={"action": "realtime.back"})
                session.silent = True

    def _left(self, session: Session) -> None:
        """A session has ended: forget it, now or when it has heard the last, and tell the handlers of its sockets."""
        self._counts[session.ended or ""] += 1
        if session.ended in _CUT:
            log.info(
                "A connection was cut: %s", session.ended, extra={"action": "realtime.cut", "reason": session.ended}
            )
        self._occupancy.leave(session.address)
        if session.outbox and not session.wire:
            self._lingering.append((self._clock.now() + self._interval + self._timeout, session.sid))
        else:
            self._sessions.pop(session.sid, None)
        for socket in session.sockets.values():
            self._sockets.pop(socket.id, None)
            name = f"farewell {socket.id}"
            farewell = asyncio.create_task(self._dialogue.leave(socket, clean=session.clean), name=name)
            self._farewells.add(farewell)
            farewell.add_done_callback(self._farewells.discard)

# SPDX-License-Identifier: Apache-2.0
"""Who must be pinged, and who has been silent for too long. Pure: time is a parameter.

All connections have the same rhythm, so each list is in order by itself, and one task serves them all.
"""

from collections import deque
from collections.abc import Callable, Iterator

from wigwag.adapters.realtime.parcels import PINGING
from wigwag.adapters.realtime.session import Ending, Session

PUNCTUAL = 0.05  # seconds by which a ping may be late and still count from when it was due


class Heartbeat:
    """Pings every `interval` seconds after the last pong; a pong must come within `timeout` seconds.

    Long before that, a client who does not answer is called silent: it may be gone, and may yet come back. When we come
    much too late ourselves, it was us who were silent: everybody gets the time once more.

    Args:
        patience: seconds after a ping until a client who did not answer is called silent.
        connect: seconds until a new session must have connected to a namespace.
        wake: called when something may be due earlier than `due` said.
        silent: told of a session that is silent.
        back: told of one that was, and has answered.
    """

    def __init__(
        self,
        *,
        interval: float,
        timeout: float,
        patience: float,
        connect: float,
        wake: Callable[[], None],
        silent: Callable[[Session], None],
        back: Callable[[Session], None],
    ) -> None:
        self._interval, self._timeout, self._patience, self._connect = interval, timeout, patience, connect
        self._wake, self._silent, self._back = wake, silent, back
        self._pings: deque[tuple[float, Session]] = deque()
        self._silences: deque[tuple[float, Session]] = deque()
        self._pongs: deque[tuple[float, Session]] = deque()
        self._newcomers: deque[tuple[float, Session]] = deque()

    def enrol(self, session: Session, now: float) -> None:
        self._expect_ping(session, now)
        self._newcomers.append((now + self._connect, session))

    def answered(self, session: Session, now: float) -> None:
        """A pong came; one that nobody asked for changes nothing."""
        if session.awaits:
            session.awaits = 0.0
            self._expect_ping(session, now)
        if session.silent:
            self._back(session)

    def due(self) -> float | None:
        """Return when there is something to do."""
        lines = (self._pings, self._silences, self._pongs, self._newcomers)
        return min((line[0][0] for line in lines if line), default=None)

    def turn(self, now: float) -> None:
        """Ping whom it is time to ping, and end who did not answer or never connected."""
        for due, session in _come(self._pings, now):
            pinged = due if now - due < PUNCTUAL else now
            self._expect_pong(session, pinged)
            self._doubt(session, pinged)
            session.push(PINGING)
        for due, session in _come(self._silences, now):
            if session.awaits and session.doubted == due:
                self._suspect(session, now, late=now - due > self._patience / 2)
        for due, session in _come(self._pongs, now):
            if session.awaits == due:
                self._judge(session, now, late=now - due > self._timeout / 2)
        for _due, session in _come(self._newcomers, now):
            if not session.sockets and not session.working:
                session.end(Ending.NO_CONNECT)

    def _expect_ping(self, session: Session, now: float) -> None:
        if not self._pings:
            self._wake()
        self._pings.append((now + self._interval, session))

    def _expect_pong(self, session: Session, now: float) -> None:
        session.awaits = now + self._timeout
        self._pongs.append((session.awaits, session))

    def _doubt(self, session: Session, now: float) -> None:
        session.doubted = now + self._patience
        self._silences.append((session.doubted, session))

    def _suspect(self, session: Session, now: float, *, late: bool) -> None:
        if late or session.working:  # its pong may lie unread
            self._doubt(session, now)
        elif not session.silent:
            self._silent(session)

    def _judge(self, session: Session, now: float, *, late: bool) -> None:
        if late or session.working:
            self._expect_pong(session, now)
        else:
            session.end(Ending.TIMEOUT)


def _come(line: deque[tuple[float, Session]], now: float) -> Iterator[tuple[float, Session]]:
    """Take those whose time has come, but the ended."""
    while line and line[0][0] <= now:
        entry = line.popleft()
        if not entry[1].ended:
            yield entry

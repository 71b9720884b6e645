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

    When we come much too late ourselves, it was us who were silent: everybody gets the time once more.

    Args:
        connect: seconds until a new session must have connected to a namespace.
        wake: called when something may be due earlier than `due` said.
    """

    def __init__(self, *, interval: float, timeout: float, connect: float, wake: Callable[[], None]) -> None:
        self._interval, self._timeout, self._connect, self._wake = interval, timeout, connect, wake
        self._pings: deque[tuple[float, Session]] = deque()
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

    def due(self) -> float | None:
        """Return when there is something to do."""
        return min((line[0][0] for line in (self._pings, self._pongs, self._newcomers) if line), default=None)

    def turn(self, now: float) -> None:
        """Ping whom it is time to ping, and end who did not answer or never connected."""
        for due, session in _come(self._pings, now):
            session.awaits = (due if now - due < PUNCTUAL else now) + self._timeout
            self._pongs.append((session.awaits, session))
            session.push(PINGING)
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

    def _judge(self, session: Session, now: float, *, late: bool) -> None:
        if late or session.working:  # its pong may lie unread
            session.awaits = now + self._timeout
            self._pongs.append((session.awaits, session))
        else:
            session.end(Ending.TIMEOUT)


def _come(line: deque[tuple[float, Session]], now: float) -> Iterator[tuple[float, Session]]:
    """Take those whose time has come, but the ended."""
    while line and line[0][0] <= now:
        entry = line.popleft()
        if not entry[1].ended:
            yield entry

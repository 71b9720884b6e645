# SPDX-License-Identifier: Apache-2.0
"""The move of a session from long polling to a websocket, which is tried first.

A ping goes and a pong comes back, and only when the client says so is the session moved over.
"""

from typing import TYPE_CHECKING

from wigwag.adapters.realtime.engine import PING, PONG, PROBE, UPGRADE, Frame
from wigwag.adapters.realtime.parcels import Parcel
from wigwag.adapters.realtime.session import Session
from wigwag.adapters.realtime.wire import Listener, Wire

_PROBED = Parcel(PONG + PROBE)


class Trial:
    """Listens to a wire that may become the session's; any other word than expected ends the wire and nothing else."""

    __slots__ = ("_session", "_wire")

    def __init__(self, session: Session, wire: Wire) -> None:
        self._session, self._wire = session, wire
        session.trial = wire

    def heard(self, frame: Frame) -> None:
        session = self._session
        if frame == PING + PROBE and not session.probed:
            self._wire.write(_PROBED.wired)
            session.probed = True
            session.release_poll()
        elif frame == UPGRADE and session.probed and not session.posting:
            self._wire.listener = session
            session.upgrade(self._wire)
        else:
            self._wire.close()
            self.lost()

    def rested(self) -> None:
        """Too little is written during a trial for that."""

    def lost(self) -> None:
        if self._session.trial is self._wire:
            self._session.trial, self._session.probed = None, False


if TYPE_CHECKING:
    _: type[Listener] = Trial

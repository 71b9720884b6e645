# SPDX-License-Identifier: Apache-2.0
"""The transport of websockets, from the start or as an upgrade of a session that began with long polling.

One task a connection reads; nobody else does. An upgrade is tried first: a ping goes and a pong comes back, and only
when the client says so is the session moved over.
"""

from collections.abc import Awaitable, Callable

from wigwag.adapters.realtime.engine import PING, PONG, PROBE, UPGRADE, Frame
from wigwag.adapters.realtime.session import Ending, Session
from wigwag.adapters.realtime.wire import Wire

Hear = Callable[[Session, Frame], Awaitable[None]]


async def converse(session: Session, wire: Wire, hear: Hear) -> None:
    """Read until either side ends it."""
    try:
        while (frame := await wire.read()) is not None:
            await hear(session, frame)
    finally:
        session.end(Ending.TRANSPORT)


async def upgrade(session: Session, wire: Wire) -> bool:
    """Try the wire; True: the session goes over it from now on. False: the session stays as it is."""
    if session.wire or session.trial or session.ended:
        return False
    session.trial = wire
    try:
        if await wire.read() != PING + PROBE or session.ended:
            return False
        wire.write(PONG + PROBE)
        session.probed = True
        session.release_poll()
        if await wire.read() != UPGRADE or session.ended or session.posting:
            return False
        session.upgrade(wire)
        return True
    finally:
        session.trial, session.probed = None, False

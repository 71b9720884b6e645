# SPDX-License-Identifier: Apache-2.0
"""Socket.IO beside HTTP, on the same port, if users may come in at all."""

import asyncio
import logging
from pathlib import Path

from wigwag.adapters.metrics import Figures, names
from wigwag.adapters.outgoing import Outgoing
from wigwag.adapters.realtime import PresenceDoor, Realtime
from wigwag.adapters.tokens import JwtAuthenticator, KeySet, Secret, file
from wigwag.app.core import Core
from wigwag.config import Settings

log = logging.getLogger(__name__)

LARGEST_KEYS = 1 << 20  # bytes of a key set


class Sockets:
    """The server of sockets, the door behind it, and their work."""

    def __init__(self, core: Core, authenticator: JwtAuthenticator | None, origins: tuple[str, ...]) -> None:
        self.door = PresenceDoor(core.lobby, core.grants, authenticator, core.clock)
        self.server = self.door.sockets = Realtime(self.door, clock=core.clock, origins=origins)

    async def run(self) -> None:
        """Heartbeats and expiring tokens, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.server.run(), name="sockets: heartbeat")
            tasks.create_task(self.door.run(), name="sockets: tokens")

    def figures(self) -> Figures:
        """What metrics read of them."""
        counts, server = self.server.counts, self.server
        return {
            names.SOCKETS: lambda: server.connections,
            names.SOCKETS_OPENED: lambda: counts["opened"],
            names.SOCKETS_ENDED: lambda: server.ended,
            names.SOCKETS_REFUSED: lambda: server.refused,
            names.SOCKETS_SILENT: lambda: counts["silent"],
            names.SOCKET_PACKETS: lambda: {"in": counts["packets_in"], "out": counts["packets_out"]},
            names.SOCKET_DELIVERIES: lambda: counts["deliveries"],
            names.SOCKET_FAULTS: lambda: counts["internal"],
            names.DEVICES: lambda: self.door.devices,
        }

    async def close(self) -> None:
        """Let all clients go; they come back to whoever is there then."""
        await self.server.close_all()


def sockets(settings: Settings, core: Core, outgoing: Outgoing) -> Sockets | None:
    """Socket.IO, if it is configured."""
    if settings.realtime_auth is None:
        return None
    authenticator = None
    if settings.realtime_auth == "jwt":
        authenticator = _authenticator(settings, core, outgoing)
    else:
        log.warning(
            "Users are whoever they say they are: set WIGWAG_REALTIME_AUTH=jwt before others can connect",
            extra={"action": "users.trusted"},
        )
    made = Sockets(core, authenticator, settings.allowed_origins)
    core.fanout.add("sockets", made.door.sink)
    return made


def _authenticator(settings: Settings, core: Core, outgoing: Outgoing) -> JwtAuthenticator:
    where = settings.realtime_jwks
    if settings.realtime_jwt_secret is not None:
        keys: Secret | KeySet = Secret(settings.realtime_jwt_secret.get_secret_value())
    elif where.startswith(("http://", "https://")):
        keys = KeySet(lambda: outgoing.fetch(where, LARGEST_KEYS), core.clock.now)
    else:
        keys = KeySet(file(Path(where)), core.clock.now)
    return JwtAuthenticator(
        keys,
        core.clock.now,
        audience=settings.realtime_audience,
        issuer=settings.realtime_issuer,
        subject=settings.realtime_subject,
    )

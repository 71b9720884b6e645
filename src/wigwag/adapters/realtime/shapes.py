# SPDX-License-Identifier: Apache-2.0
"""How users and contacts are written to sockets (seed 004): values in, JSON out. Who may see what is decided before."""

from datetime import UTC, datetime
from typing import Any

from wigwag.domain.presence import Presence
from wigwag.domain.users import View


def shown(view: View) -> dict[str, Any]:
    """A user as seed 004 writes it, with `v`."""
    return {"user_id": view.user, "status": view.status.value, "last_seen": instant(view.last_seen), "v": view.v}


def contact_shown(presence: Presence) -> dict[str, Any]:
    """A contact on WhatsApp. Unknown is a status of its own, and never offline; `v` is when it began (µs)."""
    return {
        "jid": presence.jid,
        "name": presence.name,
        "status": presence.status.word,
        "last_seen": instant(presence.last_seen),
        "v": round(presence.since * 1e6),
    }


def instant(at: float | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, as JavaScript writes it."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

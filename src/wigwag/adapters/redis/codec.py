# SPDX-License-Identifier: Apache-2.0
"""Entries as Redis holds them: `<seq> <JSON>`. What is not of this form is refused, whoever wrote it."""

import json
from types import MappingProxyType
from typing import Any

from wigwag.domain.errors import InvalidUser, RosterUnavailable
from wigwag.domain.roster import Entry, owner
from wigwag.domain.users import CONNECTED, Audience, Choice, Privacy, Shown, UserPresence, user_id

_STRANGE = "Redis holds what no gateway of this version wrote: give each version a WIGWAG_REDIS_PREFIX of its own."


def encode(entry: Entry) -> str:
    """An entry without its number; a space comes first."""
    presence = entry.presence
    devices = {device: None if until == CONNECTED else until for device, until in presence.devices.items()}
    said = {
        "devices": devices,
        "choice": presence.choice,
        "shown": presence.shown,
        "last_seen": presence.last_seen,
        "v": presence.v,
        "privacy": [entry.privacy.status, entry.privacy.last_seen],
        "by": entry.by,
        "refreshed": entry.refreshed,
        "gone": entry.gone,
    }
    return f" {json.dumps(said, separators=(',', ':'))}"


def decode(user: bytes, value: bytes) -> Entry:
    """Raises RosterUnavailable for what is no entry."""
    try:
        seq, _, text = value.partition(b" ")
        return _entry(user.decode(), int(seq), json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidUser) as error:
        raise RosterUnavailable(_STRANGE) from error


def _entry(user: str, seq: int, said: dict[str, Any]) -> Entry:
    devices = {device: CONNECTED if until is None else float(until) for device, until in said["devices"].items()}
    status, last_seen = said["privacy"]
    seen = said["last_seen"]
    presence = UserPresence(
        user=user_id(user),
        devices=MappingProxyType(devices),
        choice=Choice(said["choice"]),
        shown=Shown(said["shown"]),
        last_seen=None if seen is None else float(seen),
        v=int(said["v"]),
    )
    _ = [owner(device) for device in devices]
    return Entry(
        presence=presence,
        privacy=Privacy(status=Audience(status), last_seen=Audience(last_seen)),
        by=int(said["by"]),
        refreshed=int(said["refreshed"]),
        gone=bool(said["gone"]),
        seq=seq,
    )

# SPDX-License-Identifier: Apache-2.0
"""The presence state machine: what we may say about a contact, and what changes it.

Three states. UNKNOWN is honest: we hear nothing about the contact now, because nobody asked, our link is down, or the
subscription went stale. It is never shown as offline. ONLINE and OFFLINE are what WhatsApp last told us while we
listened.

    UNKNOWN ──available──▶ ONLINE ◀──available── OFFLINE
    UNKNOWN ──unavailable─▶ OFFLINE ◀─unavailable── ONLINE
    ONLINE, OFFLINE ──lost──▶ UNKNOWN            (link down, subscription stale, tracking ended)

Last seen is the latest instant at which the contact is known to have been online: what WhatsApp reports, or what we saw
ourselves. It never goes back and never lies in the future. A contact who hides it has none.

What counts as a status change (`whatsapp_contact_status_changes_total`): a step between known states, and a step from
UNKNOWN to ONLINE of a contact that was observed before. The snapshot that answers a subscription counts nothing: it
says how things are, not that something happened.
"""

from dataclasses import dataclass
from enum import IntEnum
from math import nan
from typing import NamedTuple

from wigwag.domain.ids import Jid

HIDDEN = nan  # the value of last_seen when the contact hides it, or when nothing is known yet


class Status(IntEnum):
    """What we know of a contact's presence."""

    UNKNOWN = 0
    OFFLINE = 1
    ONLINE = 2

    @property
    def word(self) -> str:
        return self.name.lower()


class Signal(IntEnum):
    """What can happen to a contact's presence."""

    LOST = 0
    UNAVAILABLE = 1
    AVAILABLE = 2


# By good fortune of the table, where a signal leads does not depend on where it starts; what counts does.
AFTER = {Signal.LOST: Status.UNKNOWN, Signal.UNAVAILABLE: Status.OFFLINE, Signal.AVAILABLE: Status.ONLINE}


_UNKNOWN, _ONLINE, _AVAILABLE, _LOST = (
    Status.UNKNOWN,
    Status.ONLINE,
    Signal.AVAILABLE,
    Signal.LOST,
)  # enums are slow to reach


def counts(before: Status, after: Status, observed_before: bool, snapshot: bool) -> bool:
    """Whether a step to another state is a status change in the sense of the metric."""
    if snapshot or after is _UNKNOWN:
        return False
    return before is not _UNKNOWN or (after is _ONLINE and observed_before)


def last_seen_after(known: float, signal: Signal, reported: float, at: float) -> float:
    """The last seen that holds after a signal. Instants are Unix seconds; `HIDDEN` (nan) means none.

    Args:
        known: what held before.
        reported: what WhatsApp said with the signal, or HIDDEN.
        at: when the signal came.
    """
    if signal is _LOST:
        return known
    if signal is _AVAILABLE:
        seen = at
    elif reported == reported:  # not nan
        seen = reported if reported < at else at  # noqa: FURB136  min() and max() take three times as long
    else:
        return HIDDEN
    return known if known > seen else seen  # noqa: FURB136  in this order: nan is not greater than anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """All that is kept of one contact, as readers and the store see it.

    `since` is when the status last changed, `heard` when anything was last heard; instants are Unix seconds, 0 for
    never.
    """

    jid: Jid
    name: str
    account: str
    status: Status = Status.UNKNOWN
    since: float = 0.0
    last_seen: float | None = None
    heard: float = 0.0
    went_online: int = 0
    went_offline: int = 0


class PresenceChanged(NamedTuple):
    """A contact's status changed. `counted` says whether it is a status change in the sense of the metric.

    A tuple where other facts are dataclasses: it is made at every flip, and a frozen dataclass costs five times as
    much.
    """

    jid: Jid
    before: Status
    after: Status
    at: float
    last_seen: float | None
    counted: bool

# SPDX-License-Identifier: Apache-2.0
"""What was observed in the past: when a contact was online, and when we were listening at all.

The two kinds together tell online, offline and *not observed* apart: offline is observed and not online.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, PresenceChanged, Status


class Kind(StrEnum):
    """What holds during an interval."""

    ONLINE = "online"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A stretch of time, Unix seconds; `end` is None while it lasts."""

    jid: Jid
    kind: Kind
    start: float
    end: float | None = None


def cut(
    intervals: Iterable[Interval], kind: Kind, since: float, until: float, *, ends_now: bool
) -> list[tuple[float, float | None]]:
    """Start and end of the intervals of a kind, cut to a window. Args: ends_now: an end may still be to come."""
    return [
        (
            max(interval.start, since),
            None if interval.end is None and ends_now else min(interval.end or until, until),
        )
        for interval in intervals
        if interval.kind is kind
    ]


class OpenIntervals:
    """The intervals that are open now. It turns status changes into intervals to keep."""

    def __init__(self) -> None:
        self._open: dict[Kind, dict[Jid, float]] = {kind: {} for kind in Kind}

    def fold(self, change: PresenceChanged) -> list[Interval]:
        """The intervals that a change opens and closes."""
        intervals = []
        for kind, before, after in (
            (Kind.ONLINE, change.before is Status.ONLINE, change.after is Status.ONLINE),
            (Kind.OBSERVED, change.before is not Status.UNKNOWN, change.after is not Status.UNKNOWN),
        ):
            if before is after:
                continue
            if after:
                self._open[kind][change.jid] = change.at
                intervals.append(Interval(jid=change.jid, kind=kind, start=change.at))
            elif (start := self._open[kind].pop(change.jid, None)) is not None:
                intervals.append(Interval(jid=change.jid, kind=kind, start=start, end=max(start, change.at)))
        return intervals

    def forget(self, jid: Jid) -> None:
        """A contact is tracked no longer, and its past is to be forgotten."""
        for starts in self._open.values():
            starts.pop(jid, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is written to the store at once. `alive_at`: we were alive then; open intervals end there after a crash."""

    presences: list[Presence]
    intervals: list[Interval]
    alive_at: float

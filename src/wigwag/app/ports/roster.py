# SPDX-License-Identifier: Apache-2.0
"""What several gateways need to know together who is here: one truth, leases to write it, a relay of changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from wigwag.domain.roster import Change, Entry
from wigwag.domain.users import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A node's right to write. Younger leases have higher numbers. `roster`: of which truth, since one may be lost."""

    number: int
    roster: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tide:
    """How things stand.

    Args:
        now: the roster's own time, Unix seconds. All instants in it are of that clock.
        seq: the number of the latest change.
        live: the leases that hold, ours included.
        ended: leases that do not, and when their nodes may have been alive at last.
    """

    now: float
    seq: int
    live: frozenset[int]
    ended: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All of the roster, with every change up to `seq`, and perhaps later ones."""

    seq: int
    entries: Mapping[UserId, Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """A wish to change an entry, if it is still as it was: its number is `expected`, or 0 if there is none."""

    user: UserId
    expected: int
    entry: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """What became of a swap: done as change `seq`; or not, and `entry` is what is there."""

    done: bool
    seq: int
    entry: Entry | None


class Roster(Protocol):
    """The one truth about who is here, for all nodes.

    Every write names a lease, and is refused with Fenced once that lease has ended: a node that slept through its end
    harms nobody. After the truth was lost (a Redis that came back empty) every call says RosterLost until the caller
    has joined again. Raises RosterUnavailable when it does not answer.
    """

    async def join(self) -> Lease:
        """Begin a lease. Raises InvalidSettings for a roster that may forget."""
        ...

    async def renew(self, lease: Lease) -> Tide:
        """Keep a lease for LEASE more seconds, and end those of nodes that did not. Raises Fenced, RosterLost."""
        ...

    async def swap(self, lease: Lease, swaps: Sequence[Swap]) -> list[Swapped]:
        """Change entries, each of them by itself or not at all. Raises Fenced, RosterLost."""
        ...

    async def snapshot(self, lease: Lease) -> Snapshot:
        """Raises RosterLost."""
        ...

    async def changes(self, after: int) -> list[Change]:
        """What came after a change, in order and without a gap; waits for it, for some time. Raises Missed."""
        ...

    async def put_back(self, lease: Lease, entries: Collection[Entry]) -> None:
        """After the truth was lost: what a node remembers of it, unless something younger is there already.

        Leases that it does not know have ended now.
        """
        ...

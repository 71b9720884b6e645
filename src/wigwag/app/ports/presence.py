# SPDX-License-Identifier: Apache-2.0
"""Stores of presence, of whom we were asked to track, and of accounts."""

from collections.abc import Collection, Sequence
from typing import Protocol

from wigwag.domain.account import Account
from wigwag.domain.history import Batch, Interval
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence
from wigwag.domain.subscriptions import Subscription
from wigwag.domain.watchlist import Watch, WatchedGroup


class PresenceStore(Protocol):
    """Keeps presence and its past. Writing the same thing twice is the same as writing it once."""

    async def load(self) -> tuple[list[Presence], float]:
        """All contacts as last saved, and when we were last alive (0 for never). Ends the intervals left open then."""
        ...

    async def save(self, batch: Batch) -> None:
        """Write a batch, all of it or nothing."""
        ...

    async def history(self, jid: Jid, start: float, end: float) -> list[Interval]:
        """The intervals that touch [start, end), whole and unclipped, oldest first."""
        ...

    async def histories(self, jids: Collection[Jid], start: float, end: float) -> list[Interval]:
        """The same for several contacts; the order holds within each of them."""
        ...

    async def forget(self, before: float) -> int:
        """Delete intervals that ended before an instant. Returns how many."""
        ...

    async def erase(self, jid: Jid) -> None:
        """Delete all that is kept of a contact: presence, past, wishes, subscription."""
        ...


class WatchStore(Protocol):
    """Keeps whom we were asked to track. What is put is there after a crash."""

    async def load(self) -> tuple[list[Watch], list[WatchedGroup]]: ...

    async def put(self, watches: Sequence[Watch], groups: Sequence[WatchedGroup] = ()) -> None: ...

    async def remove(self, watches: Sequence[Watch], groups: Sequence[WatchedGroup] = ()) -> None: ...

    async def subscriptions(self) -> list[tuple[Jid, int, float]]:
        """Whose subscription failed: jid, attempts in a row, when to try again."""
        ...

    async def save_subscriptions(self, changed: Sequence[Subscription]) -> None:
        """Keep the state of subscriptions, so that a backoff outlives a restart."""
        ...


class AccountStore(Protocol):
    """Keeps which accounts there are, and what an operator chose while running."""

    async def load(self) -> list[Account]:
        """The accounts as last saved."""
        ...

    async def put(self, account: Account) -> None: ...

    async def remove(self, name: str) -> None: ...

    async def choices(self) -> dict[str, str]:
        """What was chosen, by key."""
        ...

    async def choose(self, key: str, value: str) -> None: ...

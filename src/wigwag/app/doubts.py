# SPDX-License-Identifier: Apache-2.0
"""Entries of users who were not known here, and that somebody put back: they may be older than what was told here.

The store knows what was told of a user who left the roster, so it is asked before such an entry is believed. What is
true of other entries is in `app.wishes`.
"""

from collections.abc import Callable
from dataclasses import replace

from wigwag.app.ports import Roster, Swap, Swapped
from wigwag.app.wishes import BATCH, Recall, Wishes
from wigwag.domain.roster import Entry, emptied, merge
from wigwag.domain.users import UserId, UserPresence, settle

REMEMBERED = 20_000  # users who left; beyond it the first are forgotten, and may be shown for a grace


class Doubts:
    """What this node does not yet believe of the roster. Nothing of it is told."""

    def __init__(self, *, roster: Roster, wishes: Wishes, now: Callable[[], float], recall: Recall) -> None:
        self._roster, self._wishes, self._now, self._recall = roster, wishes, now, recall
        self._entries: dict[UserId, Entry] = {}
        self._removed: dict[UserId, int] = {}  # the last change of whoever was seen to leave the roster

    def __contains__(self, user: UserId) -> bool:
        return user in self._entries

    def __bool__(self) -> bool:
        return bool(self._entries)

    def put(self, user: UserId, entry: Entry) -> None:
        """The roster holds this of a user."""
        self._entries[user] = entry

    def drop(self, user: UserId) -> None:
        self._entries.pop(user, None)

    def clear(self) -> None:
        self._entries.clear()

    def removed(self, user: UserId, seq: int) -> None:
        """A user left the roster. Whatever is put back and is no younger is an old copy."""
        self._removed.pop(user, None)
        self._removed[user] = seq
        if len(self._removed) > REMEMBERED:
            del self._removed[next(iter(self._removed))]

    async def settle(self) -> None:
        """Believe what may be told; write the rest anew, so that it may. Raises what they raise who are asked."""
        users = list(self._entries)[:BATCH]
        kept = await self._recall(users)
        swaps: list[Swap] = []
        for user in users:
            entry = self._entries.get(user)
            if entry is None:
                continue
            right = self._right(entry, kept.get(user))
            if right == entry:
                self.drop(user)
                self._wishes.take(user, entry)
            else:
                mine = replace(right, by=self._wishes.lease.number)
                swaps.append(Swap(user=user, expected=entry.seq, entry=mine))
        done = await self._roster.swap(self._wishes.lease, swaps) if swaps else []
        for swap, swapped in zip(swaps, done, strict=True):
            self._learn(swap.user, swapped)

    def _right(self, entry: Entry, kept: UserPresence | None) -> Entry:
        """The entry as it may be told after what was told from the store."""
        now = self._now()
        if self._removed.get(entry.presence.user, 0) >= entry.seq:
            entry = emptied(entry, now)
        if kept is None:
            return entry
        merged = merge(entry, Entry(presence=kept, privacy=entry.privacy), now)
        return replace(merged, presence=settle(merged.presence, now, merged.presence.last_seen or 0.0))

    def _learn(self, user: UserId, swapped: Swapped) -> None:
        """What a swap showed, unless the relay has told more meanwhile."""
        before, entry = self._entries.get(user), swapped.entry
        if before is not None and entry is None:
            self.drop(user)
        elif before is not None and entry is not None and entry.seq > before.seq:
            self._entries[user] = entry

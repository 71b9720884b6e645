# SPDX-License-Identifier: Apache-2.0
"""The book: every tracked contact's presence, in columns, folded one signal at a time.

This is the hottest code of wigwag. It keeps columns instead of objects, so that a scrape reads whole columns, and a
contact costs about 250 bytes. Rules live in `presence`; here they are only applied. Readers get `Presence` values or
columns.

A contact is watched by one account: what another account hears of it is a stranger's word. Rows are reused after
removal.
"""

from array import array
from collections.abc import Iterator

from wigwag.domain.ids import Jid
from wigwag.domain.presence import (
    AFTER,
    HIDDEN,
    Presence,
    PresenceChanged,
    Signal,
    Status,
    counts,
    last_seen_after,
)

NOBODY = Jid("")
BLOCK = 32  # rows that share one revision; a reader that keeps rendered text renews it block by block

_ONLINE, _OFFLINE, _UNKNOWN = Status.ONLINE, Status.OFFLINE, Status.UNKNOWN
_STATUS = tuple(Status)
_COUNTS = tuple(tuple(counts(before, after, False, False) for after in Status) for before in Status)
_COUNTS_LATER = tuple(tuple(counts(before, after, True, False) for after in Status) for before in Status)
_AFTER = tuple(AFTER[signal] for signal in Signal)  # an index is half the price of a key


class Book:
    """The presence of all tracked contacts. Not a store: `storage` keeps what `take_dirty` hands out."""

    def __init__(self) -> None:
        self._rows: dict[Jid, int] = {}
        self._free: list[int] = []
        self._dirty: list[int] = []  # rows, each once: a list and a flag cost half of a set
        self._is_dirty = bytearray()
        self._blocks = array("L")
        self.edition = 0  # rises when a jid or a name is written or struck out
        self.jids: list[Jid] = []  # a free row has NOBODY
        self.names: list[str] = []
        self.accounts: list[str] = []
        self.status = bytearray()
        self.since = array("d")
        self.heard = array("d")
        self.last_seen = array("d")
        self.went_online = array("I")
        self.went_offline = array("I")

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, jid: object) -> bool:
        return jid in self._rows

    def __iter__(self) -> Iterator[Jid]:
        return iter(self._rows)

    # --- who is in the book

    def put(self, presence: Presence) -> None:
        """Write a contact down, in place of what was known of it."""
        row = self._rows.get(presence.jid)
        if row is None:
            row = self._rows[presence.jid] = self._new_row()
        self.edition += 1
        self.jids[row] = presence.jid
        self.names[row] = presence.name
        self.accounts[row] = presence.account
        self.status[row] = presence.status
        self.since[row], self.heard[row] = presence.since, presence.heard
        self.last_seen[row] = HIDDEN if presence.last_seen is None else presence.last_seen
        self.went_online[row], self.went_offline[row] = presence.went_online, presence.went_offline
        self._touch(row)

    def remove(self, jid: Jid) -> None:
        """Strike a contact out. Its row is free for the next one."""
        row = self._rows.pop(jid)
        self.jids[row], self.names[row] = NOBODY, ""
        self.edition += 1
        self.status[row] = _UNKNOWN
        self._touch(row)
        self._free.append(row)

    def rename(self, jid: Jid, name: str) -> None:
        row = self._rows[jid]
        self.names[row] = name
        self.edition += 1
        self._touch(row)

    # --- what happens to it

    def report(
        self, jid: Jid, signal: Signal, at: float, reported: float = HIDDEN, *, account: str, snapshot: bool = False
    ) -> PresenceChanged | None:
        """Fold one signal into a contact's presence. Same state, a stranger, or a signal from the past: no news.

        Args:
            at: when it came, Unix seconds; older than what was last heard, or than the loss of it, is out of order and
                left out.
            reported: the last seen that came with it, or HIDDEN.
            account: who heard it.
            snapshot: it answers a subscription, so it says how things are, not that something happened.
        """
        try:
            row = self._rows[jid]
        except KeyError:
            return None
        heard, before = self.heard[row], _STATUS[self.status[row]]
        if at < heard or self.accounts[row] != account:
            return None
        if before is _UNKNOWN and at < self.since[row]:  # a known status is never newer than `heard`
            return None
        self.heard[row] = at
        known, after = self.last_seen[row], _AFTER[signal]
        seen = last_seen_after(known, signal, reported, at)
        if seen != known:
            self.last_seen[row] = seen
        if before is not after:
            counted = not snapshot and (_COUNTS[before][after] or (heard > 0.0 and _COUNTS_LATER[before][after]))
            return self._turn(row, jid, before, after, at, counted)
        if seen != known and (seen == seen or known == known):  # nan differs from nan
            self._touch(row)
        return None

    def lose(self, jid: Jid, at: float) -> PresenceChanged | None:
        """We no longer hear about this contact: unknown, from now on."""
        row = self._rows.get(jid)
        if row is None or self.status[row] == _UNKNOWN:
            return None
        return self._turn(row, jid, _STATUS[self.status[row]], _UNKNOWN, max(at, self.since[row]), False)

    def lose_account(self, account: str, at: float) -> list[PresenceChanged]:
        """We no longer hear anything through this account."""
        lost = [jid for jid, row in self._rows.items() if self.accounts[row] == account]
        return [change for jid in lost if (change := self.lose(jid, at))]

    def _turn(self, row: int, jid: Jid, before: Status, after: Status, at: float, counted: bool) -> PresenceChanged:
        self.status[row] = after
        self.since[row] = at
        if counted:
            column = self.went_online if after is _ONLINE else self.went_offline
            column[row] += 1
        if not self._is_dirty[row]:
            self._is_dirty[row] = True
            self._dirty.append(row)
        self._blocks[row // BLOCK] += 1
        seen = self.last_seen[row]
        return PresenceChanged(jid, before, after, at, seen if seen == seen else None, counted)

    # --- what readers see

    def get(self, jid: Jid) -> Presence | None:
        row = self._rows.get(jid)
        return None if row is None else self._view(row)

    def heard_at(self, jid: Jid) -> float:
        """When anything was last heard of this contact, Unix seconds; 0 for never or not tracked."""
        row = self._rows.get(jid)
        return 0.0 if row is None else self.heard[row]

    def name_of(self, jid: Jid) -> str:
        row = self._rows.get(jid)
        return "" if row is None else self.names[row]

    def views(self) -> Iterator[Presence]:
        """Everybody in the book when the reading began; whoever is struck out meanwhile is left out."""
        return (self._view(row) for jid in list(self._rows) if (row := self._rows.get(jid)) is not None)

    def count(self, status: Status) -> int:
        """How many contacts have this status. Free rows are unknown and do not count."""
        found = self.status.count(status)
        return found - len(self._free) if status is _UNKNOWN else found

    def take_dirty(self, limit: int) -> list[Presence]:
        """At most `limit` contacts that changed since they were last taken."""
        taken: list[Presence] = []
        while self._dirty and len(taken) < limit:
            row = self._dirty.pop()
            self._is_dirty[row] = False
            if self.jids[row] is not NOBODY:
                taken.append(self._view(row))
        return taken

    def mark_dirty(self, jids: list[Jid]) -> None:
        """What was taken could not be kept: hand it out again."""
        for jid in jids:
            if (row := self._rows.get(jid)) is not None and not self._is_dirty[row]:
                self._is_dirty[row] = True
                self._dirty.append(row)

    def revisions(self) -> "array[int]":
        """One number per block of BLOCK rows; it rises when any row of the block changes."""
        return self._blocks

    # --- rows

    def _touch(self, row: int) -> None:
        if not self._is_dirty[row]:
            self._is_dirty[row] = True
            self._dirty.append(row)
        self._blocks[row // BLOCK] += 1

    def _view(self, row: int) -> Presence:
        seen = self.last_seen[row]
        return Presence(
            jid=self.jids[row],
            name=self.names[row],
            account=self.accounts[row],
            status=_STATUS[self.status[row]],
            since=self.since[row],
            last_seen=seen if seen == seen else None,
            heard=self.heard[row],
            went_online=self.went_online[row],
            went_offline=self.went_offline[row],
        )

    def _new_row(self) -> int:
        if self._free:
            return self._free.pop()
        row = len(self.jids)
        self.jids.append(NOBODY)
        self.names.append("")
        self.status.append(_UNKNOWN)
        self._is_dirty.append(False)
        self.accounts.append("")
        for column in (self.since, self.heard, self.last_seen):
            column.append(0.0)
        self.went_online.append(0)
        self.went_offline.append(0)
        if row % BLOCK == 0:
            self._blocks.append(0)
        return row

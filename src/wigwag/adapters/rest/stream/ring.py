# SPDX-License-Identifier: Apache-2.0
"""The latest events in their order: a client that was away goes on where it stopped, or learns that it cannot.

Pure bookkeeping: no clock and no socket. A position is `<epoch>-<number>`; another process has another epoch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SIZE = 20_000  # events kept: over half a minute at 500 a second, hours on most days


class Reset(StrEnum):
    """Why a client cannot go on, and must read anew what it shows."""

    RESTARTED = "restarted"  # the position is of another process
    TOO_OLD = "too_old"  # more was missed than is kept
    ERASED = "erased"  # something that was missed is about a person who was erased since


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A fact as it is told. `data` is a JSON object."""

    kind: str
    account: str
    about: tuple[str, ...]  # the jids of the contacts and groups that it names
    data: bytes


@dataclass(slots=True)
class Entry:
    """One event. `told` and `frame` are made when somebody wants them."""

    number: int
    fact: Any
    told: Told | None = None
    frame: bytes = b""


class Ring:
    """The newest events.

    Args:
        epoch: names this process among all that ever ran.
        tell: how a fact is told; None where there is nothing left to tell.
    """

    def __init__(self, epoch: str, tell: Callable[[Any], Told | None], size: int = SIZE) -> None:
        self._epoch, self._tell, self._size = epoch, tell, size
        self._slots: list[Entry | None] = [None] * size
        self._last = 0  # the number of the newest
        self._erased = 0  # whoever knows less than this number missed something that is gone

    @property
    def last(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._last

    def position(self, number: int) -> str:
        """What a client is given, to go on after this event."""
        return f"{self._epoch}-{number}"

    def append(self, fact: Any) -> None:
        """Keep a fact as the newest event, in the place of the oldest."""
        self._last += 1
        self._slots[self._last % self._size] = Entry(self._last, fact)

    def number_of(self, position: str) -> int | Reset:
        """Where a client stands that comes back, or why it cannot go on."""
        epoch, _dash, digits = position.rpartition("-")
        if epoch != self._epoch or not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
            return Reset.RESTARTED
        number = int(digits)
        if number > self._last:
            return Reset.RESTARTED
        return self.trouble(number) or number

    def trouble(self, number: int) -> Reset | None:
        """Why a client at this number cannot go on without a gap; None if it can."""
        if number < self._last - self._size:
            return Reset.TOO_OLD
        return Reset.ERASED if number < self._erased else None

    def after(self, number: int, limit: int) -> Iterator[Entry]:
        """At most so many events after a number, in order. Those that say nothing any more are left out."""
        first = max(number, self._last - self._size) + 1
        for each in range(first, min(self._last, number + limit) + 1):
            entry = self._slots[each % self._size]
            if entry is not None and entry.number == each and self._encode(entry):
                yield entry

    def forget(self, is_meant: Callable[[Any], bool]) -> None:
        """Drop what is about somebody. Clients that did not see it yet must read anew."""
        for place, entry in enumerate(self._slots):
            if entry is not None and is_meant(entry.fact):
                self._slots[place] = None
                self._erased = max(self._erased, entry.number)

    def _encode(self, entry: Entry) -> bool:
        if entry.told is None and (told := self._tell(entry.fact)) is not None:
            entry.told = told
            head = f"event: {told.kind}\nid: {self.position(entry.number)}\ndata: "
            entry.frame = head.encode() + told.data + b"\n\n"
        return entry.told is not None

# SPDX-License-Identifier: Apache-2.0
"""What happened: the log, the inbox of all contacts, the subscribe stanzas and the receipts, all bounded.

The oldest lines go when there are too many; what was counted stays counted. Every line also goes to Python's logging
under `wigwag.simulator`, with numbers masked and without message texts.
"""

import base64
import logging
import re
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{5,}(?![0-9A-Za-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log. `account` is the phone number of the client it is about, empty when unknown."""

    seq: int
    at: datetime
    event: str
    account: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One subscribe or unsubscribe stanza. `action`: subscribe, unsubscribe or refused, the last with a `reason`."""

    seq: int
    at: datetime
    account: str
    device: int
    action: str
    phone: str
    jid: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that a contact decrypted; one in a group is a line for each who read it.

    `phone` read it, under the address `jid`; `group` is the group's address. `kind` to `fields` are those of
    `content.Content`; `raw` is the message itself, base64.
    """

    seq: int
    at: datetime
    id: str
    account: str
    device: int
    phone: str
    jid: str
    group: str | None
    kind: str
    text: str | None
    quoted: str | None
    mentions: tuple[str, ...]
    fields: dict[str, Any]
    raw: str

    @property
    def message(self) -> bytes:
        """The bytes that the client has encrypted, without padding."""
        return base64.b64decode(self.raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt that a client sent. `kind`: delivery, read, retry, inactive, sender, peer_msg and others.

    `jid` is the chat; in a group, `participant` is the author of the messages.
    """

    seq: int
    at: datetime
    account: str
    device: int
    jid: str
    participant: str | None
    kind: str
    ids: list[str]


def mask(text: str) -> str:
    """Long numbers keep two digits at each end: 15551234567 is 15…67."""
    return _NUMBER.sub(lambda match: f"{match[0][:2]}…{match[0][-2:]}", text)


Line = Entry | Subscription | Received | Receipt
_PARTS: dict[str, type[Line]] = {
    "log": Entry,
    "inbox": Received,
    "subscriptions": Subscription,
    "receipts": Receipt,
}


@dataclass(slots=True)
class Counts:
    """How much there was since the start: `messages` by account, reader and kind, `receipts_*` by their kind."""

    messages: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    receipts_sent: Counter[str] = field(default_factory=Counter)
    receipts_received: Counter[str] = field(default_factory=Counter)

    def by(self, place: int) -> dict[str, int]:
        """Messages by account (0), reader (1) or kind (2)."""
        sums: Counter[str] = Counter()
        for names, number in self.messages.items():
            sums[names[place]] += number
        return dict(sums)


@dataclass(slots=True)
class Journal:
    """`keep`: how many lines of each part."""

    now: Callable[[], float]
    keep: int = 100_000
    log: deque[Entry] = field(default_factory=deque)
    inbox: deque[Received] = field(default_factory=deque)
    subscriptions: deque[Subscription] = field(default_factory=deque)
    receipts: deque[Receipt] = field(default_factory=deque)
    counts: Counts = field(default_factory=Counts)
    _seq: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.limit(self.keep)

    def limit(self, keep: int) -> None:
        """Keep so many lines of each part from now on, the newest."""
        self.keep = keep
        self.log = deque(self.log, keep)
        self.inbox = deque(self.inbox, keep)
        self.subscriptions = deque(self.subscriptions, keep)
        self.receipts = deque(self.receipts, keep)

    def stamp(self) -> dict[str, Any]:
        return {"seq": next(self._seq), "at": datetime.fromtimestamp(self.now(), UTC)}

    def select(
        self, part: str, *, after: int | None = None, limit: int = 10_000, wanted: Mapping[str, str]
    ) -> list[Line]:
        """Lines of `log`, `inbox`, `subscriptions` or `receipts`, oldest first: the newest, or the first after `after`.

        `wanted` names fields and what they must be, as text. Raises ValueError for a field that the lines do not have.
        """
        names = _PARTS[part].__slots__
        if unknown := wanted.keys() - set(names):
            raise ValueError(f"no filter {min(unknown)!r} here: choose from {', '.join(names)}")
        found: list[Line] = []
        for line in reversed(getattr(self, part)):
            if (after is not None and line.seq <= after) or (after is None and len(found) == limit):
                break
            if all(str(getattr(line, name)) == value for name, value in wanted.items()):
                found.append(line)
        return found[::-1][:limit]

    def note(self, room: str, event: str, account: str = "", **detail: Any) -> None:
        """One line in the log and in Python's logging: event, account and detail as key=value."""
        self._log(room, logging.INFO, event, account, detail)

    def trace(self, room: str, event: str, account: str = "", **detail: Any) -> None:
        """As `note`, for what happens with every message: Python's logging hears of it when it asks for details."""
        self._log(room, logging.DEBUG, event, account, detail)

    def refuse(self, room: str, reason: str, account: str = "", **detail: Any) -> None:
        """A stanza, frame or login was refused, and why."""
        self._log(room, logging.WARNING, "refused", account, {"reason": reason, **detail})

    def received(self, **fields: Any) -> None:
        line = Received(**self.stamp(), **fields)
        self.inbox.append(line)
        self.counts.messages[line.account, line.phone, line.kind] += 1
        self.counts.events["message"] += 1
        _write("messages", logging.DEBUG, "message", line.account, {"id": line.id, "to": line.jid, "kind": line.kind})

    def receipt(self, **fields: Any) -> None:
        line = Receipt(**self.stamp(), **fields)
        self.receipts.append(line)
        self.counts.receipts_received[line.kind] += 1

    def subscribed(self, **fields: Any) -> None:
        line = Subscription(**self.stamp(), **fields)
        self.subscriptions.append(line)
        detail = {"action": line.action, "contact": line.jid} | ({"reason": line.reason} if line.reason else {})
        _write("presence", logging.INFO, "subscribe", line.account, detail)

    def _log(self, room: str, level: int, event: str, account: str, detail: dict[str, Any]) -> None:
        self.log.append(Entry(**self.stamp(), event=event, account=account, detail=detail))
        self.counts.events[event] += 1
        _write(room, level, event, account, detail)


def _write(room: str, level: int, event: str, account: str, detail: dict[str, Any]) -> None:
    logger = logging.getLogger(f"wigwag.simulator.{room}")
    if logger.isEnabledFor(level):
        words = [event, f"account={account}" if account else "", *(f"{key}={value}" for key, value in detail.items())]
        logger.log(level, "%s", mask(" ".join(word for word in words if word)))

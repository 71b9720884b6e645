# SPDX-License-Identifier: Apache-2.0
"""What happened: the log, the inbox of all contacts, the subscribe stanzas and the receipts, all bounded.

Every line also goes to Python's logging under `wigwag.simulator`, with numbers masked and without message texts.
"""

import logging
import re
from collections import deque
from collections.abc import Callable
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
    """A message that a contact decrypted. `kind` is text, or what else was sent; `text` is None then."""

    seq: int
    at: datetime
    id: str
    account: str
    device: int
    phone: str
    jid: str
    kind: str
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt that a client sent. `kind`: delivery, read, retry, inactive, sender, peer_msg and others."""

    seq: int
    at: datetime
    account: str
    device: int
    jid: str
    kind: str
    ids: list[str]


def mask(text: str) -> str:
    """Long numbers keep two digits at each end: 15551234567 is 15…67."""
    return _NUMBER.sub(lambda match: f"{match[0][:2]}…{match[0][-2:]}", text)


@dataclass(slots=True)
class Journal:
    now: Callable[[], float]
    log: deque[Entry] = field(default_factory=lambda: deque(maxlen=10_000))
    inbox: deque[Received] = field(default_factory=lambda: deque(maxlen=50_000))
    subscriptions: deque[Subscription] = field(default_factory=lambda: deque(maxlen=100_000))
    receipts: deque[Receipt] = field(default_factory=lambda: deque(maxlen=50_000))
    _seq: "count[int]" = field(default_factory=lambda: count(1))

    def stamp(self) -> dict[str, Any]:
        return {"seq": next(self._seq), "at": datetime.fromtimestamp(self.now(), UTC)}

    def note(self, room: str, event: str, account: str = "", **detail: Any) -> None:
        """One line in the log and in Python's logging: event, account and detail as key=value."""
        self.log.append(Entry(**self.stamp(), event=event, account=account, detail=detail))
        _write(room, logging.INFO, event, account, detail)

    def refuse(self, room: str, reason: str, account: str = "", **detail: Any) -> None:
        """A stanza, frame or login was refused, and why."""
        self.log.append(Entry(**self.stamp(), event="refused", account=account, detail={"reason": reason, **detail}))
        _write(room, logging.WARNING, "refused", account, {"reason": reason, **detail})

    def subscribed(self, **fields: Any) -> None:
        line = Subscription(**self.stamp(), **fields)
        self.subscriptions.append(line)
        detail = {"action": line.action, "contact": line.jid} | ({"reason": line.reason} if line.reason else {})
        _write("presence", logging.INFO, "subscribe", line.account, detail)


def _write(room: str, level: int, event: str, account: str, detail: dict[str, Any]) -> None:
    logger = logging.getLogger(f"wigwag.simulator.{room}")
    if logger.isEnabledFor(level):
        words = [event, f"account={account}" if account else "", *(f"{key}={value}" for key, value in detail.items())]
        logger.log(level, "%s", mask(" ".join(word for word in words if word)))

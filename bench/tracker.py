# SPDX-License-Identifier: Apache-2.0
"""What it costs to keep the presence of 100,000 contacts: updates a second, and bytes a contact.

    python bench/tracker.py

The book, the tracker above it, and a plain dict of dataclasses (the obvious way, with the same rules) fold the same
reports: contacts picked at random that flip, and the same status again. They take turns, and the time is that of our
own work, so that a busy machine slows them less and alike; printed are the best of the rounds, and the ratio to the
dict of that run. Facts are made, but reach nobody. Fails when the tracker misses a target.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from wigwag.app.tracker import Tracker
from wigwag.domain.book import Book
from wigwag.domain.events import PresenceReported
from wigwag.domain.ids import Jid
from wigwag.domain.pacing import Pace
from wigwag.domain.presence import AFTER, Presence, PresenceChanged, Signal, Status, counts, last_seen_after
from wigwag.domain.subscriptions import Plan
from wigwag.testing import FakeClock

CONTACTS, REPORTS, ROUNDS = 100_000, 100_000, 5
SLICE = 1_000  # reports that are made at once and then folded, as they come from the inbox
UPDATES, BYTES = 500_000, 300  # what the tracker must reach, and what a contact may take
START = 1_763_637_780.0
ACCOUNT = "default"

Fold = Callable[[PresenceReported], object]
Kind = Callable[[Sequence[Jid], float, set[Jid]], list[PresenceReported]]


@dataclass(slots=True)
class Contact:
    """One contact of the plain way."""

    jid: Jid
    name: str
    account: str
    status: Status
    since: float
    last_seen: float
    heard: float
    went_online: int
    went_offline: int


class Plain:
    """A dict of dataclasses, with the rules of the book."""

    def __init__(self) -> None:
        self.contacts: dict[Jid, Contact] = {}
        self.dirty: set[Jid] = set()

    def put(self, jid: Jid, name: str) -> None:
        self.contacts[jid] = Contact(jid, name, ACCOUNT, Status.UNKNOWN, 0.0, float("nan"), 0.0, 0, 0)

    def report(self, report: PresenceReported) -> PresenceChanged | None:
        contact = self.contacts.get(report.jid)
        at = report.at
        if contact is None or contact.account != report.account or at < contact.heard or at < contact.since:
            return None
        before, after = contact.status, AFTER[report.signal]
        counted = before is not after and counts(before, after, contact.heard > 0.0, False)
        contact.heard = at
        contact.last_seen = last_seen_after(contact.last_seen, report.signal, report.last_seen, at)
        if before is after:
            return None
        contact.status, contact.since = after, at
        if counted and after is Status.ONLINE:
            contact.went_online += 1
        elif counted:
            contact.went_offline += 1
        self.dirty.add(report.jid)
        return PresenceChanged(report.jid, before, after, at, contact.last_seen, counted)


def people() -> list[tuple[Jid, str]]:
    return [(Jid(f"{15_550_000_000 + n}@s.whatsapp.net"), f"Contact {n}") for n in range(CONTACTS)]


def plain() -> Plain:
    made = Plain()
    for jid, name in people():
        made.put(jid, name)
    return made


def book() -> Book:
    made = Book()
    for jid, name in people():
        made.put(Presence(jid=jid, name=name, account=ACCOUNT))
    made.take_dirty(CONTACTS)
    return made


def tracker() -> Tracker:
    """A tracker of an account whose subscriptions are all active."""
    filled, plan = book(), Plan(Pace(batch=1000, gap=0.0, rest=0.0))
    for jid in filled:
        plan.want(jid, 2)
    plan.link_up(START)
    while (taken := plan.take(START)) is not None:
        plan.hear(taken)
    return Tracker(filled, {ACCOUNT: plan}, FakeClock(START), lambda _fact: None)


def folds() -> dict[str, Fold]:
    """The ways to fold a report, each with its own 100,000 contacts."""
    filled, reference, tracking = book(), plain(), tracker()

    def report(told: PresenceReported) -> PresenceChanged | None:
        return filled.report(told.jid, told.signal, told.at, told.last_seen, account=told.account)

    return {"dict of dataclasses": reference.report, "Book.report": report, "Tracker.observe": tracking.observe}


def flips(jids: Sequence[Jid], at: float, online: set[Jid]) -> list[PresenceReported]:
    """Contacts turn from online to offline, or back."""
    reports = []
    for jid in jids:
        signal = Signal.UNAVAILABLE if jid in online else Signal.AVAILABLE
        online ^= {jid}
        reports.append(PresenceReported(account=ACCOUNT, jid=jid, signal=signal, last_seen=at, at=at))
    return reports


def repeats(jids: Sequence[Jid], at: float, online: set[Jid]) -> list[PresenceReported]:
    """Contacts that are online, or offline, still are."""
    return [
        PresenceReported(
            account=ACCOUNT,
            jid=jid,
            signal=Signal.AVAILABLE if jid in online else Signal.UNAVAILABLE,
            last_seen=at,
            at=at,
        )
        for jid in jids
    ]


def rate(fold: Fold, kind: Kind, turn: int, online: set[Jid]) -> float:
    """Updates a second of our own work, over random contacts; the same ones for everybody in the same turn."""
    chance, spent = Random(turn), 0.0
    jids = [jid for jid, _name in people()]
    for at in range(REPORTS // SLICE):
        reports = kind(chance.choices(jids, k=SLICE), START + 1000.0 * turn + at, online)
        began = time.thread_time()
        for report in reports:
            fold(report)
        spent += time.thread_time() - began
    return REPORTS / spent


def weight(make: Callable[[], object]) -> float:
    """Bytes a contact, with the texts of its jid and name."""
    gc.collect()
    tracemalloc.start()
    made = make()
    gc.collect()
    size, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del made
    return size / CONTACTS


def rates() -> dict[str, dict[str, float]]:
    """The best rate of each way, by kind of report."""
    ways = folds()
    online = {name: set[Jid]() for name in ways}
    best = {kind.__name__: dict.fromkeys(ways, 0.0) for kind in (flips, repeats)}
    for turn, kind in enumerate([flips, repeats] * ROUNDS):
        for name, fold in ways.items():
            best[kind.__name__][name] = max(best[kind.__name__][name], rate(fold, kind, turn, online[name]))
    return best


def main() -> None:
    reference, ours = weight(plain), weight(book)
    print(f"{CONTACTS:,} contacts: book {ours:.0f} B each, dict of dataclasses {reference:.0f} B", end=" ")
    print(f"({reference / ours:.1f} times as much; target {BYTES} B)")
    best = rates()
    for kind, ways in best.items():
        for name, found in ways.items():
            print(f"{kind}: {name} {found:,.0f} updates/s ({found / ways['dict of dataclasses']:.2f} of the dict)")
    slowest = min(ways["Tracker.observe"] for ways in best.values())
    print(f"target {UPDATES:,} updates/s")
    if ours > BYTES or slowest < UPDATES:
        sys.exit("The target was missed.")


if __name__ == "__main__":
    main()

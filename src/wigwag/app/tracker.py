# SPDX-License-Identifier: Apache-2.0
"""What we hear of contacts becomes their presence. The hottest path of wigwag: one call per event, no await.

It joins the book (what is known) with the plans (what we subscribed to), because the first event after a subscribe is a
snapshot and counts nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from wigwag.app.ports import Clock
from wigwag.domain.book import Book
from wigwag.domain.events import (
    ContactAdded,
    ContactRemoved,
    Fact,
    PresenceReported,
    SubscriptionChanged,
    Typing,
    TypingChanged,
    TypingReported,
)
from wigwag.domain.ids import Jid, number
from wigwag.domain.presence import Presence, Signal, Status
from wigwag.domain.subscriptions import Plan, State
from wigwag.domain.texts import kept_text

TYPING_LASTS = 25.0  # seconds after which typing ends by itself, as WhatsApp's own clients do


class Tracker:
    """Keeps the book. `announce` hears of every change."""

    def __init__(self, book: Book, plans: Mapping[str, Plan], clock: Clock, announce: Callable[[Fact], None]) -> None:
        self.book = book
        self._plans, self._clock, self._announce = plans, clock, announce
        self._typing: dict[Jid, TypingChanged] = {}

    def add(self, jid: Jid, name: str, account: str) -> None:
        """Begin to keep a contact's presence: unknown until something is heard. Known ones get the new name, if any."""
        known, name = self.book.get(jid), kept_text(name)
        if known is None:
            name = name or f"+{number(jid)}"
            self.book.put(Presence(jid=jid, name=name, account=account, since=self._clock.now()))
        elif known.account != account:
            self.lose(jid)
            name = name or known.name
            self.book.put(replace(known, status=Status.UNKNOWN, name=name, account=account))
        elif name and name != known.name:
            self.book.rename(jid, name)
        else:
            return
        self._announce(ContactAdded(jid=jid, name=name, account=account, at=self._clock.now()))

    def forget(self, jid: Jid) -> None:
        """Stop keeping a contact. What was observed until now ends now."""
        self.lose(jid)
        self._typing.pop(jid, None)
        known = self.book.get(jid)
        if known is not None:
            self.book.remove(jid)
        account = known.account if known else ""
        self._announce(ContactRemoved(jid=jid, account=account, at=self._clock.now()))

    def observe(self, report: PresenceReported) -> None:
        """Fold what WhatsApp said into the contact's presence. Strangers and untrusted links are ignored."""
        jid, account = report.jid, report.account
        plan = self._plans.get(account)
        if plan is None or not plan.linked:
            return
        snapshot = jid in plan.unconfirmed and self._confirm(plan, report)
        change = self.book.report(jid, report.signal, report.at, report.last_seen, account=account, snapshot=snapshot)
        if change is not None:
            if self._typing and report.signal is Signal.UNAVAILABLE:
                self._stop_typing(jid, report.at)
            self._announce(change)

    def _confirm(self, plan: Plan, report: PresenceReported) -> bool:
        jid = report.jid
        snapshot = plan.hear(jid)
        if jid not in plan.unconfirmed:
            confirmed = SubscriptionChanged(
                account=report.account, jid=jid, state=State.ACTIVE, attempts=0, at=report.at
            )
            self._announce(confirmed)
        return snapshot

    def lose(self, jid: Jid) -> None:
        """We hear nothing of a contact any more: unknown, not offline."""
        change = self.book.lose(jid, self._clock.now())
        if change is not None:
            self._announce(change)

    def lose_account(self, account: str, at: float) -> None:
        """An account's link is gone, and with it all that we heard through it."""
        for change in self.book.lose_account(account, at):
            self._stop_typing(change.jid, at)
            self._announce(change)

    # --- typing

    def observe_typing(self, report: TypingReported) -> None:
        """A contact types, records, or paused. Strangers are ignored."""
        if report.jid not in self.book:
            return
        if report.typing is Typing.PAUSED:
            self._stop_typing(report.jid, report.at)
            return
        before = self._typing.get(report.jid)
        self._typing[report.jid] = after = TypingChanged(jid=report.jid, typing=report.typing, at=report.at)
        if before is None or before.typing is not after.typing:
            self._announce(after)

    def typing(self) -> list[TypingChanged]:
        """Who types or records now."""
        return list(self._typing.values())

    async def run(self) -> None:
        """End typing that nobody ended."""
        while True:
            await self._clock.sleep(TYPING_LASTS / 5)
            now = self._clock.now()
            for typing in self.typing():
                if now - typing.at >= TYPING_LASTS:
                    self._stop_typing(typing.jid, now)

    def _stop_typing(self, jid: Jid, at: float) -> None:
        if self._typing.pop(jid, None) is not None:
            self._announce(TypingChanged(jid=jid, typing=Typing.PAUSED, at=at))

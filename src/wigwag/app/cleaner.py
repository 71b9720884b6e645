# SPDX-License-Identifier: Apache-2.0
"""Keeps only what may be kept: the past for the time of retention, contacts while something is heard of them."""

from collections.abc import Awaitable, Callable, Sequence

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock
from wigwag.domain.account import Account
from wigwag.domain.book import Book
from wigwag.domain.events import Fact
from wigwag.domain.ids import Jid

CLEAN_EVERY = 3600.0  # seconds
FAIR_HEARING = 24 * 3600.0  # seconds that a link must have been up before silence is held against a contact


class Cleaner:
    """Deletes what is too old.

    Args:
        retention: seconds.
        accounts: all accounts; our own silence is never taken for a contact's.
        forget: each deletes a part of the past before an instant.
        drop: forgets the presence of a contact.
    """

    def __init__(
        self,
        *,
        book: Book,
        clock: Clock,
        retention: float,
        accounts: Callable[[], list[Account]],
        forget: Sequence[Callable[[float], Awaitable[int]]],
        drop: Callable[[Jid], Awaitable[None]],
        announce: Callable[[Fact], None],
    ) -> None:
        self._book, self._clock, self._retention = book, clock, retention
        self._accounts, self._forget, self._drop = accounts, forget, drop
        self._failures = Failures(clock, announce)

    async def run(self) -> None:
        while True:
            await self._clock.sleep(CLEAN_EVERY)
            await self.clean()

    async def clean(self) -> list[Jid]:
        """Clean once. Returns the contacts that were removed because nothing was heard of them for so long."""
        now = self._clock.now()
        inactive = self._inactive(now)
        for forget in self._forget:
            await self._failures.guard("cleaner", forget(now - self._retention))
        for jid in inactive:
            await self._failures.guard("cleaner", self._drop(jid))
        return inactive

    def _inactive(self, now: float) -> list[Jid]:
        fair = {a.name for a in self._accounts() if a.connected and now - a.since >= FAIR_HEARING}
        before = now - self._retention
        return [p.jid for p in self._book.views() if p.account in fair and (p.heard or p.since) < before]

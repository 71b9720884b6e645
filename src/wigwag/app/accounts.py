# SPDX-License-Identifier: Apache-2.0
"""The accounts: pair, link, link again, and leave alone what must be left alone.

The rules are the table in `domain.account`; here they meet real time. A link that was replaced is never fought for.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from wigwag.app.failures import Failures
from wigwag.app.ports import AccountStore, Clock, Link
from wigwag.domain.account import Account, LinkSignal, LinkState, advance, retry_at
from wigwag.domain.errors import Conflict, GatewayError, NotFound
from wigwag.domain.events import AccountChanged, Fact, LinkReported, PairingOffered, PartFailed
from wigwag.domain.ids import Jid, number

DEFAULT = "default"
PAIRING_ROUNDS = 10  # times that pairing is offered anew (about 160 s each) before we wait to be asked
LEFT_ALONE = {LinkState.REPLACED, LinkState.STOPPED}  # not even a restart of ours connects these
GIVEN_UP = {LinkState.REPLACED, LinkState.LOGGED_OUT, LinkState.BANNED, LinkState.OUTDATED}


class Accounts:
    """All accounts of this process.

    Args:
        chance: gives numbers from 0 to 1, to spread attempts.
        in_use: whether contacts are tracked through an account.
        turned: each is told of every change, before the sinks are.
        first: make an account if there is none.
    """

    def __init__(
        self,
        *,
        link: Link,
        store: AccountStore,
        clock: Clock,
        announce: Callable[[Fact], None],
        chance: Callable[[], float],
        in_use: Callable[[str], bool],
        turned: Sequence[Callable[[AccountChanged], None]],
        first: bool = True,
    ) -> None:
        self._link, self._store, self._clock = link, store, clock
        self._announce, self._chance, self._in_use, self._turned = announce, chance, in_use, turned
        self._first = first
        self._accounts: dict[str, Account] = {}
        self._retries: dict[str, float | None] = {}
        self._pairings: dict[str, PairingOffered] = {}
        self._rounds: dict[str, int] = {}
        self._unsaved: set[str] = set()
        self._given_up: set[str] = set()
        self._failures = Failures(clock, announce)
        self._wake = asyncio.Event()

    async def restore(self) -> None:
        """Read the accounts from the store; the first start may make one named `default`. Links begin in `run`."""
        for account in await self._store.load():
            resting = account.state in LEFT_ALONE or (
                account.state is LinkState.BANNED and (account.until or 0.0) > self._clock.now()
            )
            self._put(account if resting else replace(account, state=LinkState.UNPAIRED, failures=0))
            self._retries[account.name] = retry_at(account, self._chance()) if resting else self._clock.now()
        if not self._accounts and self._first:
            self._put(Account(name=DEFAULT, since=self._clock.now()))
            self._retries[DEFAULT] = self._clock.now()

    async def run(self) -> None:
        """Make links when it is time, one after the other, and keep the accounts in the store, for ever."""
        while True:
            self._wake.clear()
            await self._close_given_up()
            for name in [name for name, due in self._retries.items() if due is not None and due <= self._clock.now()]:
                await self._connect(name)
            saved = await self._save()
            times = [due for due in self._retries.values() if due is not None]
            if not saved:
                times.append(self._clock.now() + 5.0)
            await self._clock.wait(self._wake, min(times, default=None))

    async def _close_given_up(self) -> None:
        """The library may try again by itself, in the race between an error and the end of the line: not with us."""
        while self._given_up:
            name = self._given_up.pop()
            await self._failures.guard(f"link {name}", self._link.disconnect(name))

    # --- what happens to them

    def hear(self, report: LinkReported) -> None:
        """Fold what happened to a link into its account."""
        before = self._accounts.get(report.account)
        if before is None:
            return
        after = advance(before, report.signal, report.at, jid=report.jid, until=report.until, detail=report.detail)
        if after is before:
            return
        if after.state is not LinkState.PAIRING:
            self._pairings.pop(after.name, None)
        if report.signal is LinkSignal.EXPIRED:
            self._rounds[after.name] = self._rounds.get(after.name, 0) + 1
        if after.state in GIVEN_UP:
            self._given_up.add(after.name)
        self._put(after)
        self._retries[after.name] = self._next_attempt(after, report.signal)
        change = AccountChanged(before=before, after=after, at=report.at)
        for follow in self._turned:
            follow(change)
        self._announce(change)
        self._wake.set()

    def hear_pairing(self, offer: PairingOffered) -> None:
        """WhatsApp offers to pair: keep the code to show."""
        if offer.account in self._accounts:
            self._pairings[offer.account] = offer

    def _next_attempt(self, account: Account, signal: LinkSignal) -> float | None:
        if signal is LinkSignal.EXPIRED and self._rounds[account.name] < PAIRING_ROUNDS:
            return self._clock.now()
        return retry_at(account, self._chance())

    # --- what is asked of them

    def all(self) -> list[Account]:
        return list(self._accounts.values())

    def get(self, name: str) -> Account:
        """Raises NotFound."""
        account = self._accounts.get(name)
        if account is None:
            raise NotFound("There is no account of this name.")
        return account

    def pick(self, name: str | None) -> str:
        """The account of this name, or the only one. Raises NotFound, or Conflict if there is a choice."""
        if name is not None:
            return self.get(name).name
        if len(self._accounts) > 1:
            raise Conflict("There are several accounts: say which one.")
        return self.get(next(iter(self._accounts), DEFAULT)).name

    async def add(self, name: str) -> Account:
        """A new account, to be paired. Raises Conflict, InvalidSettings (name), StoreUnavailable."""
        if name in self._accounts:
            raise Conflict("There is an account of this name already.")
        account = Account(name=name, since=self._clock.now())
        await self._store.put(account)
        self._put(account)
        await self.connect(name)
        return account

    async def remove(self, name: str) -> None:
        """Log out, if there is a link to say so on, and forget the account."""
        self.get(name)
        if self._in_use(name):
            raise Conflict("Contacts are tracked through this account: untrack them first.")
        if self.get(name).connected:
            await self._link.log_out(name)
        await self._link.disconnect(name)
        await self._store.remove(name)
        for kept in (self._accounts, self._retries, self._pairings, self._rounds):
            kept.pop(name, None)
        self._unsaved.discard(name)

    async def connect(self, name: str) -> None:
        """Make the link now, because somebody asked."""
        self.get(name)
        self._rounds[name] = 0
        self._retries[name] = self._clock.now()
        self._wake.set()

    async def disconnect(self, name: str) -> None:
        """Close the link, and leave it closed."""
        self.get(name)
        await self._link.disconnect(name)
        self.hear(LinkReported(account=name, signal=LinkSignal.STOPPED, at=self._clock.now()))

    async def set_appear(self, name: str, appear: bool) -> Account:
        """Whether to be available, and so to hear presences, while anything is tracked. Takes effect on a new link."""
        account = self.get(name)
        if account.appear is not appear:
            await self._store.put(replace(account, appear=appear))
            self._put(replace(self.get(name), appear=appear))
            await self.connect(name)
        return self.get(name)

    def pairing(self, name: str) -> PairingOffered:
        """The code to show now."""
        account = self.get(name)
        offer = self._pairings.get(name)
        if offer is None or offer.expires <= self._clock.now():
            raise Conflict(f"No pairing code is on offer while the account is {account.state}. {account.advice}")
        return offer

    async def pair_by_code(self, name: str, phone: Jid) -> str:
        self.pairing(name)
        return await self._link.pair_by_code(name, number(phone))

    async def _connect(self, name: str) -> None:
        now = self._clock.now()
        self._retries[name] = None
        self.hear(LinkReported(account=name, signal=LinkSignal.ASKED, at=now))
        try:
            await self._link.connect(name)
        except GatewayError as error:
            self._announce(PartFailed(part=f"link {name}", code=error.code, detail=str(error), at=now))
            self.hear(LinkReported(account=name, signal=LinkSignal.DOWN, at=now, detail=str(error)))

    # --- keeping them

    def _put(self, account: Account) -> None:
        self._accounts[account.name] = account
        self._unsaved.add(account.name)

    async def _save(self) -> bool:
        """Keep what changed. False if the store does not answer."""
        for name in self._unsaved & self._accounts.keys():
            self._unsaved.discard(name)
            if not await self._failures.guard("accounts", self._store.put(self._accounts[name])):
                self._unsaved.add(name)
                return False
        return True

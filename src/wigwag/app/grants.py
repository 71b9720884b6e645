# SPDX-License-Identifier: Apache-2.0
"""Which contacts on WhatsApp a user may watch: the operator says so, and nobody else.

Whoever may watch a contact is told of it while here. Presence of users among themselves is the lobby's.
"""

import asyncio
from collections.abc import Callable, Collection

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, GrantStore
from wigwag.domain.book import Book
from wigwag.domain.errors import Conflict, StoreUnavailable
from wigwag.domain.events import Fact, GrantedChanged, GrantsShown
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, PresenceChanged
from wigwag.domain.users import UserId

AGAIN = 5.0  # seconds until the store is asked again
MOST = 1_000  # contacts that a user may watch

_NOBODY: frozenset[Jid] = frozenset()


class Grants:
    """The users who are here and may watch somebody. A sink, too."""

    def __init__(self, *, book: Book, store: GrantStore, clock: Clock, announce: Callable[[Fact], None]) -> None:
        self._book, self._store, self._clock, self._announce = book, store, clock, announce
        self._granted: dict[UserId, frozenset[Jid]] = {}
        self._onlookers: dict[Jid, set[UserId]] = {}
        self._reading: dict[UserId, asyncio.Lock] = {}
        self._owed: set[UserId] = set()  # who came while the store was away
        self._failures = Failures(clock, announce)

    # --- users come and go

    async def enter(self, user: UserId) -> list[Presence]:
        """A device of a user is here. Returns the contacts that they may watch.

        While the store is away there are none, and they follow as GrantsShown.
        """
        try:
            await self._read(user)
        except StoreUnavailable:
            self._owed.add(user)
        return self.view(user)

    def leave(self, user: UserId) -> None:
        """No device of the user is here any more."""
        self._watch(user, _NOBODY)
        self._granted.pop(user, None)
        self._reading.pop(user, None)
        self._owed.discard(user)

    def view(self, user: UserId) -> list[Presence]:
        """All contacts that a user who is here may watch. Who is not tracked is unknown."""
        return [self._book.get(jid) or _unknown(jid) for jid in sorted(self._granted.get(user, _NOBODY))]

    def sink(self, fact: Fact) -> None:
        """Tell those who may know. Cheap for all others: one look for each change."""
        if not isinstance(fact, PresenceChanged) or fact.jid not in self._onlookers:
            return
        presence = self._book.get(fact.jid) or _unknown(fact.jid)
        audience = tuple(self._onlookers[fact.jid])
        self._announce(GrantedChanged(presence=presence, audience=audience, at=fact.at))

    async def run(self) -> None:
        """Tell those who came while the store was away, for ever."""
        while True:
            await self._clock.sleep(AGAIN)
            for user in tuple(self._owed):
                if not await self._failures.guard("grants", self._refresh(user)):
                    break
                self._owed.discard(user)

    # --- the operator

    async def granted(self, user: UserId) -> list[Jid]:
        return sorted(await self._store.granted(user))

    async def grant(self, user: UserId, contacts: Collection[Jid]) -> None:
        """The user may watch these too. Raises Conflict beyond what one user may, StoreUnavailable."""
        if len(await self._store.granted(user) | set(contacts)) > MOST:
            raise Conflict(f"A user may watch {MOST} contacts at most.")
        await self._store.grant(user, contacts)
        await self._refresh(user)

    async def revoke(self, user: UserId, contacts: Collection[Jid]) -> None:
        await self._store.revoke(user, contacts)
        await self._refresh(user)

    async def erase(self, contact: Jid) -> None:
        """Nobody may watch this contact any more, and no user is linked to it."""
        await self._store.erase_contact(contact)
        for user in tuple(self._onlookers.get(contact, ())):
            await self._refresh(user)

    # --- inside

    async def _refresh(self, user: UserId) -> None:
        """Tell the user, if here, whom they may watch now."""
        if user not in self._reading:
            return
        await self._read(user)
        self._announce(GrantsShown(user=user, presences=tuple(self.view(user)), at=self._clock.now()))

    async def _read(self, user: UserId) -> None:
        """One after the other, so that the last word of the store is the one that counts."""
        async with self._reading.setdefault(user, asyncio.Lock()):
            self._watch(user, frozenset(await self._store.granted(user)))

    def _watch(self, user: UserId, contacts: frozenset[Jid]) -> None:
        before = self._granted.get(user, _NOBODY)
        self._granted[user] = contacts
        for jid in contacts - before:
            self._onlookers.setdefault(jid, set()).add(user)
        for jid in before - contacts:
            self._onlookers[jid].discard(user)
            if not self._onlookers[jid]:
                del self._onlookers[jid]


def _unknown(jid: Jid) -> Presence:
    return Presence(jid=jid, name="", account="")

# SPDX-License-Identifier: Apache-2.0
"""What a node wants to be true of its users, and how the roster is brought in line with it.

Nothing is written step by step: a wish is compared with what the roster holds, and what differs is swapped, until
nothing differs. So a lost answer, a lost lease and a lost roster are mended in one way. When that is done is decided
in `app.node`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

from wigwag.app.ports import Lease, Roster, Swap, Swapped
from wigwag.domain.errors import GatewayError, RosterUnavailable
from wigwag.domain.roster import Entry, Replica, Standing, Wish, emptied, follows, foretell, merge, reconcile
from wigwag.domain.users import CONNECTED, Privacy, Shown, UserId, UserPresence

PATIENCE = 5.0  # seconds that somebody who asks for a change waits for it
BATCH = 500  # users in one write

Recall = Callable[[Collection[UserId]], Awaitable[Mapping[UserId, UserPresence]]]
"""What the store has of users. Raises StoreUnavailable."""

Tell = Callable[[Entry | None, Entry], None]
"""Told of each change: what was, and what is."""


class _Base(NamedTuple):
    """What the entry of a user is, as far as is known; what to go on from; whether it was told, but not written."""

    truth: Entry | None
    base: Entry
    owed: bool


class Wishes:
    """The wishes of one node. `lease` and `standing` are those by which it writes."""

    def __init__(
        self, *, roster: Roster, replica: Replica, now: Callable[[], float], recall: Recall, told: Tell
    ) -> None:
        self._roster, self._replica, self._now = roster, replica, now
        self._recall, self._told = recall, told
        self.lease, self.standing = Lease(number=0, roster=""), Standing(lease=0)
        self.stirred, self.done = asyncio.Event(), asyncio.Event()  # there is something to write; all is written
        self._wishes: dict[UserId, Wish] = {}
        self._waiting: dict[UserId, list[asyncio.Future[None]]] = {}
        self._dirty: dict[UserId, None] = {}
        self._known: dict[UserId, Entry | None] = {}  # what a swap showed, until the relay has told it as well
        self._postponed: dict[UserId, None] = {}  # the store did not say what it has of them
        self._foretold: dict[UserId, Entry] = {}  # what was told here, and what is true cannot follow or is not known

    # --- wishing

    def find(self, user: UserId) -> Wish | None:
        return self._wishes.get(user)

    def make(self, user: UserId) -> Wish:
        """The wish of a user, to be changed."""
        return self._wishes.setdefault(user, Wish())

    def put(self, user: UserId, wish: Wish) -> None:
        self._wishes[user] = wish

    def soil(self, user: UserId) -> None:
        """Something may differ."""
        self._dirty[user] = None
        self.done.clear()
        self.stirred.set()

    async def written(self, user: UserId) -> None:
        """Return when a wish is true, or told as far as it can be told. Raises RosterUnavailable, StoreUnavailable."""
        self.soil(user)
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user, []).append(waiting)
        try:
            async with asyncio.timeout(PATIENCE):
                await waiting
        except TimeoutError as error:
            raise RosterUnavailable from error

    # --- knowing

    def entry(self, user: UserId) -> Entry | None:
        """What may be shown of a user at this moment: what this node just wrote, or told, or else what it heard."""
        known = self._known.get(user)
        if user in self._known and (known is None or known.by == self.lease.number):
            return known
        return self._foretold.get(user) or self._replica.get(user)

    @property
    def foretold(self) -> Collection[UserId]:
        """Of whom more was told than the roster knows."""
        return self._foretold.keys()

    def take(self, user: UserId, entry: Entry | None) -> None:
        """The roster holds this of a user: know it, and tell it, if it can follow what was told of the user."""
        told = self._foretold.get(user) or self._replica.get(user)
        self._replica.put(user, entry)
        known = self._known.get(user)
        if user in self._known and (known is None or entry is None or known.seq <= entry.seq):
            del self._known[user]
        if entry is None:
            self.vanished(user, told)
            return
        if entry.gone and user in self._wishes:
            self._wishes[user].devices.clear()
            self.soil(user)
        if told is None or follows(entry, told):
            self._foretold.pop(user, None)
            self._told(told, entry)
        else:  # what was told here is written first, so that neither `v` nor last seen falls
            self._foretold[user] = told
            self.soil(user)
            self._told(entry, entry)

    def vanished(self, user: UserId, told: Entry | None) -> None:
        """The roster holds nothing of a user who was told to be here: tell that, and write it; or it is mended."""
        if told is None or told.presence.shown is Shown.OFFLINE:
            return
        wish = self._wishes.get(user)
        if wish is None or CONNECTED not in wish.devices.values():
            gone = replace(emptied(told, self._now()), by=0, seq=0)
            self._told(told, gone)
            told = gone
        self._foretold[user] = told
        self.soil(user)

    def resume(self) -> None:
        """Try again for those who wait for the store."""
        for user in self._postponed:
            self.soil(user)
        self._postponed.clear()

    def start_over(self) -> None:
        """The replica is new: compare everything with it."""
        self._known.clear()
        self._dirty |= dict.fromkeys([*self._wishes, *self._foretold])
        self.done.clear()
        self.stirred.set()

    # --- writing

    def next(self) -> list[UserId]:
        """Some users of whom something may differ. If there are none, `done` is set."""
        if not self._dirty:
            self.done.set()
        return list(self._dirty)[:BATCH]

    async def bring_in_line(self, users: list[UserId]) -> None:
        """Make the roster say what this node's sockets say."""
        for user in users:
            self._dirty.pop(user, None)
        bases = await self._bases(users)
        try:
            now, swaps, wishes = self._now(), list[Swap](), dict[UserId, Wish]()
            for user, (truth, base, owed) in bases.items():
                wish = self._wishes.get(user, Wish())
                wishes[user] = replace(wish, devices=dict(wish.devices), left=dict(wish.left))
                after = reconcile(base, wish, self.standing, now)
                if owed and after is None and not wish.gone:
                    after = base
                if after == truth:
                    self._foretold.pop(user, None)
                    self._done(user, wishes[user])
                else:
                    if after is not None and after.by != self.lease.number:
                        after = replace(after, by=self.lease.number)
                    swaps.append(Swap(user=user, expected=base.seq, entry=after))
            done = await self._roster.swap(self.lease, swaps) if swaps else []
        except GatewayError:
            self._dirty |= dict.fromkeys(users)
            raise
        for swap, swapped in zip(swaps, done, strict=True):
            self._know(swap, swapped)
            if swapped.done:
                self._done(swap.user, wishes[swap.user])
            else:
                self._dirty[swap.user] = None

    async def tell_ahead(self) -> None:
        """The roster does not answer: tell here who came, and what they chose. That somebody went is not known."""
        for user, (_truth, base, _owed) in (await self._bases(list(self._waiting))).items():
            entry = foretell(base, self._wishes.get(user, Wish()), self.standing, self._now())
            before, self._foretold[user] = self._replica.get(user), entry
            self._replica.put(user, entry)
            self._told(before, entry)
            self._answer(user, None)

    # --- inside

    def _know(self, swap: Swap, swapped: Swapped) -> None:
        self._known[swap.user] = swapped.entry
        there, known = self._replica.get(swap.user), swapped.entry
        if there == known or (there is not None and known is not None and there.seq >= known.seq):
            del self._known[swap.user]

    async def _bases(self, users: Collection[UserId]) -> dict[UserId, _Base]:
        """What to go on from, for each user: of a stranger, what the store has."""
        there = {user: self._known.get(user) or self._replica.get(user) for user in users}
        there |= {user: None for user in users if user in self._known and self._known[user] is None}
        strangers = [user for user, entry in there.items() if self._strange(user, entry)]
        kept: Mapping[UserId, UserPresence] = {}
        try:
            kept = await self._recall(strangers) if strangers else kept
        except GatewayError as error:  # the others need not wait for the store
            self._postponed |= dict.fromkeys(strangers)
            for user in strangers:
                del there[user]
                self._answer(user, error)
        bases: dict[UserId, _Base] = {}
        for user, entry in there.items():
            truth = entry if entry is not None and entry.seq else None
            if entry is not None and user not in kept and user not in self._foretold:  # nearly always
                bases[user] = _Base(truth, entry, owed=False)
                continue
            stored = Entry(presence=kept.get(user, UserPresence(user=user)), privacy=Privacy())
            base = entry or stored
            told = self._foretold.get(user)
            for before in (stored if user in kept else None, told):
                base = base if before is None else merge(base, before, self._now())
            owed = told is not None and (base is not stored or told.presence.shown is not Shown.OFFLINE)
            bases[user] = _Base(truth, base, owed=owed and truth is None)
        return bases

    def _strange(self, user: UserId, entry: Entry | None) -> bool:
        """Whether nothing was told here of a user, but what the store has."""
        return entry is None or (self._replica.get(user) is None and entry.by != self.lease.number)

    def _done(self, user: UserId, written: Wish) -> None:
        """What was wished is so; what came meanwhile is still wished."""
        wish = self._wishes.get(user)
        if wish is not None:
            wish.left = {device: at for device, at in wish.left.items() if device not in written.left}
            now = self._now()
            wish.devices = {device: until for device, until in wish.devices.items() if until > now}
            wish.choice = None if wish.choice is written.choice else wish.choice
            wish.privacy = None if wish.privacy == written.privacy else wish.privacy
            wish.refreshes -= written.refreshes
            wish.gone = wish.gone and not written.gone
            wish.saved = 0 if wish.saved == written.saved else wish.saved
            if wish.empty:
                del self._wishes[user]
        if user not in self._dirty:
            self._answer(user, None)

    def _answer(self, user: UserId, error: GatewayError | None) -> None:
        for waiting in self._waiting.pop(user, ()):
            if not waiting.done():
                waiting.set_result(None) if error is None else waiting.set_exception(error)

# SPDX-License-Identifier: Apache-2.0
"""This gateway as a node of the roster: it keeps its lease, hears of all changes, and writes what its own sockets say.

Nothing is written step by step: a node holds what it wants to be true of each user, compares that with the roster, and
swaps what differs, until it does not differ. So a lost answer, a lost lease and a lost roster are mended in one way.
Who may know of it is not asked here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from heapq import heappop, heappush

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, Lease, Roster, Swap, Swapped
from wigwag.domain.errors import Fenced, GatewayError, Missed, RosterLost, RosterUnavailable
from wigwag.domain.events import Fact, NodeChanged, NodeStep
from wigwag.domain.roster import (
    RENEW,
    Change,
    Entry,
    Replica,
    Standing,
    Wish,
    foretell,
    merge,
    owner,
    reconcile,
)
from wigwag.domain.users import CONNECTED, GRACE, Choice, Privacy, Shown, UserId, UserPresence, settle

PATIENCE = 5.0  # seconds that somebody who asks for a change waits for it
AGAIN = 1.0  # seconds until what failed is tried again
DEAF = 5.0  # seconds after which a change that others know of must have been heard
BATCH = 500  # users in one write

Recall = Callable[[Collection[UserId]], Awaitable[Mapping[UserId, UserPresence]]]
"""What the store has of users. Raises StoreUnavailable."""

Tell = Callable[[Entry | None, Entry], None]
"""Told of each change: what was, and what is."""


class Node:
    """One gateway's part in the roster.

    Args:
        told: hears of each change, of whichever node's user.
    """

    def __init__(
        self, *, roster: Roster, clock: Clock, announce: Callable[[Fact], None], recall: Recall, told: Tell
    ) -> None:
        self._roster, self._clock, self._announce = roster, clock, announce
        self._recall, self._told = recall, told
        self._failures = Failures(clock, announce)
        self.replica = Replica()
        self.lag = 0  # changes that are known to be there and were not heard yet
        self.synced = False  # the replica is the roster's copy
        self.refused = 0  # writes that came too late, after our lease had ended
        self._lease = Lease(number=0, roster="")
        self._joined = self._lost = False
        self._standing = Standing(lease=0)
        self._live: frozenset[int] = frozenset()
        self._ahead, self._heard, self._heard_at = 0.0, 0, 0.0
        self._wishes: dict[UserId, Wish] = {}
        self._waiting: dict[UserId, list[asyncio.Future[None]]] = {}
        self._dirty: dict[UserId, None] = {}
        self._known: dict[UserId, Entry | None] = {}  # what a swap showed, until the relay has told it as well
        self._foretold: dict[UserId, Entry] = {}  # what was told here while the roster did not answer
        self._deadlines: list[tuple[float, str, UserId]] = []
        self._wake_lease, self._wake_hearing = asyncio.Event(), asyncio.Event()
        self._wake_writing, self._wake_tending, self._clean = asyncio.Event(), asyncio.Event(), asyncio.Event()

    # --- what the sockets say

    async def enter(self, user: UserId, device: str, privacy: Privacy) -> None:
        """A device is here. Returns when that is written, or told as far as it can be told now."""
        wish = self._wish(user)
        wish.devices[device], wish.privacy = CONNECTED, privacy
        wish.left.pop(device, None)
        await self._written(user)

    def leave(self, user: UserId, device: str, *, goodbye: bool) -> None:
        """A device is gone. Without a goodbye it has its grace."""
        wish = self._wishes.get(user)
        until = None if wish is None else wish.devices.pop(device, None)
        if wish is None or until is None:
            return
        if goodbye:
            wish.left[device] = self.now()
        else:
            wish.devices[device] = min(until, self.now() + GRACE)
        self._soil(user)

    async def choose(self, user: UserId, choice: Choice) -> None:
        """A user wants to be shown differently."""
        self._wish(user).choice = choice
        await self._written(user)

    async def refresh(self, user: UserId, privacy: Privacy) -> None:
        """Contacts or privacy of a user changed: all nodes that tell of the user read them again."""
        if self.replica.get(user) is None and user not in self._wishes:
            return
        wish = self._wish(user)
        wish.privacy, wish.refreshes = privacy, wish.refreshes + 1
        await self._written(user)

    async def forget(self, user: UserId) -> None:
        """A user was deleted: the devices count no more, on whichever node they are."""
        if self.replica.get(user) is None and user not in self._wishes:
            return
        self._wishes[user] = Wish(gone=True)
        await self._written(user)

    def saved(self, entry: Entry) -> None:
        """The store has this, so the roster need not hold it for a user who is not here."""
        if not entry.presence.devices:
            self._wish(entry.presence.user).saved = entry.seq
            self._soil(entry.presence.user)

    def entry(self, user: UserId) -> Entry | None:
        """What is known of a user at this moment, also if only just written."""
        return self._known[user] if user in self._known else self.replica.get(user)

    def writes(self, entry: Entry) -> bool:
        """Whether this was written by us, so that we bring it to the store."""
        return entry.by == self._lease.number

    def now(self) -> float:
        """The roster's time."""
        return self._clock.now() + self._ahead

    # --- working

    async def start(self) -> bool:
        """Join and copy the roster. True if no other node is here. Raises RosterUnavailable, InvalidSettings."""
        await self._join()
        await self._renew()
        await self._resync()
        return self._live <= {self._lease.number}

    async def run(self) -> None:
        """Be a node, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for work in (self._keep, self._hear, self._write, self._tend):
                tasks.create_task(work(), name=f"node: {work.__name__.strip('_')}")

    async def finish(self) -> None:
        """Return when everything is written, or cannot be for now."""
        if not self.synced:
            return
        await self._clock.wait(self._clean, self._clock.now() + PATIENCE)

    # --- the lease

    async def _keep(self) -> None:
        while True:
            self._wake_lease.clear()
            wait = RENEW
            try:
                if not self._joined:
                    await self._join()
                await self._renew()
                if not self.synced:
                    await self._resync()
            except (Fenced, RosterLost) as error:
                self._lose(error)
                wait = 0.0
            except GatewayError as error:
                self._away(error)
                wait = AGAIN
            await self._clock.wait(self._wake_lease, self._clock.now() + wait)

    async def _join(self) -> None:
        before = self._lease
        self._lease = await self._roster.join()
        former = self._standing.former | ({before.number} if before.number else set())
        self._standing = replace(self._standing, lease=self._lease.number, former=frozenset(former))
        if self._lost:
            await self._roster.put_back(self._lease, [entry for entry in self.replica.entries() if entry.seq])
            self._lost = False
            self._say(NodeStep.REBUILT, len(self.replica))
        self._joined = True
        self._say(NodeStep.JOINED, self._lease.number)

    async def _renew(self) -> None:
        tide = await self._roster.renew(self._lease)
        self._ahead = tide.now - self._clock.now()
        self._live = tide.live
        self._standing = replace(self._standing, ended=tide.ended)
        self.lag = max(0, tide.seq - self._heard)
        if self.synced and self.lag and self._clock.now() - self._heard_at > DEAF:
            self._unsync(NodeStep.DEAF, self.lag)
        elif not self.lag:
            self._heard_at = self._clock.now()
        self._take_over()

    def _lose(self, error: GatewayError) -> None:
        """Our lease ended without us, or all leases were lost."""
        self._joined = False
        self.synced = False
        if isinstance(error, RosterLost):
            self._lost = True
            self._say(NodeStep.LOST, 0)
        else:
            self.refused += 1
            self._say(NodeStep.FENCED, self._lease.number)
        self._wake_lease.set()

    def _away(self, error: GatewayError) -> None:
        self._failures.failed("roster", error)
        self._unsync(NodeStep.AWAY, 0)

    def _unsync(self, step: NodeStep, count: int) -> None:
        """The replica may be old from now on."""
        if self.synced:
            self.synced = False
            self._say(step, count)
        self._wake_lease.set()
        self._wake_writing.set()  # whoever waits is told what can be told without the roster

    async def _resync(self) -> None:
        """Copy the roster, and tell what is different from what was told before."""
        snapshot = await self._roster.snapshot(self._lease)
        vanished = [user for user in self.replica if user not in snapshot.entries and user not in self._foretold]
        kept = await self._recalled(vanished)
        self._known.clear()
        for user in vanished:
            before = self.replica.get(user)
            self.replica.put(user, None)
            if before is not None and before.presence.shown is not Shown.OFFLINE:
                gone = settle(replace(before.presence, devices={}), self.now(), before.presence.last_seen or 0.0)
                self._told(before, replace(before, presence=kept.get(user, gone), seq=0))
        for user, entry in snapshot.entries.items():
            self._take(user, entry)
        for user in self._foretold.keys() - snapshot.entries.keys():
            self.replica.put(user, None)
        self._heard, self._heard_at, self.synced = snapshot.seq, self._clock.now(), True
        self._dirty |= dict.fromkeys(self._wishes)
        self._failures.recovered("roster")
        self._say(NodeStep.SYNCED, len(self.replica))
        self._wake_hearing.set()
        self._wake_writing.set()
        self._take_over()

    def _take_over(self) -> None:
        """The oldest node that is alive ends what dead nodes left."""
        if self._live and self._lease.number == min(self._live):
            for lease in self.replica.leases():
                if lease in self._standing.ended:
                    for user in self.replica.owned(lease):
                        self._soil(user)

    # --- the relay

    async def _hear(self) -> None:
        while True:
            if not self.synced:
                self._wake_hearing.clear()
                await self._wake_hearing.wait()
                continue
            after = self._heard
            try:
                changes = await self._roster.changes(after)
            except Missed:
                if after == self._heard:
                    self._unsync(NodeStep.MISSED, self.lag)
            except GatewayError as error:
                self._away(error)
                await self._clock.sleep(AGAIN)
            else:
                self._apply(changes)

    def _apply(self, changes: Collection[Change]) -> None:
        for change in changes:
            if self.synced and change.seq > self._heard:
                self._heard = change.seq
                there = self.replica.get(change.user)
                if there is None or there.seq < change.seq:
                    self._take(change.user, change.entry)
        if changes:
            self._heard_at = self._clock.now()
            self.lag = max(0, self.lag - len(changes))

    def _take(self, user: UserId, entry: Entry | None) -> None:
        """The roster holds this of a user: know it, and tell it."""
        before = self.replica.get(user)
        self.replica.put(user, entry)
        known = self._known.get(user)
        if user in self._known and (known is None or entry is None or known.seq <= entry.seq):
            del self._known[user]
        if entry is None:
            return
        if entry.gone and user in self._wishes:
            self._wishes[user].devices.clear()
        self._mind(user, entry)
        told = self._foretold.get(user)
        if told is None:
            self._told(before, entry)
        elif entry.presence.v > told.presence.v:  # else it is told once it is written, with a `v` beyond what was told
            del self._foretold[user]
            self._told(told, entry)

    def _mind(self, user: UserId, entry: Entry) -> None:
        """Devices of ours, and of nodes that are no more, are ended at their time."""
        for device, until in entry.presence.devices.items():
            whose = owner(device)
            if until != CONNECTED and (whose == self._lease.number or whose in self._standing.ended):
                heappush(self._deadlines, (until, str(user), user))
                self._wake_tending.set()

    async def _tend(self) -> None:
        """End graces."""
        while True:
            self._wake_tending.clear()
            while self._deadlines and self._deadlines[0][0] <= self.now():
                self._soil(heappop(self._deadlines)[2])
            nearest = self._deadlines[0][0] - self._ahead if self._deadlines else None
            await self._clock.wait(self._wake_tending, nearest)

    # --- writing

    async def _write(self) -> None:
        while True:
            self._wake_writing.clear()
            if not self._dirty:
                self._clean.set()
                await self._wake_writing.wait()
                continue
            users = list(self._dirty)[:BATCH]
            try:
                if not self.synced:
                    await self._foretell(users)
                    await self._wake_writing.wait()
                    continue
                await self._bring_in_line(users)
            except (Fenced, RosterLost) as error:
                self._lose(error)
            except RosterUnavailable as error:
                self._away(error)
            except GatewayError as error:
                self._fail(users, error)
                await self._clock.sleep(AGAIN)

    async def _bring_in_line(self, users: list[UserId]) -> None:
        """Make the roster say what this node's sockets say."""
        for user in users:
            self._dirty.pop(user, None)
        try:
            bases = await self._bases(users)
            now, swaps, wishes = self.now(), list[Swap](), dict[UserId, Wish]()
            for user, (truth, base) in bases.items():
                wish = self._wishes.get(user, Wish())
                wishes[user] = replace(wish, devices=dict(wish.devices), left=dict(wish.left))
                after = reconcile(base, wish, self._standing, now)
                if after == truth:
                    self._foretold.pop(user, None)
                    self._done(user, wishes[user])
                else:
                    after = None if after is None else replace(after, by=self._lease.number)
                    swaps.append(Swap(user=user, expected=base.seq, entry=after))
            done = await self._roster.swap(self._lease, swaps) if swaps else []
        except GatewayError:
            self._dirty |= dict.fromkeys(users)
            raise
        for swap, swapped in zip(swaps, done, strict=True):
            self._know(swap, swapped)
            if swapped.done:
                self._done(swap.user, wishes[swap.user])
            else:
                self._dirty[swap.user] = None

    def _know(self, swap: Swap, swapped: Swapped) -> None:
        self._known[swap.user] = swapped.entry
        there = self.replica.get(swap.user)
        if there is not None and swapped.entry is not None and there.seq >= swapped.entry.seq:
            del self._known[swap.user]

    async def _bases(self, users: Collection[UserId]) -> dict[UserId, tuple[Entry | None, Entry]]:
        """What each user's entry is, as far as is known, and what to go on from: of a stranger, what the store has."""
        there = {user: self.entry(user) for user in users}
        strangers = [user for user, entry in there.items() if entry is None]
        kept = await self._recall(strangers) if strangers else {}
        bases: dict[UserId, tuple[Entry | None, Entry]] = {}
        for user, entry in there.items():
            truth = entry if entry is not None and entry.seq else None
            base = entry or Entry(presence=kept.get(user, UserPresence(user=user)), privacy=Privacy())
            told = self._foretold.get(user)
            bases[user] = truth, base if told is None else merge(base, told, self.now())
        return bases

    def _done(self, user: UserId, written: Wish) -> None:
        """What was wished is so; what came meanwhile is still wished."""
        wish = self._wishes.get(user)
        if wish is not None:
            wish.left = {device: at for device, at in wish.left.items() if device not in written.left}
            now = self.now()
            wish.devices = {device: until for device, until in wish.devices.items() if until > now}
            wish.choice = None if wish.choice is written.choice else wish.choice
            wish.privacy = None if wish.privacy == written.privacy else wish.privacy
            wish.refreshes -= written.refreshes
            wish.gone = wish.gone and not written.gone
            wish.saved = 0 if wish.saved == written.saved else wish.saved
            if wish.empty:
                del self._wishes[user]
        self._answer(user, None)

    async def _foretell(self, users: Collection[UserId]) -> None:
        """The roster does not answer: tell here who came, and what they chose. That somebody went is not known."""
        fresh = [user for user in users if user in self._waiting]
        for user, (_truth, base) in (await self._bases(fresh)).items():
            entry = foretell(base, self._wishes.get(user, Wish()), self._standing, self.now())
            before, self._foretold[user] = self.replica.get(user), entry
            self.replica.put(user, entry)
            self._told(before, entry)
            self._answer(user, None)

    def _fail(self, users: Collection[UserId], error: GatewayError) -> None:
        for user in users:
            self._answer(user, error)

    def _answer(self, user: UserId, error: GatewayError | None) -> None:
        for waiting in self._waiting.pop(user, ()):
            if not waiting.done():
                waiting.set_result(None) if error is None else waiting.set_exception(error)

    # --- inside

    def _wish(self, user: UserId) -> Wish:
        return self._wishes.setdefault(user, Wish())

    def _soil(self, user: UserId) -> None:
        self._dirty[user] = None
        self._clean.clear()
        self._wake_writing.set()

    async def _written(self, user: UserId) -> None:
        self._soil(user)
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user, []).append(waiting)
        try:
            async with asyncio.timeout(PATIENCE):
                await waiting
        except TimeoutError as error:
            raise RosterUnavailable from error

    async def _recalled(self, users: Collection[UserId]) -> Mapping[UserId, UserPresence]:
        """Users who are in the roster no more, as the store has them; without a store, gone just now."""
        try:
            return await self._recall(users) if users else {}
        except GatewayError:
            return {}

    def _say(self, step: NodeStep, count: int) -> None:
        self._announce(NodeChanged(step=step, count=count, at=self._clock.now()))

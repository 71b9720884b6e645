# SPDX-License-Identifier: Apache-2.0
"""This gateway as a node of the roster: it keeps its lease, hears of all changes, and writes what its own sockets say.

What it wants to be true, and how the roster is brought in line with that, is in `app.wishes`. Who may know of it is not
asked here.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from heapq import heappop, heappush

from wigwag.app.doubts import Doubts
from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, Roster
from wigwag.app.wishes import PATIENCE, Recall, Tell, Wishes
from wigwag.domain.errors import Fenced, GatewayError, Missed, RosterLost
from wigwag.domain.events import Fact, NodeChanged, NodeStep
from wigwag.domain.roster import RENEW, Change, Entry, Replica, Wish, follows, owner
from wigwag.domain.users import CONNECTED, GRACE, Choice, Privacy, UserId, UserPresence

AGAIN = 1.0  # seconds until what failed is tried again
DEAF = 5.0  # seconds after which a change that others know of must have been heard


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
        self._wishes = Wishes(
            roster=roster, replica=self.replica, now=self.now, recall=recall, told=self._heard_of(told)
        )
        self._joined = self._lost = False
        self._live: frozenset[int] = frozenset()
        self._ahead, self._heard, self._heard_at = 0.0, 0, 0.0
        self._doubts = Doubts(roster=roster, wishes=self._wishes, now=self.now, recall=recall)
        self._deadlines: list[tuple[float, str, UserId]] = []
        self._wake_lease, self._wake_hearing, self._wake_tending = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._wake_believing = asyncio.Event()

    # --- what the sockets say

    async def enter(self, user: UserId, device: str, privacy: Privacy) -> None:
        """A device is here. Returns when that is written, or told as far as it can be told now."""
        wish = self._wishes.make(user)
        wish.devices[device], wish.privacy = CONNECTED, privacy
        wish.left.pop(device, None)
        await self._wishes.written(user)

    def leave(self, user: UserId, device: str, *, goodbye: bool) -> None:
        """A device is gone. Without a goodbye it has its grace."""
        wish = self._wishes.find(user)
        until = None if wish is None else wish.devices.pop(device, None)
        if wish is None or until is None:
            return
        if goodbye:
            wish.left[device] = self.now()
        else:
            wish.devices[device] = min(until, self.now() + GRACE)
        self._wishes.soil(user)

    async def choose(self, user: UserId, choice: Choice) -> None:
        """A user wants to be shown differently."""
        self._wishes.make(user).choice = choice
        await self._wishes.written(user)

    async def refresh(self, user: UserId, privacy: Privacy) -> None:
        """Contacts or privacy of a user changed: all nodes that tell of the user read them again."""
        if self.entry(user) is None and self._wishes.find(user) is None:
            return
        wish = self._wishes.make(user)
        wish.privacy, wish.refreshes = privacy, wish.refreshes + 1
        await self._wishes.written(user)

    async def forget(self, user: UserId) -> None:
        """A user was deleted: the devices count no more, on whichever node they are."""
        if self.entry(user) is None and self._wishes.find(user) is None:
            return
        self._wishes.put(user, Wish(gone=True))
        await self._wishes.written(user)

    def saved(self, entry: Entry) -> None:
        """The store has this, so the roster need not hold it for a user who is not here."""
        if not entry.presence.devices:
            self._wishes.make(entry.presence.user).saved = entry.seq
            self._wishes.soil(entry.presence.user)

    def entry(self, user: UserId) -> Entry | None:
        """What is known of a user at this moment, also if only just written."""
        return self._wishes.entry(user)

    def writes(self, entry: Entry) -> bool:
        """Whether this was written by us, so that we bring it to the store."""
        return entry.by == self._wishes.lease.number

    @property
    def live(self) -> int:
        """How many nodes there are, this one included."""
        return len(self._live)

    def now(self) -> float:
        """The roster's time."""
        return self._clock.now() + self._ahead

    # --- working

    async def start(self) -> bool:
        """Join and copy the roster. True if no other node is here. Raises RosterUnavailable, InvalidSettings."""
        await self._join()
        await self._renew()
        await self._resync()
        return self._live <= {self._wishes.lease.number}

    async def run(self) -> None:
        """Be a node, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for work in (self._keep, self._hear, self._write, self._tend, self._believe):
                tasks.create_task(work(), name=f"node: {work.__name__.strip('_')}")

    async def finish(self) -> None:
        """Return when everything is written, or cannot be for now."""
        if self.synced:
            await self._clock.wait(self._wishes.done, self._clock.now() + PATIENCE)

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
        wishes = self._wishes
        before, wishes.lease = wishes.lease, await self._roster.join()
        former = wishes.standing.former | ({before.number} if before.number else set())
        wishes.standing = replace(wishes.standing, lease=wishes.lease.number, former=former)
        if self._lost:
            await self._roster.put_back(wishes.lease, [entry for entry in self.replica.entries() if entry.seq])
            self._lost = False
            self._say(NodeStep.REBUILT, len(self.replica))
        self._joined = True
        self._say(NodeStep.JOINED, wishes.lease.number)

    async def _renew(self) -> None:
        tide = await self._roster.renew(self._wishes.lease)
        if tide.seq < self._heard:
            raise RosterLost("The roster is older than what was heard of it.")
        self._ahead = tide.now - self._clock.now()
        self._live = tide.live
        self._wishes.standing = replace(self._wishes.standing, ended=tide.ended)
        self.lag = max(0, tide.seq - self._heard)
        if self.synced and self.lag and self._clock.now() - self._heard_at > DEAF:
            self._unsync(NodeStep.DEAF, self.lag)
        elif not self.lag:
            self._heard_at = self._clock.now()
        self._take_over()
        self._wishes.resume()

    def _lose(self, error: GatewayError) -> None:
        """Our lease ended without us, or all leases were lost."""
        self._joined = False
        self.synced = False
        if isinstance(error, RosterLost):
            self._lost = True
            self._say(NodeStep.LOST, 0)
        else:
            self.refused += 1
            self._say(NodeStep.FENCED, self._wishes.lease.number)
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
        self._wishes.stirred.set()  # whoever waits is told what can be told without the roster

    async def _resync(self) -> None:
        """Copy the roster, and tell what is different from what was told before."""
        snapshot = await self._roster.snapshot(self._wishes.lease)
        foretold = self._wishes.foretold
        vanished = [user for user in self.replica if user not in snapshot.entries and user not in foretold]
        kept = await self._recalled(vanished)
        self._doubts.clear()
        for user in vanished:
            self._vanished(user, kept.get(user))
        for user, entry in snapshot.entries.items():
            self._take(user, entry, strange=self._heard > 0)
        for user in set(foretold) - snapshot.entries.keys():
            self.replica.put(user, None)
        self._heard, self._heard_at, self.synced = snapshot.seq, self._clock.now(), True
        self._wishes.start_over()
        self._failures.recovered("roster")
        self._say(NodeStep.SYNCED, len(self.replica))
        self._wake_hearing.set()
        self._wake_believing.set()
        self._take_over()

    def _take_over(self) -> None:
        """The oldest node that is alive ends what dead nodes left."""
        if self._live and self._wishes.lease.number == min(self._live):
            for lease in self.replica.leases():
                if lease in self._wishes.standing.ended:
                    for user in self.replica.owned(lease):
                        self._wishes.soil(user)

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
                    put_back = change.entry is not None and change.entry.seq < change.seq
                    self._take(change.user, change.entry, strange=put_back)
        if changes:
            self._heard_at = self._clock.now()
            self.lag = max(0, self.lag - len(changes))

    def _take(self, user: UserId, entry: Entry | None, *, strange: bool) -> None:
        """Believe what the roster holds; but of somebody who is not known here, not what was not written just now."""
        before = self.replica.get(user)
        if entry is None and before is not None:
            self._doubts.removed(user, before.seq)
        if entry is not None and (user in self._doubts or (strange and before is None)):
            self._doubts.put(user, entry)
            self._wake_believing.set()
        else:
            self._doubts.drop(user)
            self._wishes.take(user, entry)

    def _vanished(self, user: UserId, kept: UserPresence | None) -> None:
        """Somebody is in the roster no more, and it was missed why: what the store has is told, if it is newer."""
        before = self.replica.get(user)
        if before is None:
            return
        self.replica.put(user, None)
        self._doubts.removed(user, before.seq)
        after = None if kept is None else replace(before, presence=kept, by=0, seq=0)
        if after is not None and follows(after, before):
            self._told(before, after)
        else:
            self._wishes.vanished(user, before)

    async def _believe(self) -> None:
        """Ask the store about those who are in doubt."""
        while True:
            if not self.synced or not self._doubts:
                self._failures.recovered("doubts")
                self._wake_believing.clear()
                await self._wake_believing.wait()
                continue
            try:
                await self._doubts.settle()
            except (Fenced, RosterLost) as error:
                self._lose(error)
            except GatewayError as error:
                self._failures.failed("doubts", error)
                await self._clock.sleep(AGAIN)

    def _heard_of(self, told: Tell) -> Tell:
        """Mind the deadlines of what is heard, then tell it."""

        def heard(before: Entry | None, after: Entry) -> None:
            self._mind(after)
            told(before, after)

        return heard

    def _mind(self, entry: Entry) -> None:
        """Devices of ours, and of nodes that are no more, are ended at their time."""
        for device, until in entry.presence.devices.items():
            whose = owner(device)
            standing = self._wishes.standing
            if until != CONNECTED and (whose == standing.lease or whose in standing.ended):
                heappush(self._deadlines, (until, str(entry.presence.user), entry.presence.user))
                self._wake_tending.set()

    async def _tend(self) -> None:
        """End graces."""
        while True:
            self._wake_tending.clear()
            while self._deadlines and self._deadlines[0][0] <= self.now():
                self._wishes.soil(heappop(self._deadlines)[2])
            nearest = self._deadlines[0][0] - self._ahead if self._deadlines else None
            await self._clock.wait(self._wake_tending, nearest)

    # --- writing

    async def _write(self) -> None:
        """Bring the roster in line with the wishes."""
        wishes = self._wishes
        while True:
            wishes.stirred.clear()
            users = wishes.next()
            if not users:
                await wishes.stirred.wait()
                continue
            try:
                if self.synced:
                    await wishes.bring_in_line(users)
                    continue
                await wishes.tell_ahead()
            except (Fenced, RosterLost) as error:
                self._lose(error)
            except GatewayError as error:
                self._away(error)
            await wishes.stirred.wait()

    async def _recalled(self, users: Collection[UserId]) -> Mapping[UserId, UserPresence]:
        """Users who are in the roster no more, as the store has them; without a store, gone just now."""
        try:
            return await self._recall(users) if users else {}
        except GatewayError:
            return {}

    def _say(self, step: NodeStep, count: int) -> None:
        self._announce(NodeChanged(step=step, count=count, at=self._clock.now()))

# SPDX-License-Identifier: Apache-2.0
"""The users whose sockets are here, and who of them is told what of whom.

Who is online, on whichever node, is known by `app.node`; what is shown of whom is decided in `domain.users`. What was
last seen goes to the store in batches.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from wigwag.app.failures import Failures
from wigwag.app.node import Node
from wigwag.app.ports import Clock, Directory, GrantStore, LastSeenStore, Roster, UserStore
from wigwag.domain.errors import Forbidden, GatewayError, RosterUnavailable, StoreUnavailable
from wigwag.domain.events import ContactsShown, Fact, NodeChanged, NodeStep, UserChanged
from wigwag.domain.roster import Entry
from wigwag.domain.users import (
    ALL,
    NOTHING,
    Audience,
    Choice,
    Privacy,
    Shown,
    Sight,
    UserId,
    UserPresence,
    View,
    sight,
    view,
)

FLUSH_EVERY = 5.0  # seconds; a crash loses no more of what was last seen
AGAIN = 1.0  # seconds until what could not be read is read again
HIDDEN = Privacy(status=Audience.NOBODY, last_seen=Audience.NOBODY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What is known of the host application's users, and who of them is here.

    `reciprocity`: nobody sees of others what they do not show them.
    """

    users: UserStore
    directory: Directory
    last_seen: LastSeenStore
    grants: GrantStore
    roster: Roster
    reciprocity: bool = False


@dataclass(slots=True)
class _Guest:
    """A user with sockets here, and whom they know."""

    contacts: set[UserId]
    privacy: Privacy
    devices: set[str] = field(default_factory=set)


class Lobby:
    """All users with sockets in this process. `reciprocity`: see `Host`."""

    def __init__(
        self,
        *,
        directory: Directory,
        store: LastSeenStore,
        roster: Roster,
        clock: Clock,
        announce: Callable[[Fact], None],
        reciprocity: bool = False,
    ) -> None:
        self._directory, self._store, self._clock, self._announce = directory, store, clock, announce
        self._reciprocity = reciprocity
        self.node = Node(roster=roster, clock=clock, announce=self._note, recall=self._recall, told=self._told)
        self._here: dict[UserId, _Guest] = {}
        self._sees: defaultdict[UserId, set[UserId]] = defaultdict(set)  # who here is a contact of a user
        self._lost: dict[UserId, _Guest] = {}  # who has their grace, for a return while the store is away
        self._entering: dict[UserId, asyncio.Lock] = {}
        self._unsaved: dict[UserId, Entry] = {}
        self._stale: dict[UserId, bool] = {}  # whose contacts are to be read again; true: they are owed the list
        self._read = asyncio.Event()
        self._failures = Failures(clock, announce)

    # --- devices

    async def enter(self, user: UserId, device: str) -> list[View] | None:
        """A device of a user is here. Returns what the user may see of the contacts.

        None if that cannot be told now; it follows as ContactsShown. Raises StoreUnavailable, RosterUnavailable.
        """
        async with self._entering.setdefault(user, asyncio.Lock()):
            guest = self._here.get(user) or await self._admit(user)
            guest.devices.add(device)
        try:
            await self.node.enter(user, device, guest.privacy)
        except BaseException:
            self.leave(user, device, goodbye=True)
            raise
        try:
            return await self.view(user, guest.contacts)
        except GatewayError:
            self._reread(user, owed=True)
            return None

    def leave(self, user: UserId, device: str, *, goodbye: bool) -> None:
        """A device is gone. Without a goodbye it has its grace."""
        guest = self._here.get(user)
        if guest is not None:
            guest.devices.discard(device)
            if not guest.devices:
                self._dismiss(user)
                if not goodbye:
                    self._lost[user] = guest
        self.node.leave(user, device, goodbye=goodbye)

    async def choose(self, user: UserId, choice: Choice) -> None:
        """The user wants to be shown differently. Raises Forbidden for somebody who is not here, RosterUnavailable."""
        if user not in self._here:
            raise Forbidden("Say who you are first.")
        await self.node.choose(user, choice)

    async def refresh(self, user: UserId) -> None:
        """The user's contacts or privacy may have changed: whoever sees others now is told, on every node.

        Raises StoreUnavailable, RosterUnavailable.
        """
        privacy = (await self._directory.privacy([user])).get(user, HIDDEN)
        await self.node.refresh(user, privacy)

    async def forget(self, user: UserId) -> None:
        """The user is no more: the devices go, and nothing is written of them any more. Raises RosterUnavailable."""
        await self.node.forget(user)
        self._unsaved.pop(user, None)

    # --- questions

    async def view(self, asker: UserId | None, users: Collection[UserId]) -> list[View]:
        """What somebody may see of users, in their order; None asks as the operator, who may see all.

        Raises StoreUnavailable; RosterUnavailable while this node does not hear of the others' users.
        """
        self._must_be_synced()
        known = {user: entry.presence for user in users if (entry := self._entry(user))}
        missing = [user for user in users if user not in known]
        if missing:
            known |= await self._recall(missing)
        allowed = await self._sights(asker, users)
        return [view(known[user], allowed[user]) if user in known else View(user=user) for user in users]

    def is_user_online(self, user: UserId) -> bool:
        """Whether a user has a device on any node and lets it be seen (seed 004: `isUserOnline`).

        Raises RosterUnavailable.
        """
        self._must_be_synced()
        entry = self._entry(user)
        return entry is not None and entry.presence.shown is not Shown.OFFLINE

    def active_users_count(self) -> int:
        """How many users have a device on any node (seed 004: `getActiveUsersCount`). Raises RosterUnavailable."""
        self._must_be_synced()
        return self.node.replica.active

    # --- working

    async def start(self) -> None:
        """Join the roster. Whoever was shown as online when the last node died was last seen then."""
        alone = await self.node.start()
        if alone:
            await self._store.settle()

    async def run(self) -> None:
        """Work, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.node.run(), name="lobby: node")
            tasks.create_task(self._save(), name="lobby: save")
            tasks.create_task(self._read_again(), name="lobby: contacts")

    async def _save(self) -> None:
        while True:
            await self._clock.sleep(FLUSH_EVERY)
            await self.flush()

    async def flush(self) -> None:
        """Write what changed. While the store does not answer it waits in memory, one entry a user."""
        changed, self._unsaved = self._unsaved, {}
        presences = [entry.presence for entry in changed.values()]
        if await self._failures.guard("lobby", self._store.save(presences, self.node.now())):
            for entry in changed.values():
                self.node.saved(entry)
        else:
            self._unsaved = changed | self._unsaved

    # --- telling

    def _told(self, before: Entry | None, after: Entry) -> None:
        """Something changed of a user of any node."""
        user = after.presence.user
        if after.gone:
            self._unsaved.pop(user, None)
            self.node.saved(after)
        elif self.node.writes(after):
            self._unsaved[user] = after
        refreshed = before is not None and before.refreshed != after.refreshed
        if refreshed or not after.presence.devices:
            self._lost.pop(user, None)
        changed = before.presence.v != after.presence.v if before else after.presence.shown is not Shown.OFFLINE
        if changed:
            self._tell(before or after, after, only_sight=refreshed)
        if after.gone:
            self._dismiss(user)
        elif refreshed:
            guest = self._here.get(user)
            owed = guest is not None and self._reciprocity and guest.privacy != after.privacy
            if guest is not None:
                guest.privacy = after.privacy
            self._reread(user, owed=owed)

    def _tell(self, before: Entry, after: Entry, *, only_sight: bool) -> None:
        """Tell those who are here of a change, each as much as they may know.

        Args:
            only_sight: contacts or privacy changed, so whoever sees the same as before need not be told.
        """
        presence = after.presence
        same = only_sight and before.presence.shown is presence.shown
        for (was, may), audience in self._audiences(before, after).items():
            if not audience or was == may == NOTHING or (same and was == may):
                continue
            shown = replace(view(presence, may), v=presence.v)
            self._announce(UserChanged(view=shown, audience=tuple(audience), at=self._clock.now()))

    def _audiences(self, before: Entry, after: Entry) -> Mapping[tuple[Sight, Sight], Collection[UserId]]:
        """Who is here and is told of a user, by what they might and may know. Users see themselves whole."""
        user = after.presence.user
        others = self._sees.get(user, ())
        audiences: defaultdict[tuple[Sight, Sight], list[UserId]] = defaultdict(list)
        if self._reciprocity:
            for other in others:
                asker = self._here[other].privacy
                sights = (sight(entry.privacy, contact=True, asker=asker) for entry in (before, after))
                audiences[next(sights), next(sights)].append(other)
        else:
            audiences[sight(before.privacy, contact=True), sight(after.privacy, contact=True)] = list(others)
        if user in self._here:
            audiences[ALL, ALL].append(user)
        return audiences

    # --- contacts

    async def _admit(self, user: UserId) -> _Guest:
        guest = self._here[user] = await self._known(user)
        for contact in guest.contacts:
            self._sees[contact].add(user)
        return guest

    async def _known(self, user: UserId) -> _Guest:
        """A user's contacts and privacy. Who was here a moment ago comes in also while the store is away."""
        lost = self._lost.pop(user, None)
        try:
            contacts = await self._directory.contacts(user)
            privacy = (await self._directory.privacy([user])).get(user, Privacy())
        except StoreUnavailable:
            if lost is None:
                raise
            self._reread(user, owed=True)
            return lost
        return _Guest(contacts=contacts, privacy=privacy)

    def _dismiss(self, user: UserId) -> None:
        """The last device here is gone."""
        guest = self._here.pop(user, None)
        self._entering.pop(user, None)
        self._stale.pop(user, None)
        for contact in guest.contacts if guest is not None else ():
            self._unsee(contact, user)

    def _unsee(self, user: UserId, other: UserId) -> None:
        self._sees[user].discard(other)
        if not self._sees[user]:
            del self._sees[user]

    def _reread(self, user: UserId, *, owed: bool) -> None:
        self._stale[user] = owed or self._stale.get(user, False)
        self._read.set()

    async def _read_again(self) -> None:
        """Read the contacts of those for whom they changed, and tell what that changes."""
        while True:
            if not self._stale or not self.node.synced:
                self._read.clear()
                await self._read.wait()
                continue
            user, owed = next(iter(self._stale.items()))
            del self._stale[user]
            if not await self._failures.guard("contacts", self._changed(user, owed=owed)):
                self._reread(user, owed=owed)
                await self._clock.sleep(AGAIN)

    async def _changed(self, user: UserId, *, owed: bool) -> None:
        contacts = await self._directory.contacts(user)
        before = set(self._sees.get(user, ()))
        now = {other for other in contacts if other in self._here}
        for other in before - now:
            self._here[other].contacts.discard(user)
            self._unsee(user, other)
        for other in now - before:
            self._here[other].contacts.add(user)
            self._sees[user].add(other)
        self._retell(user, before - now, now - before)
        guest = self._here.get(user)
        if guest is None:
            return
        owed = owed or contacts != guest.contacts
        for other in guest.contacts - contacts:
            self._unsee(other, user)
        for other in contacts - guest.contacts:
            self._sees[other].add(user)
        guest.contacts = contacts
        if owed:
            views = tuple(await self.view(user, contacts))
            self._announce(ContactsShown(user=user, views=views, at=self._clock.now()))

    def _retell(self, user: UserId, lost: Collection[UserId], won: Collection[UserId]) -> None:
        """Tell who is no contact any more to let go of what they saw, and new ones what they may see."""
        entry = self._entry(user)
        if entry is None:
            return
        presence, at = entry.presence, self._clock.now()
        if lost:
            hidden = View(user=user, v=presence.v + 1)  # the next change is beyond it, since `v` follows the clock
            self._announce(UserChanged(view=hidden, audience=tuple(lost), at=at))
        for other in won:
            asker = self._here[other].privacy if self._reciprocity else None
            may = sight(entry.privacy, contact=True, asker=asker)
            if may != NOTHING:
                self._announce(UserChanged(view=view(presence, may), audience=(other,), at=at))

    # --- inside

    def _note(self, fact: Fact) -> None:
        """Something happened to this node."""
        self._announce(fact)
        if isinstance(fact, NodeChanged) and fact.step is NodeStep.SYNCED:
            self._read.set()

    def _entry(self, user: UserId) -> Entry | None:
        entry = self.node.entry(user)
        return None if entry is None or entry.gone else entry

    def _must_be_synced(self) -> None:
        if not self.node.synced:
            raise RosterUnavailable

    async def _recall(self, users: Collection[UserId]) -> Mapping[UserId, UserPresence]:
        """What the store kept. If the clock was ahead then, nobody was seen later than now all the same."""
        now = self.node.now()
        return {
            kept.user: kept if (kept.last_seen or 0.0) <= now else replace(kept, last_seen=now)
            for kept in await self._store.load(users)
        }

    async def _sights(self, asker: UserId | None, users: Collection[UserId]) -> Mapping[UserId, Sight]:
        """What somebody may know of each of these users; of those who do not exist, nothing."""
        if asker is None:
            return dict.fromkeys(users, ALL)
        privacy = await self._privacy_of({*users, asker})
        guest = self._here.get(asker)
        contacts = guest.contacts if guest is not None else await self._directory.contacts(asker)
        own = privacy.get(asker, Privacy()) if self._reciprocity else None
        sights = {
            user: sight(privacy[user], contact=user in contacts, asker=own) if user in privacy else NOTHING
            for user in users
        }
        return sights | ({asker: ALL} if asker in sights else {})

    async def _privacy_of(self, users: Collection[UserId]) -> dict[UserId, Privacy]:
        here = {user: entry.privacy for user in users if (entry := self._entry(user))}
        others = [user for user in users if user not in here]
        return here | dict(await self._directory.privacy(others) if others else {})

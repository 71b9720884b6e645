# SPDX-License-Identifier: Apache-2.0
"""The users who are here: their devices come and go, and those who may know are told.

One node for now: the truth is in memory, and what was last seen goes to the store in batches. What is shown of whom is
decided in `domain.users`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, Directory, GrantStore, LastSeenStore, UserStore
from wigwag.domain.errors import Forbidden
from wigwag.domain.events import ContactsShown, Fact, UserChanged
from wigwag.domain.users import (
    ALL,
    CONNECTED,
    NOTHING,
    Audience,
    Choice,
    Privacy,
    Shown,
    Sight,
    UserId,
    UserPresence,
    View,
    choose,
    enter,
    expire,
    leave,
    retell,
    sight,
    view,
)

FLUSH_EVERY = 5.0  # seconds; a crash loses no more of what was last seen
HIDDEN = Privacy(status=Audience.NOBODY, last_seen=Audience.NOBODY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What is known of the host application's users. `reciprocity`: nobody sees of others what they do not show."""

    users: UserStore
    directory: Directory
    last_seen: LastSeenStore
    grants: GrantStore
    reciprocity: bool = False


@dataclass(slots=True)
class _Guest:
    """A user who is here, and what is needed to tell of them."""

    presence: UserPresence
    contacts: set[UserId]
    privacy: Privacy


class Lobby:
    """All users of this process. `reciprocity`: see `Host`."""

    def __init__(
        self,
        *,
        directory: Directory,
        store: LastSeenStore,
        clock: Clock,
        announce: Callable[[Fact], None],
        reciprocity: bool = False,
    ) -> None:
        self._reciprocity = reciprocity
        self._directory, self._store, self._clock, self._announce = directory, store, clock, announce
        self._here: dict[UserId, _Guest] = {}
        self._unsaved: dict[UserId, UserPresence] = {}
        self._entering: dict[UserId, asyncio.Lock] = {}
        self._lost = asyncio.Event()
        self._failures = Failures(clock, announce)

    # --- devices

    async def enter(self, user: UserId, device: str) -> list[View]:
        """A device of a user is here. Returns what the user may see of the contacts. Raises StoreUnavailable."""
        async with self._entering.setdefault(user, asyncio.Lock()):
            guest = self._here.get(user) or await self._admitted(user)
            self._here[user] = guest
            self._change(guest, enter(guest.presence, device, self._clock.now()))
        return await self.view(user, guest.contacts)

    def leave(self, user: UserId, device: str, *, goodbye: bool) -> None:
        """A device is gone. Without a goodbye it has its grace."""
        guest = self._here.get(user)
        if guest is not None:
            self._change(guest, leave(guest.presence, device, self._clock.now(), goodbye=goodbye))
            self._lost.set()

    def choose(self, user: UserId, choice: Choice) -> None:
        """The user wants to be shown differently. Raises Forbidden for somebody who is not here."""
        guest = self._here.get(user)
        if guest is None:
            raise Forbidden("Say who you are first.")
        self._change(guest, choose(guest.presence, choice, self._clock.now()))

    async def refresh(self, user: UserId) -> None:
        """The user's contacts or privacy may have changed: whoever sees others now is told. Raises StoreUnavailable."""
        guest = self._here.get(user)
        if guest is None:
            return
        contacts = await self._directory.contacts(user)
        privacy = (await self._directory.privacy([user])).get(user, HIDDEN)
        other = contacts != guest.contacts or (self._reciprocity and privacy != guest.privacy)
        before = {one: self._sight(guest, one) for one in contacts | guest.contacts if one in self._here}
        guest.contacts, guest.privacy = contacts, privacy
        self._retell(guest, before)
        if other:
            views = tuple(await self.view(user, contacts))
            self._announce(ContactsShown(user=user, views=views, at=self._clock.now()))

    def forget(self, user: UserId) -> None:
        """The user is no more: the devices go, and nothing is written of them any more."""
        guest = self._here.get(user)
        for device in guest.presence.devices if guest is not None else ():
            self.leave(user, device, goodbye=True)
        self._unsaved.pop(user, None)

    # --- questions

    async def view(self, asker: UserId | None, users: Collection[UserId]) -> list[View]:
        """What somebody may see of users, in their order; None asks as the operator, who may see all."""
        missing = [user for user in users if user not in self._here and user not in self._unsaved]
        known = {kept.user: kept for kept in await self._store.load(missing)} if missing else {}
        known |= {user: self._unsaved[user] for user in users if user in self._unsaved}
        known |= {user: self._here[user].presence for user in users if user in self._here}
        allowed = await self._sights(asker, users)
        return [view(known[user], allowed[user]) if user in known else View(user=user) for user in users]

    def is_user_online(self, user: UserId) -> bool:
        """Whether a user has a device here and lets it be seen (seed 004: `isUserOnline`)."""
        guest = self._here.get(user)
        return guest is not None and guest.presence.shown is not Shown.OFFLINE

    def active_users_count(self) -> int:
        """How many users have a device here (seed 004: `getActiveUsersCount`)."""
        return sum(bool(guest.presence.devices) for guest in self._here.values())

    # --- working

    async def run(self) -> None:
        """End graces, and write, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._expire(), name="lobby: grace")
            tasks.create_task(self._save(), name="lobby: save")

    async def _expire(self) -> None:
        while True:
            self._lost.clear()
            now = self._clock.now()
            for guest in [found for found in self._here.values() if found.presence.deadline <= now]:
                self._change(guest, expire(guest.presence, now))
            nearest = min((guest.presence.deadline for guest in self._here.values()), default=CONNECTED)
            await self._clock.wait(self._lost, None if nearest == CONNECTED else nearest)

    async def _save(self) -> None:
        while True:
            await self._clock.sleep(FLUSH_EVERY)
            await self.flush()

    async def flush(self) -> None:
        """Write what changed. While the store does not answer it waits in memory, one entry a user."""
        changed, self._unsaved = self._unsaved, {}
        if not await self._failures.guard("lobby", self._store.save(list(changed.values()), self._clock.now())):
            self._unsaved = changed | self._unsaved

    # --- inside

    async def _admitted(self, user: UserId) -> _Guest:
        kept = self._unsaved.get(user) or next(iter(await self._store.load([user])), UserPresence(user=user))
        contacts = await self._directory.contacts(user)
        privacy = (await self._directory.privacy([user])).get(user, Privacy())
        return _Guest(presence=replace(kept, shown=Shown.OFFLINE), contacts=contacts, privacy=privacy)

    def _change(self, guest: _Guest, after: UserPresence) -> None:
        before, guest.presence = guest.presence, after
        user = after.user
        if not after.devices:
            self._here.pop(user, None)
            self._entering.pop(user, None)
        self._unsaved[user] = after
        if after.v != before.v:
            self._tell(guest, before)

    def _tell(self, guest: _Guest, before: UserPresence) -> None:
        """Tell of a change, to each what they may know."""
        after = guest.presence
        for allowed, audience in self._audiences(guest).items():
            shown = view(after, allowed)
            if audience and shown != view(before, allowed):
                self._announce(UserChanged(view=shown, audience=tuple(audience), at=self._clock.now()))

    def _retell(self, guest: _Guest, before: Mapping[UserId, Sight]) -> None:
        """Tell those whose sight of a guest changed, also that they see nothing more."""
        told: defaultdict[Sight, list[UserId]] = defaultdict(list)
        for one, was in before.items():
            allowed = self._sight(guest, one)
            if allowed != was:
                told[allowed].append(one)
        if told:
            now = self._clock.now()
            guest.presence = self._unsaved[guest.presence.user] = retell(guest.presence, now)
        for allowed, audience in told.items():
            shown = replace(view(guest.presence, allowed), v=guest.presence.v)
            self._announce(UserChanged(view=shown, audience=tuple(audience), at=self._clock.now()))

    def _audiences(self, guest: _Guest) -> Mapping[Sight, list[UserId]]:
        """Who is here and may hear of a guest, by what they may know. Users see themselves whole."""
        user, audiences = guest.presence.user, defaultdict[Sight, list[UserId]](list)
        if self._reciprocity:
            for other in guest.contacts & self._here.keys():
                audiences[self._sight(guest, other)].append(other)
        else:
            alike = sight(guest.privacy, contact=True)
            audiences[alike] = [other for other in guest.contacts if other in self._here]
        if user in self._here:
            audiences[ALL].append(user)
        return audiences

    def _sight(self, guest: _Guest, other: UserId) -> Sight:
        """What another user who is here may know of a guest."""
        asker = self._here[other].privacy if self._reciprocity else None
        return sight(guest.privacy, contact=other in guest.contacts, asker=asker)

    async def _sights(self, asker: UserId | None, users: Collection[UserId]) -> Mapping[UserId, Sight]:
        """What somebody may know of each of these users; of those who do not exist, nothing."""
        if asker is None:
            return dict.fromkeys(users, ALL)
        privacy = await self._privacy_of({*users, asker})
        contacts = self._here[asker].contacts if asker in self._here else await self._directory.contacts(asker)
        own = privacy.get(asker, Privacy()) if self._reciprocity else None
        sights = {
            user: sight(privacy[user], contact=user in contacts, asker=own) if user in privacy else NOTHING
            for user in users
        }
        return sights | ({asker: ALL} if asker in sights else {})

    async def _privacy_of(self, users: Collection[UserId]) -> dict[UserId, Privacy]:
        here = {user: self._here[user].privacy for user in users if user in self._here}
        others = [user for user in users if user not in here]
        return here | dict(await self._directory.privacy(others) if others else {})

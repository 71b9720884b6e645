# SPDX-License-Identifier: Apache-2.0
"""The users who are here: their devices come and go, and those who may know are told.

One node for now: the truth is in memory, and what was last seen goes to the store in batches. What is shown of whom is
decided in `domain.users`.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, Directory, LastSeenStore, UserStore
from wigwag.domain.errors import Forbidden
from wigwag.domain.events import Fact, UserChanged
from wigwag.domain.users import (
    CONNECTED,
    Audience,
    Choice,
    Privacy,
    Shown,
    UserId,
    UserPresence,
    View,
    choose,
    enter,
    expire,
    leave,
    view,
)

FLUSH_EVERY = 5.0  # seconds; a crash loses no more of what was last seen
MOST_ASKED = 500  # users in one question
HIDDEN = Privacy(status=Audience.NOBODY, last_seen=Audience.NOBODY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What is known of the host application's users."""

    users: UserStore
    directory: Directory
    last_seen: LastSeenStore


@dataclass(slots=True)
class _Guest:
    """A user who is here, and what is needed to tell of them."""

    presence: UserPresence
    contacts: set[UserId]
    privacy: Privacy


class Lobby:
    """All users of this process."""

    def __init__(
        self, *, directory: Directory, store: LastSeenStore, clock: Clock, announce: Callable[[Fact], None]
    ) -> None:
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
        """The user's contacts or privacy changed. Raises StoreUnavailable."""
        guest = self._here.get(user)
        if guest is not None:
            guest.contacts = await self._directory.contacts(user)
            guest.privacy = (await self._directory.privacy([user])).get(user, HIDDEN)

    def forget(self, user: UserId) -> None:
        """The user is no more: the devices go, and nothing is written of them any more."""
        guest = self._here.get(user)
        for device in guest.presence.devices if guest is not None else ():
            self.leave(user, device, goodbye=True)
        self._unsaved.pop(user, None)

    # --- questions

    async def view(self, asker: UserId | None, users: Collection[UserId]) -> list[View]:
        """What somebody may see of users, in their order; None asks as the operator, who may see all."""
        users = list(users)[:MOST_ASKED]
        missing = [user for user in users if user not in self._here and user not in self._unsaved]
        known = {kept.user: kept for kept in await self._store.load(missing)} if missing else {}
        known |= {user: self._unsaved[user] for user in users if user in self._unsaved}
        known |= {user: self._here[user].presence for user in users if user in self._here}
        if asker is None:
            return [_whole(known[user]) if user in known else View(user=user) for user in users]
        privacy = await self._privacy_of(users)
        contacts = self._here[asker].contacts if asker in self._here else await self._directory.contacts(asker)
        return [
            _whole(known[user])
            if user == asker and user in known
            else view(known[user], privacy[user], contact=user in contacts)
            if user in known and user in privacy
            else View(user=user)
            for user in users
        ]

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
        shown = view(after, guest.privacy, contact=True)
        if after.v != before.v and shown != view(before, guest.privacy, contact=True):
            audience = tuple(other for other in (*guest.contacts, user) if other in self._here)
            self._announce(UserChanged(view=shown, audience=audience, at=self._clock.now()))

    async def _privacy_of(self, users: Collection[UserId]) -> dict[UserId, Privacy]:
        here = {user: self._here[user].privacy for user in users if user in self._here}
        others = [user for user in users if user not in here]
        return here | dict(await self._directory.privacy(others) if others else {})


def _whole(presence: UserPresence) -> View:
    return View(user=presence.user, status=presence.shown, last_seen=presence.last_seen, v=presence.v)

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
REMEMBERED = 100_000  # users whose privacy is known; beyond it all are looked up again


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What is known of the host application's users."""

    users: UserStore
    directory: Directory
    last_seen: LastSeenStore


class Lobby:
    """All users of this process."""

    def __init__(
        self, *, directory: Directory, store: LastSeenStore, clock: Clock, announce: Callable[[Fact], None]
    ) -> None:
        self._directory, self._store, self._clock, self._announce = directory, store, clock, announce
        self._here: dict[UserId, UserPresence] = {}
        self._contacts: dict[UserId, set[UserId]] = {}
        self._privacy: dict[UserId, Privacy] = {}
        self._unsaved: dict[UserId, UserPresence] = {}
        self._entering: dict[UserId, asyncio.Lock] = {}
        self._lost = asyncio.Event()
        self._failures = Failures(clock, announce)

    # --- devices

    async def enter(self, user: UserId, device: str) -> list[View]:
        """A device of a user is here. Returns what the user may see of the contacts. Raises StoreUnavailable."""
        async with self._entering.setdefault(user, asyncio.Lock()):
            if user not in self._here:
                await self._admit(user)
            self._change(self._here[user], enter(self._here[user], device, self._clock.now()))
        return await self.view(user, self._contacts[user])

    def leave(self, user: UserId, device: str, *, goodbye: bool) -> None:
        """A device is gone. Without a goodbye it has its grace."""
        presence = self._here.get(user)
        if presence is None:
            return
        self._change(presence, leave(presence, device, self._clock.now(), goodbye=goodbye))
        self._lost.set()

    def choose(self, user: UserId, choice: Choice) -> None:
        """The user wants to be shown differently. Raises Forbidden for somebody who is not here."""
        presence = self._here.get(user)
        if presence is None:
            raise Forbidden("Say who you are first.")
        self._change(presence, choose(presence, choice, self._clock.now()))

    def refresh(self, user: UserId) -> None:
        """The user's contacts or privacy changed: look them up again when somebody needs them."""
        self._privacy.pop(user, None)
        self._contacts.pop(user, None)

    # --- questions

    async def view(self, asker: UserId | None, users: Collection[UserId]) -> list[View]:
        """What somebody may see of users, in their order; None asks as the operator, who may see all."""
        users = list(users)[:MOST_ASKED]
        missing = [user for user in users if user not in self._here]
        stored = {kept.user: kept for kept in await self._store.load(missing)} if missing else {}
        privacy = await self._privacy_of(users)
        contacts = await self._contacts_of(asker) if asker is not None else set()
        views = []
        for user in users:
            presence = self._here.get(user) or self._unsaved.get(user) or stored.get(user)
            if presence is None or (user not in privacy and asker is not None):
                views.append(View(user=user))
            elif asker is None or asker == user:
                views.append(_whole(presence))
            else:
                views.append(view(presence, privacy[user], contact=user in contacts))
        return views

    def is_user_online(self, user: UserId) -> bool:
        """Whether a user has a device here and lets it be seen (seed 004: `isUserOnline`)."""
        presence = self._here.get(user)
        return presence is not None and presence.shown is not Shown.OFFLINE

    def active_users_count(self) -> int:
        """How many users have a device here (seed 004: `getActiveUsersCount`)."""
        return sum(bool(presence.devices) for presence in self._here.values())

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
            for presence in [found for found in self._here.values() if found.deadline <= now]:
                self._change(presence, expire(presence, now))
            nearest = min((presence.deadline for presence in self._here.values()), default=CONNECTED)
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

    async def _admit(self, user: UserId) -> None:
        kept = self._unsaved.get(user) or next(iter(await self._store.load([user])), UserPresence(user=user))
        await self._contacts_of(user)
        await self._privacy_of([user])
        self._here.setdefault(user, replace(kept, shown=Shown.OFFLINE))

    def _change(self, before: UserPresence, after: UserPresence) -> None:
        user = after.user
        if after.devices:
            self._here[user] = after
        else:
            self._here.pop(user, None)
            self._entering.pop(user, None)
        self._unsaved[user] = after
        if after.v == before.v:
            return
        privacy = self._privacy.get(user, Privacy())
        shown, contacts = view(after, privacy, contact=True), self._contacts.get(user, set())
        if not after.devices:
            self._contacts.pop(user, None)
        if shown != view(before, privacy, contact=True):
            audience = tuple(other for other in (*contacts, user) if other in self._here)
            self._announce(UserChanged(view=shown, audience=audience, at=self._clock.now()))

    async def _contacts_of(self, user: UserId) -> set[UserId]:
        if user not in self._contacts:
            self._contacts[user] = await self._directory.contacts(user)
        return self._contacts[user]

    async def _privacy_of(self, users: Collection[UserId]) -> dict[UserId, Privacy]:
        unknown = [user for user in users if user not in self._privacy]
        if unknown:
            if len(self._privacy) > REMEMBERED:
                self._privacy.clear()
                unknown = list(users)
            self._privacy |= await self._directory.privacy(unknown)
        return {user: self._privacy[user] for user in users if user in self._privacy}


def _whole(presence: UserPresence) -> View:
    return View(user=presence.user, status=presence.shown, last_seen=presence.last_seen, v=presence.v)

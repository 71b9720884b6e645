# SPDX-License-Identifier: Apache-2.0
"""Users, their contacts and what was last seen of them, in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wigwag.app.ports import Directory, GrantStore, LastSeenStore, User, UserStore
from wigwag.domain.errors import Conflict
from wigwag.domain.ids import Jid
from wigwag.domain.texts import kept_text
from wigwag.domain.users import Choice, Privacy, Shown, UserId, UserPresence

PHONE = 20  # characters


class MemoryUserStore:
    """The ports UserStore, Directory and GrantStore in memory. `presences` and `alive_at` are what was last seen."""

    def __init__(self) -> None:
        self.presences: dict[UserId, UserPresence] = {}
        self.alive_at = 0.0
        self._users: dict[UserId, User] = {}
        self._contacts: dict[UserId, set[UserId]] = {}
        self._grants: dict[UserId, set[Jid]] = {}

    async def put(self, users: Sequence[User]) -> None:
        wanted = self._users | {user.id: _kept(user) for user in users}
        phones = [user.phone_number for user in wanted.values() if user.phone_number is not None]
        if len(phones) != len(set(phones)):
            raise Conflict("Another user has this phone number.")
        self._users = wanted

    async def get(self, user: UserId) -> User | None:
        return self._users.get(user)

    async def find(self, after: UserId | None, limit: int) -> list[User]:
        keys = sorted(self._users, key=str)
        return [self._users[key] for key in keys if after is None or str(key) > str(after)][:limit]

    async def remove(self, user: UserId) -> bool:
        await self.remove_contacts(user, await self.contacts(user))
        self.presences.pop(user, None)
        self._grants.pop(user, None)
        return self._users.pop(user, None) is not None

    async def add_contacts(self, user: UserId, contacts: Collection[UserId]) -> None:
        for contact in set(contacts) - {user}:
            self._contacts.setdefault(user, set()).add(contact)
            self._contacts.setdefault(contact, set()).add(user)

    async def remove_contacts(self, user: UserId, contacts: Collection[UserId]) -> None:
        for contact in contacts:
            self._contacts.get(user, set()).discard(contact)
            self._contacts.get(contact, set()).discard(user)

    async def contacts(self, user: UserId) -> set[UserId]:
        return set(self._contacts.get(user, ()))

    async def privacy(self, users: Collection[UserId]) -> Mapping[UserId, Privacy]:
        return {user: self._users[user].privacy for user in users if user in self._users}

    async def granted(self, user: UserId) -> set[Jid]:
        return set(self._grants.get(user, ()))

    async def grant(self, user: UserId, contacts: Collection[Jid]) -> None:
        self._grants.setdefault(user, set()).update(contacts)

    async def revoke(self, user: UserId, contacts: Collection[Jid]) -> None:
        self._grants.get(user, set()).difference_update(contacts)

    async def erase_contact(self, jid: Jid) -> None:
        for granted in self._grants.values():
            granted.discard(jid)
        linked = [user for user in self._users.values() if user.jid == jid]
        self._users |= {user.id: replace(user, jid=None) for user in linked}


class MemoryLastSeenStore:
    """The port LastSeenStore in memory, on the users of a store."""

    def __init__(self, users: MemoryUserStore) -> None:
        self._users = users

    async def load(self, users: Collection[UserId]) -> list[UserPresence]:
        kept = self._users.presences
        return [replace(kept[user], shown=Shown.OFFLINE) for user in users if user in kept]

    async def settle(self) -> None:
        kept = self._users
        for user, presence in kept.presences.items():
            if presence.shown is not Shown.OFFLINE:
                seen = max(presence.last_seen or 0.0, kept.alive_at)
                kept.presences[user] = replace(
                    presence, shown=Shown.OFFLINE, choice=Choice.ONLINE, last_seen=seen, v=presence.v + 1
                )

    async def save(self, presences: Sequence[UserPresence], alive_at: float) -> None:
        for presence in presences:
            kept = self._users.presences.get(presence.user)
            self._users.presences[presence.user] = _newer(kept, replace(presence, devices={}))
        self._users.alive_at = alive_at


def _kept(user: User) -> User:
    return replace(
        user,
        name=kept_text(user.name),
        phone_number=None if user.phone_number is None else kept_text(user.phone_number, PHONE),
        profile_pic=None if user.profile_pic is None else kept_text(user.profile_pic, None),
    )


def _newer(kept: UserPresence | None, new: UserPresence) -> UserPresence:
    """The newer of two, with the later of their instants."""
    if kept is None:
        return new
    instants = [instant for instant in (kept.last_seen, new.last_seen) if instant is not None]
    return replace(new if new.v >= kept.v else kept, last_seen=max(instants, default=None))


if TYPE_CHECKING:
    _users: type[UserStore] = MemoryUserStore
    _directory: type[Directory] = MemoryUserStore
    _grants: type[GrantStore] = MemoryUserStore
    _last_seen: type[LastSeenStore] = MemoryLastSeenStore

# SPDX-License-Identifier: Apache-2.0
"""What the presence of users needs: who they are, whom they know, what was last seen of them, and who somebody is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from wigwag.domain.ids import Jid
from wigwag.domain.users import Privacy, UserId, UserPresence


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the host application, as we keep it (seed 004). `jid`: the WhatsApp contact that is the same person."""

    id: UserId
    name: str = field(default="", repr=False)
    phone_number: str | None = field(default=None, repr=False)
    profile_pic: str | None = field(default=None, repr=False)
    privacy: Privacy = Privacy()  # noqa: RUF009  a frozen value
    jid: Jid | None = None


class Directory(Protocol):
    """Knows whose contacts are whose, and who may know what. It may be the host's own table."""

    async def contacts(self, user: UserId) -> set[UserId]:
        """The people with whom a user has chatted."""
        ...

    async def privacy(self, users: Collection[UserId]) -> Mapping[UserId, Privacy]:
        """What each of these users lets others know; users who do not exist are left out."""
        ...


class UserStore(Protocol):
    """Keeps users and their contacts."""

    async def put(self, users: Sequence[User]) -> None:
        """Create or change users, all or none. Raises Conflict if a phone number is another's."""
        ...

    async def get(self, user: UserId) -> User | None: ...

    async def remove(self, user: UserId) -> bool:
        """Delete a user, with contacts and presence. False if there was none."""
        ...

    async def add_contacts(self, user: UserId, contacts: Collection[UserId]) -> None:
        """These people have chatted with a user; so each is a contact of the other."""
        ...

    async def remove_contacts(self, user: UserId, contacts: Collection[UserId]) -> None: ...

    async def find(self, after: UserId | None, limit: int) -> list[User]:
        """Users in the order of their ids as texts."""
        ...


class GrantStore(Protocol):
    """Keeps which contacts on WhatsApp a user may watch. A removed user has none."""

    async def granted(self, user: UserId) -> set[Jid]: ...

    async def grant(self, user: UserId, contacts: Collection[Jid]) -> None:
        """The user may watch these too."""
        ...

    async def revoke(self, user: UserId, contacts: Collection[Jid]) -> None: ...

    async def erase_contact(self, jid: Jid) -> None:
        """Nobody may watch this contact, and no user is linked to it any more."""
        ...


class LastSeenStore(Protocol):
    """Keeps what was last seen of users. Writing the same thing twice is the same as writing it once."""

    async def load(self, users: Collection[UserId]) -> list[UserPresence]:
        """What is kept of these users, without devices. `last_seen` never goes back, and `v` neither."""
        ...

    async def settle(self) -> None:
        """No gateway is here: whoever is still kept as online, away or busy was last seen when one was last alive."""
        ...

    async def save(self, presences: Sequence[UserPresence], alive_at: float) -> None:
        """Write what changed, and that we are alive."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who somebody is, as a token proves. `until`: when the token expires, Unix seconds; None if it never does."""

    user: UserId
    until: float | None = None


class Authenticator(Protocol):
    """Tells who somebody is."""

    async def __call__(self, token: str) -> Principal:
        """Raises Unauthenticated; Unavailable if the keys to check it cannot be had now."""
        ...

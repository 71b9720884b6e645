# SPDX-License-Identifier: Apache-2.0
"""Users and their contacts in SQL: the tables `users` and `user_contacts`.

What was last seen of users is in the same table, and written by `last_seen`.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from wigwag.adapters.storage.dialects import upsert
from wigwag.adapters.storage.engine import SOME, Database, chosen, run_for_each
from wigwag.adapters.storage.gathering import Gathered
from wigwag.adapters.storage.schema_users import PHONE, user_contacts, user_grants, users
from wigwag.app.ports import Directory, User, UserStore
from wigwag.domain.errors import Conflict
from wigwag.domain.ids import Jid
from wigwag.domain.texts import kept_text
from wigwag.domain.users import Audience, Choice, Privacy, Shown, UserId, user_id

_TOLD = users.c.created_at.is_not(None)  # somebody told us of this user
_KNOWN = select(users.c.id, users.c.created_at).where(users.c.id.in_(SOME))
_PRIVACY = select(users.c.id, users.c.show_online_status, users.c.show_last_seen).where(users.c.id.in_(SOME), _TOLD)
_CONTACTS = select(user_contacts.c.user_id, user_contacts.c.contact_id).where(user_contacts.c.user_id.in_(SOME))
_CONTACTS_OF = select(user_contacts.c.contact_id).where(user_contacts.c.user_id == bindparam("user"))
_UNSEEN = {"status": Shown.OFFLINE.value, "is_online": False, "v": 0, "choice": Choice.ONLINE.value}
_THIS = users.c.id == bindparam("this")
_WRITTEN = ("name", "phone_number", "profile_pic", "created_at", "show_online_status", "show_last_seen", "jid")
_WITHOUT_PHONE = update(users).where(_THIS).values(phone_number=None)
_CHANGE = update(users).where(_THIS).values({name: bindparam(f"new_{name}") for name in _WRITTEN})
_PAIR = and_(user_contacts.c.user_id == bindparam("one"), user_contacts.c.contact_id == bindparam("other"))


class SqlUserStore:
    """The ports UserStore and Directory on a database.

    Args:
        now: Unix seconds, for `created_at`.
    """

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database, self._now = database, now
        self._contacts_of: Gathered[UserId, set[UserId]] = Gathered(self._read_contacts)
        self._privacy_of: Gathered[UserId, Privacy] = Gathered(self._read_privacy)

    async def put(self, users: Sequence[User]) -> None:
        rows = {str(user.id): _row(user, self._now()) for user in users}
        async with self._database.writing() as connection:
            known = {row.id: row.created_at for row in await connection.run_sync(chosen, _KNOWN, rows)}
            try:
                await _write(connection, rows, known)
            except IntegrityError as error:
                raise Conflict("Another user has this phone number.") from error

    async def get(self, user: UserId) -> User | None:
        query = select(users).where(users.c.id == str(user), _TOLD)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _user(row)

    async def find(self, after: UserId | None, limit: int) -> list[User]:
        query = select(users).where(_TOLD).order_by(users.c.id).limit(limit)
        if after is not None:
            query = query.where(users.c.id > str(after))
        async with self._database.reading() as connection:
            return [_user(row) for row in (await connection.execute(query)).all()]

    async def remove(self, user: UserId) -> bool:
        async with self._database.writing() as connection:
            known = await connection.scalar(select(users.c.created_at).where(users.c.id == str(user)))
            found = await connection.scalars(_CONTACTS_OF, {"user": str(user)})
            contacts = [user_id(contact) for contact in found]
            await connection.run_sync(run_for_each, delete(user_contacts).where(_PAIR), _pairs(user, contacts))
            await connection.execute(delete(user_grants).where(user_grants.c.user_id == str(user)))
            await connection.execute(delete(users).where(users.c.id == str(user)))
        return known is not None

    # --- contacts

    async def add_contacts(self, user: UserId, contacts: Collection[UserId]) -> None:
        rows = [{"user_id": pair["one"], "contact_id": pair["other"]} for pair in _pairs(user, contacts)]
        async with self._database.writing() as connection:
            await connection.run_sync(run_for_each, upsert(user_contacts, self._database.dialect), rows)

    async def remove_contacts(self, user: UserId, contacts: Collection[UserId]) -> None:
        async with self._database.writing() as connection:
            await connection.run_sync(run_for_each, delete(user_contacts).where(_PAIR), _pairs(user, contacts))

    async def contacts(self, user: UserId) -> set[UserId]:
        return (await self._contacts_of([user])).get(user, set())

    async def privacy(self, users: Collection[UserId]) -> Mapping[UserId, Privacy]:
        return await self._privacy_of(users)

    async def _read_contacts(self, users: Collection[UserId]) -> Mapping[UserId, set[UserId]]:
        async with self._database.reading() as connection:
            rows = await connection.run_sync(chosen, _CONTACTS, [str(user) for user in users])
        found: dict[UserId, set[UserId]] = {}
        for row in rows:
            found.setdefault(user_id(row.user_id), set()).add(user_id(row.contact_id))
        return found

    async def _read_privacy(self, users: Collection[UserId]) -> Mapping[UserId, Privacy]:
        async with self._database.reading() as connection:
            rows = await connection.run_sync(chosen, _PRIVACY, [str(user) for user in users])
        return {user_id(row.id): _privacy(row) for row in rows}


async def _write(connection: AsyncConnection, rows: Mapping[str, dict[str, Any]], known: Mapping[str, Any]) -> None:
    """Users may swap their numbers in one call, so all numbers are let go before any is taken."""
    await connection.run_sync(run_for_each, _WITHOUT_PHONE, [{"this": key} for key in known])
    changes = [_change(rows[key], created_at) for key, created_at in known.items()]
    await connection.run_sync(run_for_each, _CHANGE, changes)
    fresh = [row | _UNSEEN for key, row in rows.items() if key not in known]
    await connection.run_sync(run_for_each, insert(users), fresh)


def _change(row: Mapping[str, Any], created_at: float | None) -> dict[str, Any]:
    """The parameters of _CHANGE. Whoever is known stays as old."""
    values = {**row, "created_at": row["created_at"] if created_at is None else created_at}
    return {"this": row["id"], **{f"new_{name}": values[name] for name in _WRITTEN}}


def _pairs(user: UserId, contacts: Collection[UserId]) -> list[dict[str, str]]:
    """Both directions of each pair, in the order of the key. Nobody is a contact of oneself."""
    others = {str(contact) for contact in contacts} - {str(user)}
    pairs = {(str(user), other) for other in others} | {(other, str(user)) for other in others}
    return [{"one": one, "other": other} for one, other in sorted(pairs)]


def _row(user: User, now: float) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "name": kept_text(user.name),
        "phone_number": None if user.phone_number is None else kept_text(user.phone_number, PHONE),
        "profile_pic": None if user.profile_pic is None else kept_text(user.profile_pic, None),
        "created_at": now,
        "show_online_status": user.privacy.status.value,
        "show_last_seen": user.privacy.last_seen.value,
        "jid": user.jid,
    }


def _user(row: Any) -> User:
    return User(
        id=user_id(row.id),
        name=row.name,
        phone_number=row.phone_number,
        profile_pic=row.profile_pic,
        privacy=_privacy(row),
        jid=None if row.jid is None else Jid(row.jid),
    )


def _privacy(row: Any) -> Privacy:
    return Privacy(status=Audience(row.show_online_status), last_seen=Audience(row.show_last_seen))


if TYPE_CHECKING:
    _store: type[UserStore] = SqlUserStore
    _directory: type[Directory] = SqlUserStore

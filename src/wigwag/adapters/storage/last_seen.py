# SPDX-License-Identifier: Apache-2.0
"""What was last seen of users, in SQL: columns of the table `users`, and the table `user_life`.

Several gateways may write here: `v` says which of two is newer, and last seen never goes back.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Insert, case, or_, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite

from wigwag.adapters.storage.engine import SOME, Database, chosen, put_rows, run_for_each
from wigwag.adapters.storage.gathering import Gathered
from wigwag.adapters.storage.schema_users import user_life, users
from wigwag.app.ports import LastSeenStore
from wigwag.domain.users import Audience, Choice, Shown, UserId, UserPresence, user_id

_KEPT = select(users.c.id, users.c.choice, users.c.last_seen, users.c.v).where(users.c.id.in_(SOME))
_STRANGER = {"name": "", "show_online_status": Audience.CONTACTS.value, "show_last_seen": Audience.CONTACTS.value}


class SqlLastSeenStore:
    """The port LastSeenStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: Gathered[UserId, UserPresence] = Gathered(self._read)

    async def load(self, users: Collection[UserId]) -> list[UserPresence]:
        return list((await self._kept(users)).values())

    async def save(self, presences: Sequence[UserPresence], alive_at: float) -> None:
        rows = sorted(map(_row, presences), key=lambda row: str(row["id"]))
        async with self._database.writing() as connection:
            await connection.run_sync(run_for_each, _upsert_newer(self._database.dialect), rows)
            await connection.run_sync(put_rows, user_life, [{"id": 1, "alive_at": alive_at}])

    async def _read(self, users: Collection[UserId]) -> Mapping[UserId, UserPresence]:
        async with self._database.reading() as connection:
            found = await connection.run_sync(chosen, _KEPT, [str(user) for user in users])
        return {presence.user: presence for presence in map(_presence, found)}

    async def settle(self) -> None:
        async with self._database.writing() as connection:
            alive_at: float = await connection.scalar(select(user_life.c.alive_at)) or 0.0
            gone = {
                "status": Shown.OFFLINE.value,
                "is_online": False,
                "choice": Choice.ONLINE.value,
                "last_seen": _later(users.c.last_seen, alive_at),
                "v": users.c.v + 1,
            }
            await connection.execute(update(users).where(users.c.is_online).values(gone))


def _later(kept: ColumnElement[Any], new: Any) -> ColumnElement[Any]:
    """The later of two instants, of which the new one may be null too."""
    return case((or_(kept.is_(None), kept < new), new), else_=kept)


def _upsert_newer(dialect: str) -> Insert:
    """Insert what was seen of users, or change it where that is not older. What is known of them otherwise stays."""
    if dialect == "mysql":
        into = mysql.insert(users)
        return into.on_duplicate_key_update(_newer(into.inserted))
    insert = postgresql.insert(users) if dialect == "postgresql" else sqlite.insert(users)
    return insert.on_conflict_do_update(index_elements=[users.c.id], set_=_newer(insert.excluded))


def _newer(new: Any) -> dict[str, ColumnElement[Any]]:
    """What becomes of each column. MariaDB sees a changed `v` in the others' conditions, and they hold all the same."""
    newer = new.v >= users.c.v
    changes = {name: case((newer, new[name]), else_=users.c[name]) for name in ("status", "is_online", "choice", "v")}
    return {"last_seen": _later(users.c.last_seen, new.last_seen), **changes}


def _row(presence: UserPresence) -> dict[str, Any]:
    return _STRANGER | {
        "id": str(presence.user),
        "status": presence.shown.value,
        "last_seen": presence.last_seen,
        "is_online": presence.shown is not Shown.OFFLINE,
        "v": presence.v,
        "choice": presence.choice.value,
    }


def _presence(row: Any) -> UserPresence:
    return UserPresence(user=user_id(row.id), choice=Choice(row.choice), last_seen=row.last_seen, v=row.v)


if TYPE_CHECKING:
    _: type[LastSeenStore] = SqlLastSeenStore

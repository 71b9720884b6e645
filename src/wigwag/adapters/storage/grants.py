# SPDX-License-Identifier: Apache-2.0
"""Which contacts on WhatsApp users may watch, in SQL: the table `user_grants`, and the links in `users`."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, delete, select, update

from wigwag.adapters.storage.dialects import upsert
from wigwag.adapters.storage.engine import SOME, Database, chosen, run_for_each
from wigwag.adapters.storage.gathering import Gathered
from wigwag.adapters.storage.schema_users import user_grants, users
from wigwag.app.ports import GrantStore
from wigwag.domain.ids import Jid
from wigwag.domain.users import UserId

_GRANTED = select(user_grants.c.user_id, user_grants.c.jid).where(user_grants.c.user_id.in_(SOME))
_ONE = and_(user_grants.c.user_id == bindparam("user"), user_grants.c.jid == bindparam("contact"))


class SqlGrantStore:
    """The port GrantStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._granted: Gathered[str, set[Jid]] = Gathered(self._read)

    async def granted(self, user: UserId) -> set[Jid]:
        return (await self._granted([str(user)])).get(str(user), set())

    async def _read(self, users: Collection[str]) -> Mapping[str, set[Jid]]:
        async with self._database.reading() as connection:
            rows = await connection.run_sync(chosen, _GRANTED, users)
        found: dict[str, set[Jid]] = {}
        for row in rows:
            found.setdefault(row.user_id, set()).add(Jid(row.jid))
        return found

    async def grant(self, user: UserId, contacts: Collection[Jid]) -> None:
        rows = [{"user_id": str(user), "jid": jid} for jid in sorted(set(contacts))]
        async with self._database.writing() as connection:
            await connection.run_sync(run_for_each, upsert(user_grants, self._database.dialect), rows)

    async def revoke(self, user: UserId, contacts: Collection[Jid]) -> None:
        rows = [{"user": str(user), "contact": jid} for jid in sorted(set(contacts))]
        async with self._database.writing() as connection:
            await connection.run_sync(run_for_each, delete(user_grants).where(_ONE), rows)

    async def erase_contact(self, jid: Jid) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(user_grants).where(user_grants.c.jid == jid))
            await connection.execute(update(users).where(users.c.jid == jid).values(jid=None))


if TYPE_CHECKING:
    _: type[GrantStore] = SqlGrantStore

# SPDX-License-Identifier: Apache-2.0
"""Whose contacts are whose, by the host application's own table and a query of its operator.

Nothing is written there. What users let others know is ours, in the table `users`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from wigwag.adapters.storage.engine import Database, parse
from wigwag.app.ports import Directory
from wigwag.domain.errors import InvalidSettings, InvalidUser
from wigwag.domain.users import Privacy, UserId, user_id


class SqlDirectory:
    """The port Directory on the host's own database. Everybody exists; only the host knows who does not.

    Args:
        database: where the query runs.
        query: SQL that returns the ids of the contacts of the user `:user_id` in its first column.
        ours: knows the privacy of those who chose one.

    Raises:
        InvalidSettings: the query asks for something else than `:user_id`.
    """

    def __init__(self, database: Database, query: str, ours: Directory) -> None:
        if set(text(query).compile().params) != {"user_id"}:
            raise InvalidSettings("WIGWAG_USERS_CONTACTS_QUERY must ask for :user_id, and for nothing else.")
        self._database, self._query, self._ours = database, query, ours

    async def contacts(self, user: UserId) -> set[UserId]:
        async with self._database.reading() as connection:
            found = await connection.scalars(text(self._query).bindparams(user_id=user))
        return set(_ids(found)) - {user}

    async def privacy(self, users: Collection[UserId]) -> Mapping[UserId, Privacy]:
        return dict.fromkeys(users, Privacy()) | dict(await self._ours.privacy(users))

    async def close(self) -> None:
        """Let the connections go, those to wigwag's own database too if the query runs there."""
        await self._database.close()


def open_directory(own: Database, query: str, ours: Directory, address: str | None = None) -> SqlDirectory:
    """A directory by a query on the database at an address, or on our own. Nothing is connected yet.

    Raises:
        InvalidSettings: this is no address of a database, or no such query.
    """
    return SqlDirectory(own if address is None else Database(parse(address), read_only=True), query, ours)


def _ids(values: Iterable[Any]) -> Iterator[UserId]:
    """The ids among what a query gave. A row that has none is no contact."""
    for value in values:
        if value is None:
            continue
        try:
            yield user_id(value if isinstance(value, int) else str(value))
        except InvalidUser:
            continue


if TYPE_CHECKING:
    _: type[Directory] = SqlDirectory

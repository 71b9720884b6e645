# SPDX-License-Identifier: Apache-2.0
"""Which accounts there are, and what an operator chose while running, in SQL: the tables `accounts` and `choices`.

Sessions and their keys are not here: the WhatsApp room keeps them.
"""

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from wigwag.adapters.storage.engine import Database, put_rows
from wigwag.adapters.storage.schema import accounts, choices
from wigwag.app.ports import AccountStore
from wigwag.domain.account import Account, LinkState
from wigwag.domain.ids import Jid
from wigwag.domain.texts import kept_text


class SqlAccountStore:
    """The port AccountStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> list[Account]:
        async with self._database.reading() as connection:
            found = (await connection.execute(select(accounts).order_by(accounts.c.name))).all()
        return [_account(row) for row in found]

    async def put(self, account: Account) -> None:
        async with self._database.writing() as connection:
            await connection.run_sync(put_rows, accounts, [_row(account)])

    async def remove(self, name: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(accounts).where(accounts.c.name == name))

    async def choices(self) -> dict[str, str]:
        async with self._database.reading() as connection:
            found = (await connection.execute(select(choices.c.choice, choices.c.value))).all()
        return {choice: value for choice, value in found}  # noqa: C416 - rows are no pairs to mypy

    async def choose(self, key: str, value: str) -> None:
        async with self._database.writing() as connection:
            await connection.run_sync(put_rows, choices, [{"choice": key, "value": value}])


def _account(row: Any) -> Account:
    name, state, since, jid, until, detail, reconnects, failures, appear = row
    return Account(
        name=name,
        state=LinkState(state),
        since=since,
        jid=None if jid is None else Jid(jid),
        until=until,
        detail=detail,
        reconnects=reconnects,
        failures=failures,
        appear=appear,
    )


def _row(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "state": account.state.value,
        "since": account.since,
        "jid": account.jid,
        "banned_until": account.until,
        "detail": kept_text(account.detail),
        "reconnects": account.reconnects,
        "failures": account.failures,
        "appear": account.appear,
    }


if TYPE_CHECKING:
    _: type[AccountStore] = SqlAccountStore

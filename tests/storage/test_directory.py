# SPDX-License-Identifier: Apache-2.0
"""Contacts by a query of the operator's, on the host application's own tables."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from wigwag.adapters.storage.directory import SqlDirectory, open_directory
from wigwag.adapters.storage.engine import Database, parse
from wigwag.adapters.storage.stores import Stores, open_stores
from wigwag.app.ports import User
from wigwag.domain.errors import InvalidSettings, StoreUnavailable
from wigwag.domain.users import Audience, Privacy

QUERY = "SELECT friend FROM chats WHERE person = :user_id"
WORDS = "SELECT friend FROM pals WHERE person = :user_id"
CAST = WORDS.replace(":user_id", "CAST(:user_id AS CHAR(64))")  # where numbers are kept as texts, and it matters


@dataclass(frozen=True)
class Host:
    """The host's database, which is ours too here."""

    stores: Stores
    address: str

    def directory(self, query: str) -> SqlDirectory:
        return open_directory(self.stores.database, query, self.stores.users, self.address)


@pytest.fixture
async def host(database_url: str) -> AsyncIterator[Host]:
    stores = await open_stores(database_url, patience=30.0)
    async with stores.database.writing() as connection:
        for statement in (
            "CREATE TABLE chats (person BIGINT, friend BIGINT)",
            "CREATE TABLE pals (person VARCHAR(64), friend VARCHAR(80))",
            f"INSERT INTO chats VALUES (7, 8), (7, {(1 << 63) - 1}), (7, 8), (7, 7), (7, NULL), (8, 9)",
            "INSERT INTO pals VALUES ('anna', 'bruno'), ('anna', '10'), ('anna', 'two words'), ('7', 'anna')",
        ):
            await connection.execute(text(statement))
    yield Host(stores, database_url)
    await stores.close()


async def test_the_query_tells_contacts_and_rows_that_are_no_ids_are_left_out(host: Host) -> None:
    mariadb = host.stores.database.dialect == "mysql"
    numbers, words = host.directory(QUERY), host.directory(WORDS if mariadb else CAST)
    assert await numbers.contacts(7) == {8, (1 << 63) - 1}
    assert await numbers.contacts((1 << 63) - 1) == set()
    assert await words.contacts("anna") == {"bruno", 10}
    assert await words.contacts(7) == {"anna"}
    await numbers.close()
    await words.close()


async def test_a_query_without_an_address_runs_on_our_own_database(host: Host) -> None:
    directory = open_directory(host.stores.database, QUERY, host.stores.users)
    assert await directory.contacts(8) == {9}


async def test_everybody_exists_and_those_who_chose_a_privacy_have_it(host: Host) -> None:
    chosen = Privacy(status=Audience.EVERYONE, last_seen=Audience.NOBODY)
    await host.stores.users.put([User(id=8, privacy=chosen)])
    directory = open_directory(host.stores.database, QUERY, host.stores.users)
    assert await directory.privacy([7, 8]) == {7: Privacy(), 8: chosen}


@pytest.mark.parametrize(
    "query", ["SELECT 1", "SELECT friend FROM chats WHERE person = :person", f"{QUERY} LIMIT :most"]
)
def test_a_query_that_asks_for_anything_else_is_refused(query: str) -> None:
    with pytest.raises(InvalidSettings, match=":user_id"):
        open_directory(Database(parse("sqlite:///never-opened.db"), read_only=True), query, ours=None)  # type: ignore[arg-type]


async def test_the_database_of_the_host_is_never_written(host: Host) -> None:
    directory = host.directory("DELETE FROM chats WHERE person = :user_id")
    with pytest.raises(StoreUnavailable):
        await directory.contacts(7)
    await directory.close()
    assert await open_directory(host.stores.database, QUERY, host.stores.users).contacts(7) == {8, (1 << 63) - 1}


async def test_a_query_that_fails_is_a_database_that_does_not_answer(host: Host) -> None:
    directory = host.directory("SELECT friend FROM nowhere WHERE person = :user_id")
    with pytest.raises(StoreUnavailable):
        await directory.contacts(7)
    await directory.close()

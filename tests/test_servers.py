# SPDX-License-Identifier: Apache-2.0
"""The test servers keep their promises; what is tested with them is tested elsewhere."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

SMILE = "naïve 👋🏽 שלום"


async def test_each_engine_gives_a_database_that_keeps_any_unicode(database_url: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE words (word VARCHAR(40))"))
        await connection.execute(text("INSERT INTO words VALUES (:word)"), {"word": SMILE})
        rows = (await connection.execute(text("SELECT word FROM words"))).all()
    await engine.dispose()
    assert rows == [(SMILE,)]


async def test_each_test_starts_from_an_empty_database(database_url: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE words (word VARCHAR(40))"))
    await engine.dispose()


def test_a_test_without_a_loop_may_use_them_too(database_url: str) -> None:
    assert "wigwag" in database_url

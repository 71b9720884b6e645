# SPDX-License-Identifier: Apache-2.0
"""The test servers keep their promises; what is tested with them is tested elsewhere."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests import servers

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


def broken(**but: Any) -> servers.Server:
    return replace(
        servers.Server(
            name="broken",
            programs=("sh",),
            create=lambda _folder: ["true"],
            serve=lambda _folder, _port: ["sh", "-c", "echo the disk is full; exit 1"],
            ready="ready",
            url="broken://127.0.0.1:{port}",
        ),
        **but,
    )


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_a_missing_program_skips_at_home_and_fails_in_ci(
    ci: str, outcome: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    with (
        pytest.raises(outcome, match="no-such-program not found"),
        servers.running(broken(programs=("no-such-program",))),
    ):
        pass


def test_a_server_that_does_not_start_is_quoted() -> None:
    with pytest.raises(pytest.fail.Exception, match="the disk is full"), servers.running(broken()):
        pass


def test_a_folder_that_cannot_be_made_is_explained() -> None:
    refusing = broken(create=lambda _folder: ["sh", "-c", "echo not here >&2; exit 1"])
    with pytest.raises(pytest.fail.Exception, match="not here"), servers.running(refusing):
        pass


def test_a_server_that_is_given_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIGWAG_TEST_BROKEN_URL", "broken://elsewhere")
    with servers.running(broken()) as url:
        assert url == "broken://elsewhere"

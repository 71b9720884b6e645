# SPDX-License-Identifier: Apache-2.0
"""Addresses of databases, what is said of them, and how a SQLite file is kept."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from wigwag.adapters.storage import open_stores
from wigwag.adapters.storage.engine import Database, parse, place
from wigwag.domain.errors import InvalidSettings, StoreUnavailable
from wigwag.domain.history import Batch
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence


@pytest.mark.parametrize(
    ("address", "driver", "said"),
    [
        ("sqlite:///wigwag.db", "sqlite+aiosqlite", "The database wigwag.db"),
        ("sqlite+aiosqlite:////var/lib/wigwag.db", "sqlite+aiosqlite", "The database /var/lib/wigwag.db"),
        ("postgres://u:secret@db/w", "postgresql+asyncpg", "The database w at db"),
        ("postgresql+psycopg2://u:secret@db:5433/w", "postgresql+asyncpg", "The database w at db:5433"),
        ("mysql://u:secret@db/w?charset=latin1", "mysql+asyncmy", "The database w at db"),
        ("mariadb+asyncmy://u:secret@[::1]:3307/w", "mysql+asyncmy", "The database w at ::1:3307"),
    ],
)
def test_an_address_as_people_write_it_names_a_driver_and_a_place_without_secrets(
    address: str, driver: str, said: str
) -> None:
    url = parse(address)
    assert url.drivername == driver
    assert place(url) == said
    assert parse(url.render_as_string(hide_password=False)) == url
    assert driver != "mysql+asyncmy" or url.query["charset"] == "utf8mb4"


@pytest.mark.parametrize(
    "address",
    ["", "wigwag.db", "oracle://u:secret@db/w", "postgres://u:secret@db:port/w", "sqlite://", "sqlite:///:memory:"],
)
def test_what_is_no_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        parse(address)
    assert "secret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


async def test_it_is_told_how_long_everything_took_and_what_was_not_answered(tmp_path: Path) -> None:
    told: list[tuple[str, bool]] = []
    database = Database(parse(f"sqlite:///{tmp_path}/wigwag.db"))

    def observe(operation: str, seconds: float, answered: bool) -> None:
        assert seconds >= 0.0
        told.append((operation, answered))

    database.observe = observe
    async with database.reading() as connection:
        await connection.execute(text("SELECT 1"))
    async with database.writing() as connection:
        await connection.execute(text("CREATE TABLE x (y)"))
    with pytest.raises(StoreUnavailable):
        async with database.writing() as connection:
            await connection.execute(text("INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(ZeroDivisionError):  # a fault of the caller is none of the database
        async with database.reading():
            _ = 1 / 0
    await database.close()
    assert told == [("read", True), ("write", True), ("write", False), ("read", True)]


async def test_a_sqlite_file_is_private_quick_and_durable(tmp_path: Path) -> None:
    path = tmp_path / "new" / "wigwag.db"
    database = Database(parse(f"sqlite:///{path}"))
    async with database.reading() as connection:
        settings = [
            (await connection.execute(text(f"PRAGMA {pragma}"))).scalar_one()
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    await database.close()
    assert settings == ["wal", 2, 1, 4800]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="check the folder"):
        Database(parse(f"sqlite:///{tmp_path}/file/wigwag.db"))


async def test_a_file_that_is_no_database_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("dear diary\n" * 1000)
    database = Database(parse(f"sqlite:///{tmp_path}/notes.txt"))
    with pytest.raises(StoreUnavailable, match=r"notes\.txt does not answer \(DatabaseError\)"):
        async with database.reading() as connection:
            await connection.execute(text("SELECT 1"))
    await database.close()


async def test_whoever_is_erased_is_not_in_the_file_any_more(tmp_path: Path) -> None:
    path, jid = tmp_path / "wigwag.db", Jid("15550100042@s.whatsapp.net")
    stores = await open_stores(f"sqlite:///{path}")
    presences = [Presence(jid=Jid(f"1555020{n:04d}@s.whatsapp.net"), name="x", account="default") for n in range(500)]
    whole = [*presences, Presence(jid=jid, name="Wanda Unmistakable", account="default")]
    await stores.presence.save(Batch(presences=whole, intervals=[], alive_at=1.0))
    await stores.presence.erase(jid)
    await stores.close()
    left = _bytes_in(tmp_path)
    assert b"15550200001" in left
    assert b"15550100042" not in left
    assert b"Unmistakable" not in left


def _bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())

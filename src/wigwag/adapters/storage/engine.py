# SPDX-License-Identifier: Apache-2.0
"""The way to the database: addresses, connections, transactions, and how long we wait for each.

Every error of a driver ends here and becomes StoreUnavailable. A database may be locked or away for a minute: callers
hear of it within seconds, and the first call after its return works again. No table is named here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, TypeVar

from asyncpg import InterfaceError, PostgresError
from sqlalchemy import (
    URL,
    BindParameter,
    ColumnElement,
    Connection,
    Executable,
    Table,
    bindparam,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from wigwag.adapters.storage.dialects import delete_some, upsert
from wigwag.adapters.storage.trips import Trips
from wigwag.domain.errors import InvalidSettings, StoreUnavailable

T = TypeVar("T")
PATIENCE = 8.0  # seconds for one call, all included
SHARE = 0.6  # of that for one connection, lock or statement, so that the database says itself what is wrong
SLICE = 500  # rows per statement: what is prepared without letting other tasks run
FORGET_AT_ONCE = 5000  # rows deleted in one transaction, so that other writers never wait long

SOME: BindParameter[Any] = bindparam("some", expanding=True)  # the values of `chosen`

# TimeoutError is an OSError; text that has no UTF-8 never reaches some drivers.
ERRORS = (SQLAlchemyError, PostgresError, InterfaceError, OSError, UnicodeEncodeError)
SQLITE, POSTGRES, MARIADB = "sqlite+aiosqlite", "postgresql+asyncpg", "mysql+asyncmy"
DRIVERS = {"sqlite": SQLITE, "postgres": POSTGRES, "postgresql": POSTGRES, "mysql": MARIADB, "mariadb": MARIADB}


Operation = Literal["read", "write"]
Observe = Callable[[Operation, float, bool], None]
"""Told of each read or write: seconds, and whether the database answered as it should."""


class Database:
    """An open database. One task writes at a time, so that our own writers never wait for each other's locks.

    Args:
        url: from `parse`.
        patience: seconds after which a call gives up.
        read_only: it is somebody else's, and nothing in it may change.

    `observe` is told how long everything takes.
    """

    def __init__(self, url: URL, patience: float = PATIENCE, *, read_only: bool = False) -> None:
        self.url, self.patience = url, patience
        self.engine = _engine(url, patience * SHARE, read_only=read_only)
        self._trips = _trips(url, patience * SHARE, read_only=read_only) if url.drivername == SQLITE else None
        self._writer = asyncio.Lock()
        self.observe: Observe = _nobody

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read from."""
        async with self._wall("read", self.patience), self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self, patience: float | None = None) -> AsyncIterator[AsyncConnection]:
        """A transaction: all of it or nothing."""
        async with self._wall("write", patience or self.patience), self._writer, self.engine.begin() as connection:
            yield connection

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Read in one go: `work` awaits nothing. It is cheaper than `reading`: for what is done with every message."""
        async with self._wall("read", self.patience):
            if self._trips is not None:
                return await self._trips.make(work)
            async with self.engine.connect() as connection:
                return await connection.run_sync(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """A transaction in one go, likewise: all of it or nothing."""
        async with self._wall("write", self.patience), self._writer:
            if self._trips is not None:
                return await self._trips.make(work)
            async with self.engine.begin() as connection:
                return await connection.run_sync(work)

    async def close(self) -> None:
        await self.engine.dispose()
        if self._trips is not None:
            self._trips.close()

    @asynccontextmanager
    async def _wall(self, operation: Operation, patience: float) -> AsyncIterator[None]:
        began, answered = perf_counter(), True
        try:
            async with asyncio.timeout(patience):
                yield
        except ERRORS as error:
            answered = False
            raise StoreUnavailable(
                f"{place(self.url)} does not answer ({_reason(error)}). It is tried again; check that it runs."
            ) from error
        finally:
            self.observe(operation, perf_counter() - began, answered)


def put_rows(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Upsert rows slice by slice, so that thousands neither block the loop nor outgrow a packet."""
    run_for_each(connection, upsert(table, connection.dialect.name), rows)


def run_for_each(connection: Connection, statement: Executable, rows: Iterable[Mapping[str, Any]]) -> None:
    """Execute a statement once for each row of parameters, slice by slice."""
    remaining = iter(rows)
    while chunk := list(islice(remaining, SLICE)):
        connection.execute(statement, chunk)


def chosen(connection: Connection, statement: Executable, values: Collection[Any]) -> list[Any]:
    """The rows for which a column is among many values; the statement calls them SOME. Slice by slice too."""
    remaining = iter(values)
    found: list[Any] = []
    while chunk := list(islice(remaining, SLICE)):
        found += connection.execute(statement, {"some": chunk}).all()
    return found


async def delete_slices(database: Database, table: Table, condition: ColumnElement[bool]) -> int:
    """Delete the rows that meet a condition, each slice in a transaction of its own. Returns how many."""
    statement = delete_some(table, condition, FORGET_AT_ONCE, database.dialect)
    forgotten = 0
    while True:
        async with database.writing() as connection:
            deleted = (await connection.execute(statement)).rowcount
        forgotten += deleted
        if deleted < FORGET_AT_ONCE:
            return forgotten


def parse(address: str) -> URL:
    """A database address as people write it (`sqlite:///wigwag.db`, `postgres://…`) with the driver that we use.

    Raises:
        InvalidSettings: no address of a database that wigwag knows. The address is not repeated: it has a password.
    """
    try:
        url = make_url(address)
        driver = DRIVERS[url.drivername.partition("+")[0]]
    except (ArgumentError, KeyError, ValueError):
        raise InvalidSettings(
            "This is no address of a database: write sqlite:///wigwag.db, postgresql://user:password@host/database "
            "or mysql://user:password@host/database."
        ) from None
    if driver == SQLITE and url.database in (None, "", ":memory:"):
        raise InvalidSettings("A SQLite database needs a file: write sqlite:///wigwag.db.")
    if driver == MARIADB:
        url = url.update_query_dict({"charset": "utf8mb4"})
    return url.set(drivername=driver)


def place(url: URL) -> str:
    """Which database it is, for people: without user, password and options."""
    if url.host is None:
        return f"The database {url.database}"
    port = f":{url.port}" if url.port else ""
    return f"The database {url.database} at {url.host}{port}"


def _nobody(_operation: Operation, _seconds: float, _answered: bool) -> None:
    """Nobody wants to know how long it took."""


def _reason(error: BaseException) -> str:
    """What the driver says. Only operational errors may be quoted: the text of others may repeat a phone number."""
    original = getattr(error, "orig", None) or error
    return str(original) if isinstance(error, OperationalError) else type(original).__name__


def _engine(url: URL, share: float, *, read_only: bool) -> AsyncEngine:
    """Connections that give up after `share` seconds. Errors never repeat parameters: these are phone numbers."""
    arguments: dict[str, Any] = {
        # A writing transaction takes the lock at its first write and not in the middle, where waiting is in vain.
        SQLITE: {"timeout": share, "isolation_level": "IMMEDIATE"},
        POSTGRES: {
            "timeout": share,
            "server_settings": {
                "application_name": "wigwag",
                "statement_timeout": str(int(share * 1000)),
                "plan_cache_mode": "force_custom_plan",  # a plan for an empty table is not kept for a full one
                "default_transaction_read_only": "on" if read_only else "off",
            },
        },
        # Strict: refuse what does not fit, never cut it in silence.
        MARIADB: {
            "connect_timeout": share,
            "init_command": f"SET innodb_lock_wait_timeout={max(1, int(share))}, sql_mode='STRICT_ALL_TABLES'"
            + (", SESSION tx_read_only=ON" if read_only else ""),
        },
    }[url.drivername]
    engine = create_async_engine(
        url,
        connect_args=arguments,
        hide_parameters=True,
        pool_pre_ping=url.drivername != SQLITE,
        pool_recycle=1800,
        pool_timeout=share,
    )
    if url.drivername == SQLITE:
        if not read_only:
            _private_file(Path(str(url.database)))
        event.listen(engine.sync_engine, "connect", _only_read_sqlite if read_only else _prepare_sqlite)
    return engine


def _trips(url: URL, share: float, *, read_only: bool) -> Trips:
    engine = create_engine(
        url.set(drivername="sqlite"),
        connect_args={"timeout": share, "isolation_level": "IMMEDIATE"},
        hide_parameters=True,
        pool_timeout=share,
    )
    event.listen(engine, "connect", _only_read_sqlite if read_only else _prepare_sqlite)
    return Trips(engine)


def _private_file(path: Path) -> None:
    """Make the file before SQLite does: only we may read whom we watch."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailable(f"The database {path} cannot be made ({error.strerror}): check the folder.") from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Readers and the writer do not wait for each other (WAL), and what is committed survives a power cut (FULL).

    A large flush touches thousands of pages; they are copied from the log into the file after several, not after each.
    """
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "wal_autocheckpoint=8000",
        "foreign_keys=ON",
        "secure_delete=ON",  # whoever is erased must not be found in the file's free pages
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _only_read_sqlite(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON").close()

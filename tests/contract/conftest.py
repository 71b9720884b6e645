# SPDX-License-Identifier: Apache-2.0
"""The stores under contract: the same tests on memory, SQLite, PostgreSQL and MariaDB, each time empty.

What holds for one of them only is tested beside its room.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from wigwag.adapters.memory.access import MemoryAuditStore, MemoryKeyStore
from wigwag.adapters.memory.accounts import MemoryAccountStore
from wigwag.adapters.memory.eraser import MemoryEraser
from wigwag.adapters.memory.events import MemoryEventLog
from wigwag.adapters.memory.jobs import MemoryJobArchive
from wigwag.adapters.memory.ledger import MemoryLedger
from wigwag.adapters.memory.messages import MemoryMessageStore
from wigwag.adapters.memory.presence import MemoryPresenceStore
from wigwag.adapters.memory.templates import MemoryTemplateStore
from wigwag.adapters.memory.users import MemoryLastSeenStore, MemoryUserStore
from wigwag.adapters.memory.watches import MemoryWatchStore
from wigwag.adapters.storage.last_seen import SqlLastSeenStore
from wigwag.adapters.storage.stores import Stores, open_stores
from wigwag.adapters.storage.users import SqlUserStore
from wigwag.app.ports import (
    AccountStore,
    AuditStore,
    Eraser,
    EventLog,
    GrantStore,
    JobArchive,
    KeyStore,
    LastSeenStore,
    Ledger,
    MessageStore,
    PresenceStore,
    TemplateStore,
    WatchStore,
)


@dataclass(frozen=True, kw_only=True)
class InMemory:
    """The memory stores, beside `Stores` of the SQL room."""

    presence: PresenceStore
    watches: WatchStore
    accounts: AccountStore
    ledger: Ledger
    jobs: JobArchive
    messages: MessageStore
    events: EventLog
    templates: TemplateStore
    eraser: Eraser
    users: MemoryUserStore
    last_seen: LastSeenStore
    grants: GrantStore
    keys: KeyStore
    audit: AuditStore


def in_memory() -> InMemory:
    """Empty memory stores that share what they must."""
    watches, log = MemoryWatchStore(), MemoryEventLog()
    ledger, messages = MemoryLedger(log), MemoryMessageStore(log)
    jobs, users = MemoryJobArchive(ledger), MemoryUserStore()
    return InMemory(
        presence=MemoryPresenceStore(watches),
        watches=watches,
        accounts=MemoryAccountStore(),
        ledger=ledger,
        jobs=jobs,
        messages=messages,
        events=log,
        templates=MemoryTemplateStore(),
        eraser=MemoryEraser(ledger, jobs, messages, log),
        users=users,
        last_seen=MemoryLastSeenStore(users),
        grants=users,
        keys=MemoryKeyStore(),
        audit=MemoryAuditStore(),
    )


@pytest.fixture(params=["memory", "sqlite", "postgres", "mariadb"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[InMemory | Stores]:
    """Empty stores of one kind after the other."""
    if request.param == "memory":
        yield in_memory()
        return
    async with _database(request, tmp_path) as address:
        opened = await open_stores(address, patience=30.0)  # a busy machine may be slow; that is not tested here
        yield opened
        await opened.close()


@pytest.fixture
def presence(stores: InMemory | Stores) -> PresenceStore:
    return stores.presence


@pytest.fixture
def watches(stores: InMemory | Stores) -> WatchStore:
    return stores.watches


@pytest.fixture
def accounts(stores: InMemory | Stores) -> AccountStore:
    return stores.accounts


@pytest.fixture
def ledger(stores: InMemory | Stores) -> Ledger:
    return stores.ledger


@pytest.fixture
def archive(stores: InMemory | Stores) -> JobArchive:
    return stores.jobs


@pytest.fixture
def messages(stores: InMemory | Stores) -> MessageStore:
    return stores.messages


@pytest.fixture
def log(stores: InMemory | Stores) -> EventLog:
    return stores.events


@pytest.fixture
def templates(stores: InMemory | Stores) -> TemplateStore:
    return stores.templates


@pytest.fixture
def eraser(stores: InMemory | Stores) -> Eraser:
    return stores.eraser


@pytest.fixture
def users(stores: InMemory | Stores) -> MemoryUserStore | SqlUserStore:
    return stores.users


@pytest.fixture
def grants(stores: InMemory | Stores) -> GrantStore:
    return stores.grants


@pytest.fixture
def last_seen(stores: InMemory | Stores) -> LastSeenStore:
    return stores.last_seen


@pytest.fixture
def keys(stores: InMemory | Stores) -> KeyStore:
    return stores.keys


@pytest.fixture
def audit(stores: InMemory | Stores) -> AuditStore:
    return stores.audit


@pytest.fixture
def next_life(stores: InMemory | Stores) -> Callable[[], LastSeenStore]:
    """What was last seen, as the next start of the gateway finds it."""
    if isinstance(stores, InMemory):
        kept = stores.users
        return lambda: MemoryLastSeenStore(kept)
    database = stores.database
    return lambda: SqlLastSeenStore(database)


@asynccontextmanager
async def _database(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{folder}/wigwag.db"
        return
    server = make_url(request.getfixturevalue(f"{request.param}_url"))
    name = f"wigwag_{uuid4().hex}"
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.set(database=name).render_as_string(hide_password=False)
    async with engine.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name}"))
    await engine.dispose()

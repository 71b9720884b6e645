# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for: an environment without surprises, a fresh empty database on each engine, and promtool.

Fixtures of one room live beside that room's tests.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings
from sqlalchemy import URL, NullPool, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests import servers

OURS = ("WHATSAPP_", "WIGWAG_", "RABBITMQ_", "REDIS_", "APP_", "LOG_", "DB_", "DATABASE_")
for name in [name for name in os.environ if name.startswith(OURS) and not name.startswith("WIGWAG_TEST_")]:
    del os.environ[name]
os.environ.pop("ENV", None)

# No test is judged by its speed. With CI=true, hypothesis chooses the same examples each time by itself.
settings.register_profile("wigwag", parent=settings(), deadline=None, print_blob=True)
settings.load_profile("wigwag")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of this run's own."""
    with servers.running(servers.POSTGRES) as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """A MariaDB server of this run's own."""
    with servers.running(servers.MARIADB) as url:
        yield url


@pytest.fixture(scope="session")
def promtool() -> str:
    """The path of Prometheus's own checker."""
    return servers.find("promtool") or servers.unavailable("promtool not found. Run `make servers`.")


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A fresh, empty database on each engine in turn, as an SQLAlchemy async URL."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/wigwag.db"
        return
    server = make_url(request.getfixturevalue(f"{request.param}_url"))
    database = f"wigwag_{uuid4().hex}"
    await _execute(server, f"CREATE DATABASE {database}")
    yield server.set(database=database).render_as_string(hide_password=False)
    force = " WITH (FORCE)" if request.param == "postgres" else ""
    await _execute(server, f"DROP DATABASE {database}{force}")


async def _execute(server: URL, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()

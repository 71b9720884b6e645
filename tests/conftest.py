# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for: an environment without surprises, servers, and foreign programs.

Fixtures of one room live beside that room's tests.
"""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings
from sqlalchemy import URL, NullPool, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests import servers
from tests.guard import pytest_runtest_makereport, pytest_runtest_setup

__all__ = ["pytest_runtest_makereport", "pytest_runtest_setup"]  # hooks

OURS = ("WHATSAPP_", "WIGWAG_", "RABBITMQ_", "REDIS_", "APP_", "LOG_", "DB_", "DATABASE_", "OTEL_")
for name in [name for name in os.environ if name.startswith(OURS) and not name.startswith("WIGWAG_TEST_")]:
    del os.environ[name]
os.environ.pop("ENV", None)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell does that to what it starts in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # and programs that tests interrupt would inherit it

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
def rabbitmq() -> Iterator[str]:
    """The URL of a RabbitMQ server of this run's own. All share its vhost: name queues and exchanges apart."""
    with servers.running(servers.RABBITMQ) as url:
        yield url


@pytest.fixture
def breakable_rabbitmq() -> Iterator[servers.Instance]:
    """A RabbitMQ server of this test's own, to kill and to launch again; each start takes some seconds.

    A quorum queue that is younger than a second may never find its leader again after a kill: RabbitMQ writes the
    names of such queues down with a delay. Stop and launch the server once between declaring the queue and killing.
    """
    with servers.private(servers.RABBITMQ) as instance:
        yield instance


@pytest.fixture(scope="session")
def redis() -> Iterator[str]:
    """The URL of a Redis server of this run's own. All share its database: name keys apart."""
    with servers.running(servers.REDIS) as url:
        yield url


@pytest.fixture(scope="session")
def amqp_publish() -> str:
    """The path of a publisher that is not ours; `--url` takes what `rabbitmq` gives."""
    return servers.find("amqp-publish") or servers.unavailable("amqp-publish not found. Run `make servers`.")


@pytest.fixture(scope="session")
def promtool() -> str:
    """The path of Prometheus's own checker."""
    return servers.find("promtool") or servers.unavailable("promtool not found. Run `make servers`.")


@pytest.fixture(scope="session")
def amtool() -> str:
    """The path of Alertmanager's own checker."""
    return servers.find("amtool") or servers.unavailable("amtool not found. Run `make servers`.")


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

# SPDX-License-Identifier: Apache-2.0
"""Everything that /openapi.json promises, tried with what it allows and with what it forbids.

A gateway over fakes answers on a port of this machine, from memory or from SQLite. `bench/openapi.py` tries for longer.
"""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from schemathesis.core.failures import FailureGroup

from tests.rest.conftest import World
from wigwag.adapters.rest import build_app
from wigwag.adapters.storage.stores import open_stores
from wigwag.app.access import Rules
from wigwag.domain.access import Caller, Means, Scope, digest
from wigwag.testing import FakeClock, MemoryStores, Trial, build_trial, running

KEY, TOKEN = "k" * 40, "m" * 40
RULES = Rules(
    fixed={
        digest(KEY): Caller(id="env", name="env", scopes=frozenset({Scope.ADMIN}), means=Means.KEY),
        digest(TOKEN): Caller(id="scraper", name="scraper", scopes=frozenset({Scope.METRICS}), means=Means.KEY),
    }
)
# Whoever shows nothing is tried by itself, and wrong keys are limited. What a number or a name is no schema says whole.
LEFT_OUT = [checks.ignored_auth, checks.positive_data_acceptance]
ENDLESS = {"follow_events"}  # `test_events` has it
NO_HTTP = "Invalid HTTP request received."  # so says the server of what never reaches us
PATIENCE = 30.0  # seconds, as a safety net


@contextmanager
def served(database: str | None = None) -> Iterator[str]:
    """The address of a gateway, on memory unless a database is given."""
    ready: Future[tuple[str, uvicorn.Server]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(database, ready)), name="fuzzed")
    thread.start()
    url, server = ready.result(PATIENCE)
    yield url
    server.should_exit = True
    thread.join(PATIENCE)


async def _serve(database: str | None, ready: "Future[tuple[str, uvicorn.Server]]") -> None:
    try:
        async with _stores(database) as stores, running(_trial(stores)) as trial:
            await trial.connect()
            world = World()
            app = build_app(
                trial.core.gateway,
                access=trial.core.access,
                clock=trial.clock,
                exposition=world.exposition,
                observe=world.observe,
                ready=world.ready,
                version="1",
            )
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
            listening = socket.create_server(("127.0.0.1", 0))
            ready.set_result((f"http://127.0.0.1:{listening.getsockname()[1]}", server))
            await server.serve([listening])
    except BaseException as error:
        if not ready.done():
            ready.set_exception(error)
        raise


def _trial(stores: MemoryStores) -> Trial:
    return build_trial(clock=FakeClock(time.time()), stores=stores, rules=RULES)


@asynccontextmanager
async def _stores(database: str | None) -> AsyncIterator[MemoryStores]:
    """Stores in memory, or those of a database in their places; users and webhooks stay in memory."""
    stores = MemoryStores()
    if database is None:
        yield stores
        return
    opened = await open_stores(database, patience=PATIENCE)
    pairs: dict[str, Any] = {
        "watches": opened.watches,
        "presence": opened.presence,
        "accounts": opened.accounts,
        "events": opened.events,
        "ledger": opened.ledger,
        "archive": opened.jobs,
        "messages": opened.messages,
        "templates": opened.templates,
        "eraser": opened.eraser,
        "keys": opened.keys,
        "audit": opened.audit,
    }
    for name, store in pairs.items():
        setattr(stores, name, store)
    yield stores
    await opened.close()


@dataclass(slots=True)
class Found:
    """What was wrong, how often was asked, and what was answered."""

    wrong: list[str] = field(default_factory=list)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)


def examine(url: str, *, examples: int, key: str = KEY, derandomize: bool = True) -> Found:
    """Try every operation: `examples` that the description allows, and as many that it forbids.

    Without a key, only what is answered is noted.
    """
    found, schema = Found(), schemathesis.openapi.from_url(f"{url}/openapi.json")
    rounds = settings(
        max_examples=examples,
        derandomize=derandomize,
        database=None,
        deadline=None,
        print_blob=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with requests.Session() as session:
        session.headers.update({"Authorization": f"Bearer {key}"} if key else {})
        for each in schema.get_all_operations():
            operation: Any = each.ok()  # type: ignore[union-attr]  # a description that cannot be read raises
            name = operation.definition.raw["operationId"]
            for mode in GenerationMode if name not in ENDLESS else ():
                _try(name, operation.as_strategy(generation_mode=mode), rounds, session, found, judge=bool(key))
    return found


def _try(name: str, cases: Any, rounds: settings, session: requests.Session, found: Found, *, judge: bool) -> None:
    @rounds
    @given(case=cases)
    def ask(case: Any) -> None:
        answer = case.call(session=session, timeout=PATIENCE)
        if answer.text == NO_HTTP:
            return
        found.statuses[name, answer.status_code] += 1
        if judge:
            case.validate_response(answer, excluded_checks=LEFT_OUT)

    try:
        ask()
    except Unsatisfiable:  # without a parameter there is nothing to do wrong
        return
    except FailureGroup as group:
        found.wrong += [f"{name}: {failure}" for failure in group.exceptions]
    except Exception as error:  # noqa: BLE001  whatever it is, it is told with the others
        found.wrong.append(f"{name}: {type(error).__name__}: {error}")

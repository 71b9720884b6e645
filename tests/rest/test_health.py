# SPDX-License-Identifier: Apache-2.0
"""Probes: /livez asks nobody, /readyz asks every part, /healthz fails for the broker alone. /metrics is passed on."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest

from tests.rest.conftest import World, speaking_to
from wigwag.adapters.rest import Check
from wigwag.adapters.rest import health as room
from wigwag.adapters.rest.health import Health
from wigwag.app.access import Rules
from wigwag.domain.access import Caller, Means, Scope, digest
from wigwag.testing import FakeClock, Trial, build_trial

STORAGE_DOWN = Check(part="storage", ok=False, detail="The database does not answer.")
BROKER_DOWN = Check(part="broker", ok=False, detail="refused")
LINK_UP = Check(part="link default", ok=True)


@pytest.mark.parametrize(
    ("checks", "ready", "healthy"),
    [
        ([], 200, 200),
        ([LINK_UP], 200, 200),
        ([LINK_UP, STORAGE_DOWN], 503, 200),
        ([LINK_UP, BROKER_DOWN], 503, 503),
    ],
)
async def test_probes_fail_for_what_they_are_asked(
    client: httpx.AsyncClient, world: World, checks: list[Check], ready: int, healthy: int
) -> None:
    world.checks = checks
    statuses = [(await client.get(path)).status_code for path in ("/livez", "/readyz", "/healthz")]
    assert statuses == [200, ready, healthy]


async def test_the_answer_says_which_part_fails(client: httpx.AsyncClient, world: World) -> None:
    world.checks = [LINK_UP, STORAGE_DOWN]
    assert (await client.get("/readyz")).json() == {
        "status": "failing",
        "checks": {
            "link default": {"ok": True, "detail": ""},
            "storage": {"ok": False, "detail": "The database does not answer."},
        },
    }


async def test_healthz_remembers_for_five_seconds_and_readyz_does_not(
    client: httpx.AsyncClient, world: World, trial: Trial
) -> None:
    for asked, (path, later) in enumerate([("/healthz", 0), ("/readyz", 0), ("/healthz", 5), ("/readyz", 0)], start=1):
        await trial.clock.advance(later)
        await client.get(path)
        assert world.asked == asked
        await trial.clock.advance(4.9)
        await client.get("/healthz")
        assert world.asked == asked
        await trial.clock.advance(0.1)


async def test_parts_that_do_not_answer_are_not_waited_for() -> None:
    async def never() -> Sequence[Check]:
        await asyncio.Event().wait()
        return []

    (check,) = await Health(never, FakeClock(), patience=0.0).now()
    assert not check.ok
    assert room.PATIENCE == 2.0


async def test_metrics_come_in_the_format_that_is_asked_for(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text == "# accept: application/openmetrics-text"


@pytest.mark.parametrize(
    ("sent", "status"),
    [("Bearer s3cr\u00e9t", 200), ("Bearer s3cret", 401), ("Basic s3cr\u00e9t", 401), ("", 401)],
)
async def test_metrics_may_need_a_token(world: World, sent: str, status: int) -> None:
    scraper = Caller(id="scraper", name="scraper", scopes=frozenset({Scope.METRICS}), means=Means.KEY)
    trial = build_trial(rules=Rules(fixed={digest("s3cr\u00e9t"): scraper}, open_here=True))
    async with speaking_to(trial.core.gateway, trial.clock, world, trial.core.access) as client:
        answer = await client.get("/metrics", headers={b"authorization": sent.encode()})
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"] == 'Bearer realm="wigwag"'
        assert answer.json()["code"] == "unauthenticated"


async def test_livez_tells_the_version(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).json() == {"status": "ok", "version": "1.2.3"}

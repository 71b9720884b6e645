# SPDX-License-Identifier: Apache-2.0
"""What the console reads beyond the seeds: the system, timelines, why one is tracked, and the demo's simulator."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from tests.desk import job
from tests.rest.conftest import ANNA, BERT, World, app_of
from wigwag.adapters.rest import Check, Finding, Stream
from wigwag.domain.delivery import State
from wigwag.domain.events import DeliveryTried, JobChanged, PresenceReported
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, Signal, Status
from wigwag.testing import START, Trial

GROUP = Jid("120363400902171371@g.us")


async def observe(trial: Trial) -> None:
    """Anna is observed for ten minutes, and online for the last five."""
    await trial.connect()
    await trial.core.gateway.track([(ANNA, "Anna")])
    await trial.clock.advance(60)
    for signal in (Signal.UNAVAILABLE, Signal.AVAILABLE):
        trial.whatsapp.tell(PresenceReported(account="default", jid=Jid(ANNA), signal=signal, at=trial.clock.now()))
        await trial.clock.advance(300)


async def test_timelines_of_many_come_together(client: httpx.AsyncClient, trial: Trial) -> None:
    await observe(trial)
    now = round(trial.clock.now())
    answer = (await client.get("/api/presence/timelines", params={"jid": [ANNA, "+91 91234 56789"]})).json()
    assert answer == {
        "from": now - 86_400,
        "to": now,
        "timelines": [
            {"jid": ANNA, "online": [[now - 300, None]], "observed": [[round(START), None]]},
            {"jid": BERT, "online": [], "observed": []},
        ],
    }
    empty = (await client.get("/api/presence/timelines", params={"jid": ANNA, "hours": 0.05})).json()
    assert empty["timelines"][0]["online"] == [[now - 300, None]]  # whole, not cut


@pytest.mark.parametrize("query", ["", "jid=nobody", f"jid={ANNA}&hours=0", f"jid={ANNA}&hours=999", "jid=1&" * 201])
async def test_timelines_that_cannot_be_are_refused(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/api/presence/timelines?{query}")).status_code == 422


async def test_a_subscription_says_who_asked_for_it(client: httpx.AsyncClient, trial: Trial) -> None:
    await trial.connect()
    trial.whatsapp.rooms[GROUP] = {Jid(ANNA): "Anna", Jid(BERT): "Bert"}
    await trial.core.gateway.track([(ANNA, "Anna")])
    await trial.core.gateway.track_group(GROUP)
    found = [(await client.get(f"/api/subscriptions/{jid}")).json() for jid in (ANNA, BERT)]
    assert [(each["by_name"], each["groups"]) for each in found] == [(True, [GROUP]), (False, [GROUP])]
    assert (await client.get(f"/api/subscriptions/groups/{GROUP}")).json() == sorted([ANNA, BERT])


@pytest.mark.parametrize("path", [f"/api/subscriptions/{ANNA}", f"/api/subscriptions/groups/{GROUP}"])
async def test_of_what_is_not_tracked_there_is_nothing_to_say(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_the_system_says_how_its_parts_are_and_what_went_on(trial: Trial, world: World) -> None:
    stream = Stream(trial.core.gateway, trial.clock)
    app = app_of(world, trial.core.gateway, trial.clock, stream=stream)
    began = trial.clock.now()
    running = asyncio.create_task(stream.run())
    await trial.clock.settle()
    trial.core.book.put(Presence(jid=Jid(ANNA), name="Anna", account="default", status=Status.ONLINE))
    sent = replace(job(), state=State.SENT, created=began - 3.0, due=began - 2.0, since=began)
    stream.sink(JobChanged(before=None, after=sent, at=began))
    stream.sink(
        DeliveryTried(
            endpoint="e",
            event="x",
            host="h",
            kind="k",
            outcome="delivered",
            attempts=1,
            status=200,
            code="",
            seconds=0.5,
            at=began,
        )
    )
    stream.figures.observe_request("/api/presence", 0.25)
    stream.figures.observe_request("/api/events", 9000.0)
    await trial.clock.advance(2.0)
    world.checks = [Check(part="storage", ok=False, detail="away")]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        answer = (await client.get("/api/system")).json()
    running.cancel()
    assert answer["version"] == "1.2.3"
    assert answer["simulator"] is False
    assert answer["parts"] == [{"part": "storage", "ok": False, "detail": "away"}]
    first, second = answer["samples"]
    assert first["contacts"] == {"online": 1, "offline": 0, "unknown": 0}
    assert (first["messages_sent"], first["send_seconds"]) == (1, 2.0)
    assert (first["webhook_attempts"], first["webhook_seconds"]) == (1, 0.5)
    assert (first["requests"], first["request_seconds"]) == (1, 0.25)
    assert (second["messages_sent"], second["send_seconds"]) == (0, None)


async def test_what_doctor_finds_is_looked_at_once_a_minute_for_all(trial: Trial, world: World) -> None:
    looks = 0

    async def look() -> list[Finding]:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return [Finding(part="disk", verdict="notice", found=f"look {looks}", advice="Enlarge it.")]

    app = app_of(world, trial.core.gateway, trial.clock, look=look)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        for seconds, expected in ((0.0, 1), (59.0, 1), (2.0, 2)):
            await trial.clock.advance(seconds)
            answers = await asyncio.gather(*(client.get("/api/system/findings") for _ in range(3)))
            wanted = [{"part": "disk", "verdict": "notice", "found": f"look {expected}", "advice": "Enlarge it."}]
            assert [answer.json() for answer in answers] == [wanted] * 3


async def test_the_simulator_is_lent_in_the_demo_alone(trial: Trial, world: World) -> None:
    asked: list[tuple[str, str, bytes]] = []

    async def pass_on(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        asked.append((method, path, body))
        return 409, b'{"error":"no"}'

    for simulator in (None, pass_on):
        app = app_of(world, trial.core.gateway, trial.clock, simulator=simulator)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            answer = await client.post("/sim/faults?a=1", content=b'{"kind":"cut"}')
            foreign = await client.post("/sim/faults", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == (404 if simulator is None else 409)
        assert foreign.status_code == 403
    assert asked == [("POST", "/sim/faults?a=1", b'{"kind":"cut"}')]

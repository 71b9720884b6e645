# SPDX-License-Identifier: Apache-2.0
"""How callers say who they are: browsers with cookies, this machine with nothing, scrapers with a token."""

import re
from base64 import b64encode

import pytest

from tests.rest.conftest import World, outside
from tests.rest.house import FIXED, OURS, House
from wigwag.adapters.rest import Check
from wigwag.app.access import Rules
from wigwag.domain.access import Caller, Means, Scope, digest, key_id
from wigwag.testing import build_trial, running

# --- browsers


async def test_a_browser_signs_in_and_out(house: House) -> None:
    key = house.keys["read"]
    answer = await house.client.post("/api/session", json={"key": f" {key} "})
    assert answer.status_code == 201
    assert answer.json() == {
        "id": key_id(key),
        "name": "read",
        "scopes": ["read", "metrics"],
        "means": "session",
        "expires_at": "2027-01-15T20:00:02Z",
    }
    assert re.fullmatch(
        r"wigwag=[\w-]{43}; HttpOnly; Max-Age=43200; Path=/; SameSite=strict", answer.headers["set-cookie"]
    )
    assert (await house.client.get("/api/session")).json() == answer.json()
    assert (await house.client.get("/api/presence")).status_code == 200
    cookie = house.client.cookies["wigwag"]
    gone = await house.client.delete("/api/session", headers=OURS)
    assert (gone.status_code, "wigwag" in house.client.cookies) == (204, False)
    again = await house.client.get("/api/session", headers={"cookie": f"wigwag={cookie}"})
    assert (again.status_code, again.json()["code"]) == (401, "unauthenticated")


async def test_a_cookie_over_tls_is_for_this_host_alone(house: House, world: World) -> None:
    async with outside(house.trial, world, url="https://gateway.example") as browser:
        answer = await browser.post("/api/session", json={"key": house.keys["read"]})
        assert answer.headers["set-cookie"].startswith("__Host-wigwag=")
        assert "; Secure" in answer.headers["set-cookie"]
        assert (await browser.get("/api/session")).status_code == 200
        plain = {"cookie": f"wigwag={browser.cookies['__Host-wigwag']}"}
        browser.cookies.clear()
        assert (await browser.get("/api/session", headers=plain)).status_code == 401


@pytest.mark.parametrize("who", ["false", "nearly", "expired", "revoked"])
async def test_a_key_that_does_not_count_signs_nobody_in(who: str, house: House) -> None:
    answer = await house.client.post("/api/session", json={"key": house.keys[who]})
    assert (answer.status_code, answer.json()["code"], "set-cookie" in answer.headers) == (
        401,
        "unauthenticated",
        False,
    )


async def test_a_sign_in_ends_with_its_time_and_with_its_key(house: House) -> None:
    assert (await house.ask("GET", "/api/session", "cookie")).status_code == 200
    await house.trial.clock.advance(12 * 3600)
    assert (await house.ask("GET", "/api/session", "cookie")).status_code == 401
    await house.client.post("/api/session", json={"key": house.keys["read"]})
    await house.ask("DELETE", f"/api/keys/{key_id(house.keys['read'])}", "fixed", cookie="")
    assert (await house.client.get("/api/session")).status_code == 401


@pytest.mark.parametrize(("mode", "challenge"), [
    ({}, 'Bearer realm="wigwag", Basic realm="wigwag"'),
    ({"sec-fetch-mode": "navigate"}, 'Bearer realm="wigwag", Basic realm="wigwag"'),
    ({"sec-fetch-mode": "cors"}, 'Bearer realm="wigwag"'),
])  # fmt: skip
async def test_a_page_asks_for_the_key_itself(mode: dict[str, str], challenge: str, house: House) -> None:
    """A browser's own window for passwords comes only where there is no page."""
    answer = await house.ask("GET", "/api/presence", **mode)
    assert (answer.headers["www-authenticate"], answer.json()["code"]) == (challenge, "unauthenticated")


# --- this machine


LOCAL = {"url": "http://localhost:8080", "peer": "127.0.0.1"}


@pytest.mark.parametrize(
    ("where", "status"),
    [
        ({}, 200),
        ({"url": "http://127.0.0.1:8080"}, 200),
        ({"url": "http://[::1]:8080", "peer": "::1"}, 200),
        ({"peer": "192.0.2.7"}, 401),
        ({"url": "http://rebound.example"}, 401),  # a name of somebody else's that leads here
        ({"url": "http://localhost.example"}, 401),
    ],
)
async def test_without_any_key_this_machine_alone_may_do_everything(
    where: dict[str, str], status: int, world: World
) -> None:
    async with running(build_trial()) as trial, outside(trial, world, **LOCAL | where) as client:
        assert (await client.get("/api/keys")).status_code == status
        assert (await client.get("/metrics")).status_code == status


async def test_the_first_key_closes_this_machine_for_ever(world: World) -> None:
    async with running(build_trial()) as trial, outside(trial, world, **LOCAL) as client:
        assert (await client.get("/api/session")).json()["means"] == "open"
        made = (await client.post("/api/keys", json={"name": "one", "scopes": ["admin"]})).json()
        assert (await client.get("/api/keys")).status_code == 401
        assert (await client.get("/metrics")).status_code == 200
        client.headers["x-api-key"] = made["key"]
        assert (await client.delete(f"/api/keys/{made['id']}")).status_code == 204
        assert (await client.get("/api/keys")).status_code == 401
        del client.headers["x-api-key"]
        assert (await client.get("/api/keys")).status_code == 401


async def test_a_key_for_scrapes_is_wanted_of_this_machine_too(world: World) -> None:
    scraper = Caller(id="scraper", name="scraper", scopes=frozenset({Scope.METRICS}), means=Means.KEY)
    trial = build_trial(rules=Rules(fixed={digest(FIXED): scraper}, open_here=True))
    async with running(trial), outside(trial, world, **LOCAL) as client:
        assert (await client.get("/api/presence")).status_code == 200  # it closes nothing else
        assert (await client.get("/metrics")).status_code == 401
        shown = {"authorization": f"Bearer {FIXED}"}
        assert (await client.get("/metrics", headers=shown)).status_code == 200
        assert (await client.get("/api/presence", headers=shown)).status_code == 403
    async with running(trial), outside(trial, world) as client:
        assert (await client.get("/metrics")).status_code == 401


async def test_only_whoever_shows_a_key_hears_why_a_part_fails(house: House, world: World) -> None:
    world.checks = [Check(part="storage", ok=False, detail="No route to 10.1.2.3.")]
    for path in ("/readyz", "/healthz"):
        assert (await house.ask("GET", path)).json()["checks"] == {"storage": {"ok": False}}
        whole = {"storage": {"ok": False, "detail": "No route to 10.1.2.3."}}
        assert (await house.ask("GET", path, "metrics")).json()["checks"] == whole
        assert (await house.ask("GET", path, "cookie false")).json()["checks"] == {"storage": {"ok": False}}


@pytest.mark.parametrize(
    "shown",
    [
        {"authorization": "Digest username=anna"},
        {"authorization": "Bearer"},
        {"authorization": "Basic %%%"},
        {"authorization": "Basic " + b64encode(b"\xff").decode()},
        {"x-api-key": "k" * 5000},
        {"x-api-key": "wk_" + "a" * 12 + "_" + "b" * 43},
        {"cookie": "wigwag"},
        {"cookie": "wigwag=; wigwag=" + "x" * 20000},
    ],
)
async def test_odd_credentials_are_turned_away(shown: dict[str, str], house: House) -> None:
    answer = await house.ask("GET", "/api/presence", **shown)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["content-type"] == "application/problem+json"

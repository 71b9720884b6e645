# SPDX-License-Identifier: Apache-2.0
"""Keys are made, limited and revoked; what they did is noted; and which other sites may use them."""

from base64 import b64encode
from typing import Any

import pytest

from tests.rest.conftest import World, outside
from tests.rest.house import THEIRS, House
from wigwag.app.access.desk import GUESSES
from wigwag.domain.access import CallerActed, Scope, key_id

# --- limits


async def test_a_key_is_told_how_much_is_left_and_when_to_come_again(house: House) -> None:
    made = await house.trial.core.access.keyring.create("slow", {Scope.READ}, per_minute=3)
    shown = {"x-api-key": made.secret}
    left = []
    for _ in range(3):
        answer = await house.ask("GET", "/api/presence/stats", **shown)
        assert answer.headers["ratelimit-policy"] == '"key";q=3;w=60'
        left.append(answer.headers["ratelimit"])
    assert left == ['"key";r=2;t=20', '"key";r=1;t=40', '"key";r=0;t=60']
    refused = await house.ask("GET", "/api/presence/stats", **shown)
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (429, "rate_limited", "20")
    assert refused.headers["ratelimit"] == '"key";r=0;t=20'
    assert (await house.ask("GET", "/api/presence/stats", "read")).status_code == 200
    await house.trial.clock.advance(20)
    assert (await house.ask("GET", "/api/presence/stats", **shown)).status_code == 200
    assert house.refusals() == ["rate"]


async def test_whoever_guesses_passwords_is_not_listened_to(house: House) -> None:
    wrong = {"authorization": "Basic " + b64encode(b"anna:wrong").decode()}
    statuses = [(await house.ask("GET", "/api/presence", **wrong)).status_code for _ in range(GUESSES.limit + 2)]
    assert statuses == [401] * GUESSES.limit + [429] * 2
    right = await house.ask("GET", "/api/presence", "basic")
    assert (right.status_code, right.headers["retry-after"]) == (429, "6")
    assert (await house.ask("GET", "/api/presence", "read")).status_code == 200  # keys cannot be guessed
    await house.trial.clock.advance(6)
    assert (await house.ask("GET", "/api/presence", "basic")).status_code == 200


async def test_other_addresses_go_on_while_one_guesses(house: House, world: World) -> None:
    for _ in range(GUESSES.limit + 1):
        await house.ask("GET", "/api/presence", "false")
    async with outside(house.trial, world, peer="192.0.2.8") as other:
        assert (await other.get("/api/presence", headers=house.shown("basic"))).status_code == 200


# --- other sites


async def test_pages_of_named_sites_may_ask_with_a_key(house: House, world: World) -> None:
    site = "https://app.example.org"
    async with outside(house.trial, world, origins=[site]) as client:
        asks = {"origin": site, "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
        before = await client.options("/api/accounts", headers=asks)
        assert (before.status_code, before.headers["access-control-allow-origin"]) == (200, site)
        assert "access-control-allow-credentials" not in before.headers
        shown = {"origin": site, "sec-fetch-site": "cross-site"}
        answer = await client.post("/api/accounts", json={"name": "sales"}, headers=house.shown("admin") | shown)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (201, site)
        refused = await client.post("/api/accounts", json={"name": "x"}, headers=shown)
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, site)
        by_cookie = await client.post("/api/accounts", json={"name": "x"}, headers=house.shown("cookie") | shown)
        assert by_cookie.status_code == 403
        other = await client.get("/api/accounts", headers=house.shown("admin") | {"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


async def test_no_other_site_is_told_anything_unless_named(house: House) -> None:
    answer = await house.ask("OPTIONS", "/api/accounts", **THEIRS | {"access-control-request-method": "POST"})
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (401, False)


# --- keys and what was done


async def test_keys_are_made_shown_once_and_revoked(house: House) -> None:
    wish = {"name": "front desk", "scopes": ["send", "read"], "per_minute": 60, "expires_at": "2027-02-01T00:00:00Z"}
    made = await house.client.post("/api/keys", json=wish, headers=house.shown("admin"))
    shown = made.json()
    assert made.status_code == 201
    secret = shown.pop("key")
    assert shown == {
        **wish,
        "id": key_id(secret),
        "scopes": ["read", "send"],
        "created_at": "2027-01-15T08:00:02Z",
        "revoked_at": None,
        "used_at": None,
    }
    assert (await house.ask("GET", "/api/presence", **{"x-api-key": secret})).status_code == 200
    used = (await house.ask("GET", f"/api/keys/{shown['id']}", "admin")).json()
    assert used == shown | {"used_at": "2027-01-15T08:00:02Z"}
    listed = await house.ask("GET", "/api/keys", "admin")
    assert used in listed.json()
    assert secret not in listed.text
    assert (await house.ask("DELETE", f"/api/keys/{shown['id']}", "admin")).status_code == 204
    assert (await house.ask("GET", "/api/presence", **{"x-api-key": secret})).status_code == 401
    assert (await house.ask("DELETE", "/api/keys/nosuch", "admin")).status_code == 404


@pytest.mark.parametrize("wish", [
    {}, {"name": "x"}, {"name": "x", "scopes": []}, {"name": "x", "scopes": ["everything"]}, {"scopes": ["read"]},
    {"name": " ", "scopes": ["read"]}, {"name": "x" * 65, "scopes": ["read"]}, {"name": "a\nb", "scopes": ["read"]},
    {"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"},
    {"name": "x", "scopes": ["read"], "expires_at": "2999-01-01T00:00:00Z"},
    {"name": "x", "scopes": ["read"], "per_minute": -1}, {"name": "x", "scopes": ["read"], "id": "mine"},
])  # fmt: skip
async def test_a_wish_for_a_key_that_makes_no_sense_is_refused(wish: dict[str, Any], house: House) -> None:
    before = len(house.trial.core.access.keyring)
    answer = await house.client.post("/api/keys", json=wish, headers=house.shown("admin"))
    assert answer.status_code == 422
    assert len(house.trial.core.access.keyring) == before


async def test_what_is_changed_is_noted_with_numbers_masked(house: House) -> None:
    await house.ask("GET", "/api/presence", "admin")
    await house.ask("DELETE", "/api/contacts/919876543210", "track")
    await house.ask("DELETE", "/api/keys/nosuch", "read")
    await house.ask("DELETE", "/api/keys/nosuch")
    await house.client.post("/api/session", json={"key": house.keys["read"]})
    page = (await house.ask("GET", "/api/audit?limit=3", "admin", cookie="")).json()
    at = {"at": "2027-01-15T08:00:02Z", "address": "192.0.2.7"}
    read, track = key_id(house.keys["read"]), key_id(house.keys["track"])
    erased = {"action": "erase_contact", "target": "/api/contacts/91…10", "status": 204}
    assert page["entries"] == [
        {"caller": read, "name": "read", "action": "sign_in", "target": "/api/session", "status": 201, **at},
        {"caller": read, "name": "read", "action": "revoke_key", "target": "/api/keys/nosuch", "status": 403, **at},
        {"caller": track, "name": "track", **erased, **at},
    ]
    assert page["next"] is None
    first = (await house.ask("GET", "/api/audit?limit=1", "admin", cookie="")).json()
    rest = (await house.ask("GET", f"/api/audit?before={first['next']}", "admin", cookie="")).json()
    assert first["entries"] + rest["entries"] == page["entries"]
    assert [fact.entry.action for fact in house.trial.facts.of(CallerActed)] == [
        "erase_contact",
        "revoke_key",
        "sign_in",
    ]

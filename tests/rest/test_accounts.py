# SPDX-License-Identifier: Apache-2.0
"""/api/accounts: what an account is, and how it is paired, linked and left alone."""

import json

import httpx
import pytest

from tests.desk import Desk
from tests.rest.conftest import ANNA
from wigwag.domain.account import LinkSignal
from wigwag.domain.delivery import State
from wigwag.domain.errors import Restricted
from wigwag.domain.throttle import COLD_PAUSE
from wigwag.testing import START, Point, Trial, failing

DEFAULT = "/api/accounts/default"


async def test_an_account_says_how_it_stands_and_what_to_do(client: httpx.AsyncClient, trial: Trial) -> None:
    await trial.connect()
    await client.post("/api/subscriptions", json={"jids": [ANNA]})
    trial.whatsapp.tell_link(LinkSignal.BANNED, until=START + 600, detail="code 101")
    await trial.clock.settle()
    assert (await client.get(DEFAULT)).json() == {
        "name": "default",
        "jid": "15550001111@s.whatsapp.net",
        "state": "banned",
        "since": "2027-01-15T08:00:00Z",
        "until": "2027-01-15T08:10:00Z",
        "detail": "code 101",
        "advice": "WhatsApp banned this number for a time. Nothing is tried until then; send less afterwards.",
        "reconnects": 0,
        "appear": True,
        "subscriptions": {"total_subscriptions": 1, "active": 0, "stale": 0, "failed": 0, "queue_length": 1},
        "messages": dict.fromkeys(State, 0),
        "restricted_until": None,
    }


async def test_an_account_says_what_became_of_its_messages(client: httpx.AsyncClient, trial: Trial) -> None:
    await client.post("/api/accounts", json={"name": "sales"})
    for _ in range(3):
        await client.post("/api/messages", json={"to": ANNA, "text": "Hello!", "account": "default"})
    jobs = (await client.get("/api/messages")).json()["messages"]
    await client.post(f"/api/messages/{jobs[0]['id']}/cancel")
    default, sales = (await client.get("/api/accounts")).json()
    assert default["messages"] == dict.fromkeys(State, 0) | {"accepted": 2, "cancelled": 1}
    assert set(sales["messages"].values()) == {0}


async def test_an_account_says_until_when_strangers_wait(client: httpx.AsyncClient, trial: Trial) -> None:
    trial.whatsapp.hooks[Point.SEND] = failing(Restricted())
    await trial.connect()
    await client.post("/api/messages", json={"to": ANNA, "text": "Hello!"})
    await trial.clock.settle()
    assert (await client.get(DEFAULT)).json()["restricted_until"] == "2027-01-16T08:00:00Z"
    await trial.clock.advance(COLD_PAUSE)
    assert (await client.get(DEFAULT)).json()["restricted_until"] is None


async def test_accounts_are_told_while_the_database_is_away(door: httpx.AsyncClient, desk: Desk) -> None:
    """Whoever looks what is wrong must not be told that something is wrong, and no more."""
    desk.away = True
    account = (await door.get(DEFAULT)).json()
    assert (account["state"], account["messages"]) == ("connected", None)


async def test_an_account_is_added_once_and_removed_once(client: httpx.AsyncClient) -> None:
    statuses = [(await client.post("/api/accounts", json={"name": "sales"})).status_code for _ in range(2)]
    assert statuses == [201, 409]
    assert [account["name"] for account in (await client.get("/api/accounts")).json()] == ["default", "sales"]
    assert [(await client.delete("/api/accounts/sales")).status_code for _ in range(2)] == [204, 404]


async def test_an_account_in_use_is_not_removed(client: httpx.AsyncClient) -> None:
    await client.post("/api/subscriptions", json={"jids": [ANNA]})
    assert (await client.delete(DEFAULT)).json()["code"] == "conflict"


@pytest.mark.parametrize("name", ["Sales", "", "a b", "../x", "x" * 33])
async def test_a_bad_name_is_refused(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.post("/api/accounts", json={"name": name})).status_code == 422


async def test_appearing_is_a_choice(client: httpx.AsyncClient) -> None:
    answer = await client.patch(DEFAULT, json={"appear": False})
    assert (answer.status_code, answer.json()["appear"]) == (200, False)
    assert (await client.get(DEFAULT)).json()["appear"] is False


async def test_a_link_is_closed_and_made_by_hand(client: httpx.AsyncClient, trial: Trial) -> None:
    await trial.connect()
    closed = await client.post(f"{DEFAULT}/disconnect")
    assert (closed.status_code, closed.json()["state"]) == (200, "stopped")
    trial.whatsapp.asked.clear()
    assert (await client.post(f"{DEFAULT}/connect")).status_code == 202
    await trial.clock.settle()
    assert ("connect", "default") in trial.whatsapp.asked


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/connect"),
        ("POST", "/disconnect"),
        ("GET", "/qr"),
    ],
)
async def test_an_account_that_is_not_there_is_not_found(client: httpx.AsyncClient, method: str, path: str) -> None:
    assert (await client.request(method, f"/api/accounts/nobody{path}")).json()["code"] == "not_found"


# --- pairing


@pytest.fixture
async def offered(trial: Trial) -> None:
    trial.whatsapp.offer_pairing(qr="2@secret,code==", valid=20.0)
    await trial.clock.settle()


@pytest.mark.usefixtures("offered")
async def test_the_code_is_told_with_its_time_left(client: httpx.AsyncClient, trial: Trial) -> None:
    await trial.clock.advance(5.5)
    answer = await client.get(f"{DEFAULT}/qr")
    assert answer.json() == {"qr": "2@secret,code==", "expires": "2027-01-15T08:00:20Z", "expires_in_seconds": 14.5}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        ("", "*/*", "application/json"),
        ("", "application/json", "application/json"),
        ("", "image/png", "image/png"),
        ("", "image/svg+xml", "image/svg+xml"),
        ("", "image/avif,image/webp,image/*,*/*;q=0.8", "image/svg+xml"),
        ("", "text/html,application/xhtml+xml,*/*;q=0.8", "image/svg+xml"),
        ("?format=png", "application/json", "image/png"),
        ("?format=svg", "", "image/svg+xml"),
        ("?format=json", "image/png", "application/json"),
    ],
)
async def test_the_code_comes_as_what_was_asked_for(
    client: httpx.AsyncClient, query: str, accept: str, media_type: str
) -> None:
    beginnings = {"application/json": b'{"qr":', "image/png": b"\x89PNG\r\n", "image/svg+xml": b"<?xml"}
    answer = await client.get(f"{DEFAULT}/qr{query}", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.content.startswith(beginnings[media_type])
    assert answer.headers["cache-control"] == "no-store"


async def test_without_an_offer_the_answer_says_what_to_do(client: httpx.AsyncClient, trial: Trial) -> None:
    await trial.connect()
    answer = await client.get(f"{DEFAULT}/qr", headers={"accept": "image/png"})
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert "All is well." in answer.json()["detail"]


@pytest.mark.usefixtures("offered")
async def test_an_expired_code_is_not_shown(client: httpx.AsyncClient, trial: Trial) -> None:
    await trial.clock.advance(20)
    assert (await client.get(f"{DEFAULT}/qr")).status_code == 409


@pytest.mark.usefixtures("offered")
async def test_a_code_to_type_is_given_for_a_phone(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{DEFAULT}/pair", json={"phone": "+1 555 000 1111"})
    assert answer.json() == {"code": "CODE-1111"}
    assert (await client.post(f"{DEFAULT}/pair", json={"phone": "soon"})).json()["code"] == "invalid_jid"


async def test_no_code_to_type_while_nothing_is_offered(client: httpx.AsyncClient, trial: Trial) -> None:
    await trial.connect()
    answer = await client.post(f"{DEFAULT}/pair", json={"phone": "+15550001111"})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


async def test_the_devices_are_those_of_seed_002(client: httpx.AsyncClient, trial: Trial) -> None:
    """Only what is paired is a device; the first three keys are the seed's."""
    assert (await client.get("/app/devices")).text == '{"code":200,"message":"Success","results":[]}'
    await trial.connect()
    answer = json.loads((await client.get("/app/devices")).text)
    assert list(answer) == ["code", "message", "results"]
    (device,) = answer["results"]
    assert list(device)[:3] == ["name", "device", "platform"]
    assert (device["name"], device["device"], device["state"]) == ("default", "Desktop", "connected")

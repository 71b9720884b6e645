# SPDX-License-Identifier: Apache-2.0
"""The admin API: every door does what the method behind it does, and says clearly what is wrong with a request."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.simulator.client import Client
from tests.simulator.conftest import ALICE, BOB
from wigwag.simulator import ACCOUNT_PHONE, Simulator, e2e
from wigwag.simulator.content import tell
from wigwag.simulator.wire import Jid, Node


@pytest.fixture
async def http(sim: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{sim.url}/sim") as client:
        yield client


async def test_the_root_key_and_the_certificate_are_told(sim: Simulator, http: httpx.AsyncClient) -> None:
    assert (await http.get("/trust")).json() == {"root_key": sim.root_key.hex(), "certificate": sim.certificate}


async def test_a_scan_over_http_links_and_the_account_is_listed(http: httpx.AsyncClient, client: Client) -> None:
    codes = await client.offer()
    scan = asyncio.create_task(http.post("/scan", json={"qr": codes[0]}), name="scan")
    await client.confirm()
    assert (await scan).json() == {"phone": ACCOUNT_PHONE, "lid": f"9{ACCOUNT_PHONE}", "device": 1}
    accounts = (await http.get("/accounts")).json()
    assert accounts[0]["devices"][0] == {
        "device": 1,
        "jid": f"{ACCOUNT_PHONE}:1@s.whatsapp.net",
        "connected": False,
        "available": False,
        "subscriptions": 0,
        "queued": 0,
        "prekeys": 0,
    }


async def test_a_contact_is_made_changed_and_listed(http: httpx.AsyncClient) -> None:
    made = (await http.put("/contacts/4915550001", json={"name": "Greta", "lid": "123456"})).json()
    assert made == {
        "phone": "4915550001",
        "lid": "123456",
        "aliases": [],
        "name": "Greta",
        "about": "Hey there!",
        "online": False,
        "last_seen_visible": True,
        "addressed_by_lid": False,
        "last_seen": None,
    }
    changed = (await http.put("/contacts/4915550001", json={"last_seen_visible": False})).json()
    assert changed == {**made, "last_seen_visible": False}
    assert changed in (await http.get("/contacts")).json()


async def test_many_contacts_are_made_at_once(http: httpx.AsyncClient) -> None:
    bodies = [{"phone": f"1888{number:07}", "name": f"No {number}"} for number in range(1000)]
    assert (await http.post("/contacts", json=bodies)).json() == {"contacts": 1000}
    assert len((await http.get("/contacts")).json()) == 1002


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_presence_typing_and_a_message_reach_the_client(
    http: httpx.AsyncClient, online: Client, method: str
) -> None:
    await online.send(Node("presence", {"type": "subscribe", "to": Jid(ALICE)}))
    await online.expect("presence")
    body = {"online": False, "last_seen": "2026-11-20T10:30:00Z"}
    answer = await http.request(method, f"/contacts/{ALICE}/presence", json=body)
    assert answer.json()["last_seen"] == "2026-11-20T10:30:00Z"
    assert (await online.expect("presence")).text("last") == "1795170600"
    await http.post(f"/contacts/{ALICE}/typing", json={"state": "composing", "media": "audio"})
    assert (await online.expect("chatstate")).children[0].text("media") == "audio"
    message_id = (await http.post(f"/contacts/{ALICE}/messages", json={"text": "hello"})).json()["id"]
    assert online.read(await online.expect("message", id=message_id))["conversation"] == "hello"


async def test_a_group_is_made_and_listed(http: httpx.AsyncClient) -> None:
    body = {"subject": "Team", "participants": [ALICE, BOB], "admins": [BOB]}
    group = (await http.put("/groups/120363000000000001", json=body)).json()
    assert group == {
        "id": "120363000000000001",
        "jid": "120363000000000001@g.us",
        "subject": "Team",
        "participants": [ALICE, BOB],
        "admins": [BOB],
        "by_lid": False,
    }
    assert (await http.get("/groups")).json() == [group]


async def test_inbox_subscriptions_receipts_and_log_can_be_read_on_from_a_line(
    http: httpx.AsyncClient, online: Client
) -> None:
    await online.send(Node("presence", {"type": "subscribe", "to": Jid(ALICE)}))
    await online.send(Node("receipt", {"id": "A", "to": Jid(ALICE), "type": "read"}))
    for text in ("one", "two"):
        await online.send(await online.text(Jid(ALICE), text))
    await online.settle()
    inbox = (await http.get("/inbox")).json()
    assert [(line["phone"], line["text"]) for line in inbox] == [(ALICE, "one"), (ALICE, "two")]
    assert (await http.get("/inbox", params={"after": inbox[0]["seq"]})).json() == inbox[1:]
    assert (await http.get("/inbox", params={"account": "15550009999"})).json() == []
    subscription = (await http.get("/subscriptions")).json()[0]
    assert (subscription["action"], subscription["at"][:10]) == ("subscribe", "2026-09-21")
    assert (await http.get("/receipts")).json()[-1]["ids"] == ["A"]
    assert "paired" in [line["event"] for line in (await http.get("/log")).json()]


async def test_only_the_limits_that_are_named_change(http: httpx.AsyncClient) -> None:
    assert (await http.get("/limits")).json()["subscriptions_per_minute"] == 200
    changed = (await http.put("/limits", json={"subscriptions_alive": 10})).json()
    assert changed == {"subscriptions_per_minute": 200, "subscriptions_alive": 10, "on_excess": "drop"}
    assert (await http.put("/limits", json={"subscriptions_per_minute": None})).json()["subscriptions_alive"] == 10


async def test_faults_are_made_listed_and_cleared(http: httpx.AsyncClient, sim: Simulator) -> None:
    assert (await http.post("/faults", json={"kind": "refuse", "seconds": 5, "code": 500})).status_code == 204
    fault = (await http.get("/faults")).json()[0]
    assert (fault["kind"], fault["code"], fault["account"]) == ("refuse", 500, None)
    await http.delete("/faults")
    assert (await http.get("/faults")).json() == []


async def test_receipts_and_rhythm_are_switched(http: httpx.AsyncClient, sim: Simulator) -> None:
    policy = (await http.put("/receipts", json={"read": False})).json()
    assert (policy["delivery"], policy["read"], policy["order"]) == (True, False, "normal")
    assert (await http.post("/rhythm", json={"speed": 600})).status_code == 204
    assert (await http.delete("/rhythm")).status_code == 204


async def test_the_inbox_is_read_in_parts_by_what_the_lines_say(http: httpx.AsyncClient, online: Client) -> None:
    for number, phone in enumerate([ALICE, BOB, ALICE, BOB, ALICE]):
        await online.send(await online.text(Jid(phone), f"no {number}", f"M{number}"))
    await online.settle()

    async def ids(**params: str | int) -> list[str]:
        return [line["id"] for line in (await http.get("/inbox", params=params)).json()]

    first = (await http.get("/inbox", params={"limit": 5})).json()[0]
    assert await ids(limit=2) == ["M3", "M4"]
    assert await ids(limit=2, after=0) == ["M0", "M1"]
    assert await ids(limit=2, after=first["seq"], phone=ALICE) == ["M2", "M4"]
    assert await ids(account="15550009999") == []
    assert await ids(id="M3", kind="text") == ["M3"]
    assert base64.b64decode(first["raw"]) == e2e.CONTENT.encode({"conversation": "no 0"})


async def test_what_the_journal_drops_stays_counted(http: httpx.AsyncClient, online: Client) -> None:
    assert (await http.put("/journal", json={"keep": 2})).json() == {"keep": 2}
    for phone in (ALICE, ALICE, BOB):
        await online.send(await online.text(Jid(phone), "hello"))
    await online.send(await online.text(Jid(BOB), "hello", "M1"))
    await online.send(await online.text(Jid(BOB), "hello", "M1"))
    await online.settle()
    assert len((await http.get("/inbox")).json()) == 2
    counts = (await http.get("/counts")).json()
    assert (counts["messages"], counts["by_phone"]) == (4, {ALICE: 2, BOB: 2})
    assert (counts["by_account"], counts["by_kind"]) == ({ACCOUNT_PHONE: 4}, {"text": 4})
    assert (counts["receipts_sent"], counts["receipts_held"]) == ({"delivery": 4, "read": 4}, 0)
    assert counts["events"]["duplicate"] == 1


async def test_a_contact_says_all_kinds_of_things_over_http(http: httpx.AsyncClient, online: Client) -> None:
    await http.put("/groups/120363", json={"subject": "Team", "participants": [ACCOUNT_PHONE, ALICE]})
    said: list[dict[str, Any]] = [
        {"text": "yes", "quoted": "M1", "mentions": ["a@lid"]},
        {"kind": "location", "fields": {"latitude": 52.5, "longitude": 13.0}},
        {"kind": "reaction", "text": "👍", "fields": {"target": "M1"}, "group": "120363"},
        {"raw": base64.b64encode(e2e.CONTENT.encode({"conversation": "raw"})).decode()},
    ]
    for body in said:
        message_id = (await http.post(f"/contacts/{ALICE}/messages", json=body)).json()["id"]
        message = await online.expect("message", id=message_id)
        assert message.text("from").endswith("@g.us") == ("group" in body)
        told = tell(online.read(message))
        assert (told.kind, told.text) == (body.get("kind", "text"), body.get("text", "raw" if "raw" in body else None))


async def test_receipts_are_held_and_released_over_http(http: httpx.AsyncClient, online: Client) -> None:
    await http.put(f"/contacts/{ALICE}/receipts", json={"hold": True, "order": "reversed"})
    await online.send(await online.text(Jid(ALICE), "hello"))
    await online.settle()
    assert (await http.get("/counts")).json()["receipts_held"] == 2
    assert (await http.post("/receipts/release", json={"phone": ALICE})).json() == {"released": 2}
    assert [(await online.expect("receipt")).text("type") for _ in range(2)] == ["read", ""]
    assert (await http.delete(f"/contacts/{ALICE}/receipts")).status_code == 204


async def test_a_contact_rings_and_gets_new_keys_over_http(
    sim: Simulator, http: httpx.AsyncClient, online: Client
) -> None:
    call_id = (await http.post(f"/contacts/{ALICE}/calls", json={"video": True})).json()["id"]
    assert (await online.expect("call")).children[0].text("call-id") == call_id
    assert (await http.delete(f"/contacts/{ALICE}/calls/{call_id}")).status_code == 204
    assert (await online.expect("call")).children[0].tag == "terminate"
    before = sim.exchange.world.person(ALICE).keys.identity
    assert (await http.delete(f"/contacts/{ALICE}/keys")).status_code == 204
    assert sim.exchange.world.person(ALICE).keys.identity != before


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "hint"),
    [
        ("PUT", "/contacts/abc", {}, 422, "pattern"),
        ("PUT", f"/contacts/{ALICE}", {"nickname": "Al"}, 422, "nickname"),
        ("PUT", f"/contacts/{ALICE}", {"lid": f"9{BOB}"}, 422, "belongs to another"),
        ("POST", f"/contacts/{ALICE}/presence", {}, 422, "online"),
        ("POST", "/contacts/19998887777/presence", {"online": True}, 404, "PUT /sim/contacts/19998887777"),
        ("POST", f"/contacts/{ALICE}/typing", {"state": "dancing"}, 422, "composing"),
        ("POST", f"/contacts/{ALICE}/messages", {"text": "hello"}, 404, "GET /sim/accounts"),
        ("POST", f"/contacts/{ALICE}/messages", {"text": ""}, 422, "text"),
        ("POST", f"/contacts/{ALICE}/messages", {"kind": "dance"}, 422, "choose one of"),
        ("POST", f"/contacts/{ALICE}/messages", {"text": "hello", "group": "12036"}, 404, "PUT /sim/groups/12036"),
        ("PUT", f"/contacts/{ALICE}", {"aliases": [BOB]}, 422, "cannot be an alias"),
        ("PUT", "/receipts", {"order": "random"}, 422, "reversed"),
        ("PUT", "/journal", {"keep": 0}, 422, "keep"),
        ("GET", "/inbox?color=red", None, 422, "no filter 'color'"),
        ("GET", "/inbox?limit=0", None, 422, "greater than"),
        ("PUT", "/groups/x", {"subject": "Team", "participants": []}, 422, "pattern"),
        ("PUT", "/groups/12036", {"subject": "Team", "participants": ["19998887777"]}, 404, "19998887777"),
        ("PUT", "/limits", {"subscriptions_per_minute": -1}, 422, "subscriptions_per_minute"),
        ("POST", "/faults", {"kind": "earthquake"}, 422, "choose one of"),
        ("POST", "/faults", {"kind": "ban", "seconds": 0}, 422, "seconds"),
        ("POST", "/scan", {"qr": "nonsense"}, 409, "ref,noise key"),
        ("POST", "/scan_code", {"phone": ALICE, "code": "ABCD2345"}, 409, "asked for a code"),
        ("POST", "/scan_code", {"phone": ALICE, "code": "no"}, 422, "code"),
        ("GET", "/log?after=x", None, 422, "integer"),
    ],
)
async def test_a_bad_request_is_told_what_is_wrong(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None, status: int, hint: str
) -> None:
    answer = await http.request(method, path, json=body)
    assert answer.status_code == status
    assert hint in answer.text


async def test_a_body_that_is_no_json_is_told_so(http: httpx.AsyncClient) -> None:
    answer = await http.post("/scan", content=b"{")
    assert answer.status_code == 422
    assert "Invalid JSON" in answer.text

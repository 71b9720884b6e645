# SPDX-License-Identifier: Apache-2.0
"""Messages through the whole house: what REST takes in is sent, told of, cancelled, retried and read back."""

import base64
from typing import Any

import httpx
import pytest

from wigwag.adapters.rest.examples import BODIES
from wigwag.domain.delivery import Mark, Receipt
from wigwag.domain.errors import Refused, Unconfirmed
from wigwag.domain.events import MessageReported, ReceiptReported
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message, MessageKind
from wigwag.testing import Point, Trial, failing

ANNA = Jid("919876543210@s.whatsapp.net")
TEXT = {"to": "+91 98765 43210", "text": "Hello!"}
LATER = {**TEXT, "send_at": "2027-01-15T09:00:00Z"}
MESSAGES = "/api/messages"


async def send(client: httpx.AsyncClient, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await client.post(MESSAGES, json=body, headers=headers)


async def settled(client: httpx.AsyncClient, trial: Trial, job_id: str) -> dict[str, Any]:
    """The job when nothing moves any more."""
    await trial.clock.settle()
    found: dict[str, Any] = (await client.get(f"{MESSAGES}/{job_id}")).json()
    return found


async def test_a_message_goes_its_way_to_the_receipt(client: httpx.AsyncClient, trial: Trial) -> None:
    answer = await send(client, TEXT)
    job = answer.json()
    assert (answer.status_code, job["state"], answer.headers["location"]) == (
        202,
        "accepted",
        f"{MESSAGES}/{job['id']}",
    )
    await trial.connect()
    sent = await settled(client, trial, job["id"])
    assert (sent["state"], sent["message_id"]) == ("sent", trial.whatsapp.sent[0].id)
    receipt = Receipt(
        account="default",
        chat=ANNA,
        reader=ANNA,
        message_ids=(sent["message_id"],),
        mark=Mark.READ,
        at=trial.clock.now(),
    )
    trial.whatsapp.tell(ReceiptReported(receipt=receipt, at=trial.clock.now()))
    read = await settled(client, trial, job["id"])
    assert (read["state"], read["receipts"]) == (
        "read",
        [{"reader": ANNA, "state": "read", "at": "2027-01-15T08:00:00Z"}],
    )


async def test_a_repeat_under_a_key_is_the_same_message_and_says_so(client: httpx.AsyncClient, trial: Trial) -> None:
    image = base64.b64encode(b"\xff\xd8\xff\xe0").decode()
    body = {**TEXT, "text": None, "type": "image", "media": {"base64": image}}
    first = await send(client, body, **{"Idempotency-Key": "k"})
    await trial.clock.advance(5)
    again = await send(client, body, **{"Idempotency-Key": "k"})
    other = await send(client, {**body, "caption": "no"}, **{"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code, again.json()["id"]) == (202, 202, first.json()["id"])
    assert [each.headers.get("idempotency-replayed") for each in (first, again)] == [None, "true"]
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


@pytest.mark.parametrize("way", [("POST", "/cancel"), ("DELETE", "")])
async def test_a_message_for_later_is_taken_back(way: tuple[str, str], client: httpx.AsyncClient, trial: Trial) -> None:
    await trial.connect()
    job = (await send(client, LATER)).json()
    assert job["send_at"] == "2027-01-15T09:00:00Z"
    listed = (await client.get(MESSAGES, params={"scheduled": "true", "to": ANNA})).json()["messages"]
    assert [each["id"] for each in listed] == [job["id"]]
    method, end = way
    cancelled = await client.request(method, f"{MESSAGES}/{job['id']}{end}")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    await trial.clock.advance(4000)
    assert trial.whatsapp.sent == []
    again = await client.request(method, f"{MESSAGES}/{job['id']}{end}")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("point", "error", "state"),
    [(Point.SEND, Refused(), "failed"), (Point.LEFT, Unconfirmed(), "unconfirmed")],
    ids=["failed", "unconfirmed"],
)
async def test_what_did_not_go_well_is_retried(
    point: Point, error: Any, state: str, client: httpx.AsyncClient, trial: Trial
) -> None:
    trial.whatsapp.hooks[point] = failing(error)
    await trial.connect()
    job = (await send(client, TEXT)).json()
    assert (await settled(client, trial, job["id"]))["state"] == state
    stats = (await client.get(f"{MESSAGES}/stats")).json()
    assert (stats["total"], stats["states"][state]) == (1, 1)
    listed = (await client.get(MESSAGES, params={"state": ["failed", "unconfirmed"]})).json()["messages"]
    assert [each["state"] for each in listed] == [state]
    assert (await client.post(f"{MESSAGES}/{job['id']}/retry")).json()["state"] == "accepted"
    assert (await settled(client, trial, job["id"]))["state"] == "sent"
    assert (await client.post(f"{MESSAGES}/{job['id']}/retry")).status_code == 409


@pytest.mark.parametrize(
    ("body", "status", "code", "reason"),
    [
        ({**TEXT, "to": "nobody"}, 422, "invalid_jid", None),
        ({**TEXT, "to": "x@g.us"}, 422, "invalid_jid", None),
        ({**TEXT, "account": "sales"}, 404, "not_found", None),
        ({**TEXT, "reply_to": "3EB0"}, 422, "invalid_message", "unknown_message"),
        ({**TEXT, "send_at": "2029-01-15T08:00:00Z"}, 422, "invalid_message", "invalid_send_at"),
        ({"to": ANNA, "template": {"name": "none"}}, 422, "invalid_message", "unknown_template"),
        ({"to": ANNA, "type": "image", "media": {"id": "8c1f3a"}}, 422, "invalid_message", "unknown_media"),
        ({"to": ANNA, "text": "x'; DROP TABLE users; --"}, 422, "invalid_message", "sql_injection"),
    ],
)
async def test_what_cannot_be_sent_is_refused(
    body: dict[str, Any], status: int, code: str, reason: str | None, client: httpx.AsyncClient
) -> None:
    answer = await send(client, body)
    assert (answer.status_code, answer.json()["code"], answer.json().get("reason")) == (status, code, reason)
    assert (await client.get(MESSAGES)).json()["messages"] == []


@pytest.mark.parametrize("path", ["", "/cancel", "/retry"])
async def test_a_message_that_is_not_there_is_not_found(path: str, client: httpx.AsyncClient) -> None:
    answer = await client.request("POST" if path else "GET", f"{MESSAGES}/none{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_all_kinds_of_the_description_are_sent(client: httpx.AsyncClient, trial: Trial) -> None:
    await client.put("/api/templates/welcome", json={"text": "Hello ${name}!"})
    about = Message(
        account="default", chat=ANNA, id="3EB0C431C26A1916E07E", sender=ANNA, from_me=False, kind=MessageKind.TEXT,
        at=trial.clock.now(), text="?",
    )  # fmt: skip
    trial.whatsapp.tell(MessageReported(message=about, at=trial.clock.now()))
    await trial.clock.settle()
    trial.stores.media.files["8c1f3a"] = b"%PDF"
    answers = {name: (await send(client, body)).status_code for name, body in BODIES.items()}
    assert set(answers.values()) == {202}, answers


async def test_templates_are_made_used_and_removed(client: httpx.AsyncClient) -> None:
    where = "/api/templates/welcome"
    assert (await client.put(where, json={"text": "Hi ${name}!"})).json() == {"name": "welcome", "text": "Hi ${name}!"}
    assert (await client.get("/api/templates")).json() == [{"name": "welcome", "text": "Hi ${name}!"}]
    assert (await client.get(where)).json()["text"] == "Hi ${name}!"
    filled = await send(client, {"to": ANNA, "template": {"name": "welcome", "values": {"name": "Bert"}}})
    assert filled.json()["content"] == {"text": "Hi Bert!"}
    for values in ({}, {"name": "Bert", "age": "5"}):
        wrong = await send(client, {"to": ANNA, "template": {"name": "welcome", "values": values}})
        assert (wrong.status_code, wrong.json()["reason"]) == (422, "invalid_template")
    assert (await client.delete(where)).status_code == 204
    assert [(await client.request(method, where)).status_code for method in ("GET", "DELETE")] == [404, 404]


@pytest.mark.parametrize("text", ["", "Hi $", "Hi ${}", "x" * 4097])
async def test_a_template_that_cannot_be_filled_is_refused(text: str, client: httpx.AsyncClient) -> None:
    answer = await client.put("/api/templates/welcome", json={"text": text})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_message")
    assert (await client.get("/api/templates")).json() == []


async def test_a_chat_has_both_sides_and_its_files(client: httpx.AsyncClient, trial: Trial) -> None:
    await trial.connect()
    await send(client, TEXT)
    await trial.clock.advance(5)
    trial.whatsapp.files[b"raw"] = b"\xff\xd8\xff\xe0"
    photo = Message(
        account="default", chat=ANNA, id="3EB1", sender=ANNA, from_me=False, kind=MessageKind.IMAGE,
        at=trial.clock.now(), raw=b"raw", mimetype="image/jpeg", size=4,
    )  # fmt: skip
    trial.whatsapp.tell(MessageReported(message=photo, at=trial.clock.now()))
    await trial.clock.settle()
    said = (await client.get("/api/chats/919876543210/messages")).json()["messages"]
    assert [(each["type"], each["from_me"]) for each in said] == [("image", False), ("text", True)]
    file = await client.get(said[0]["media"])
    assert (file.content, file.headers["content-type"]) == (trial.whatsapp.files[b"raw"], "image/jpeg")
    read = await client.post(f"/api/chats/{ANNA}/messages/3EB1/read")
    assert (read.status_code, trial.whatsapp.marked) == (204, ["3EB1"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/messages?to=nobody", 422),
        ("GET", "/api/messages?to=x@g.us", 422),
        ("GET", "/api/chats/nobody/messages", 422),
        ("GET", "/api/chats/919876543210/messages?account=sales", 404),
        ("GET", "/api/chats/919876543210/messages?limit=501", 422),
        ("GET", "/api/chats/919876543210/messages/none/media", 404),
        ("POST", "/api/chats/919876543210/messages/none/read", 404),
    ],
)
async def test_what_names_nobody_or_nothing_is_a_problem(
    method: str, path: str, status: int, client: httpx.AsyncClient
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")

# SPDX-License-Identifier: Apache-2.0
"""/api/messages: jobs are shown whole, in pages, by filters."""

from typing import Any

import httpx
import pytest

from tests.desk import ANNA, START, Desk, job
from wigwag.app.ports import JobFilter
from wigwag.domain.contents import Kind, Media, Poll
from wigwag.domain.delivery import Mark, Quote, Receipt, State
from wigwag.domain.ids import Jid

GROUP = Jid("120363400902171371@g.us")
TO = "+91 98765 43210"


FRESH = {
    "id": "job1",
    "state": "accepted",
    "since": "2027-01-15T08:00:00Z",
    "account": "default",
    "to": ANNA,
    "type": "text",
    "content": {"text": "Hello!"},
    "priority": 4,
    "created_at": "2027-01-15T08:00:00Z",
    "send_at": None,
    "attempts": 0,
    "retry_at": None,
    "message_id": None,
    "code": None,
    "detail": None,
    "sent_at": None,
    "delivered_at": None,
    "read_at": None,
    "played_at": None,
    "reply_to": None,
    "mentions": [],
    "user_id": None,
    "idempotency_key": None,
    "door": "rest",
}
LATER = {"since": START + 9, "created": START}
AT_9 = "2027-01-15T08:00:09Z"


@pytest.mark.parametrize(
    ("job_has", "shown"),
    [
        ({}, {}),
        ({"due": START + 9}, {"send_at": AT_9}),
        (
            {"due": START + 9, "attempts": 1, "code": "unavailable", "detail": "No word."},
            {"retry_at": AT_9, "attempts": 1, "code": "unavailable", "detail": "No word."},
        ),
        (
            {"state": State.SENT, "message_id": "3EB0", "sent_at": START + 9, **LATER},
            {"state": "sent", "message_id": "3EB0", "sent_at": AT_9, "since": AT_9},
        ),
        (
            {"state": State.FAILED, "code": "refused", "attempts": 2},
            {"state": "failed", "code": "refused", "attempts": 2},
        ),
        ({"state": State.UNCONFIRMED}, {"state": "unconfirmed"}),
        ({"state": State.CANCELLED, "due": START + 9}, {"state": "cancelled"}),
        (
            {"state": State.PLAYED, "delivered_at": START, "read_at": START + 9, "played_at": START + 9},
            {"state": "played", "delivered_at": FRESH["since"], "read_at": AT_9, "played_at": AT_9},
        ),
        (
            {"quote": Quote(message_id="3EB1", sender=ANNA, from_me=False), "mentions": (ANNA,)},
            {"reply_to": "3EB1", "mentions": [ANNA]},
        ),
        ({"user_id": "u", "key": "k", "door": "amqp"}, {"user_id": "u", "idempotency_key": "k", "door": "amqp"}),
        (
            {"content": Poll(question="?", options=("a", "b"))},
            {"type": "poll", "content": {"question": "?", "options": ["a", "b"], "selectable": 1}},
        ),
        (
            {"content": Media(kind=Kind.DOCUMENT, media="abc", filename="a.pdf")},
            {"type": "document", "content": {"media": "abc", "filename": "a.pdf"}},
        ),
    ],
    ids="-".join,
)
async def test_a_job_is_shown_whole_but_for_its_secret(
    job_has: dict[str, Any], shown: dict[str, Any], door: httpx.AsyncClient, desk: Desk
) -> None:
    desk.lay(job(**job_has, secret="5ec4e7" * 10, fingerprint="f1n9e4"))
    answer = await door.get("/api/messages/job1")
    assert answer.json() == FRESH | shown | {"receipts": []}
    assert list(answer.json()) == [*FRESH, "receipts"]
    assert "5ec4e7" not in answer.text
    assert "f1n9e4" not in answer.text
    assert (await door.get("/api/messages")).json() == {"messages": [FRESH | shown], "next": None}


async def test_a_job_shows_who_read_it(door: httpx.AsyncClient, desk: Desk) -> None:
    desk.lay(job())
    receipt = {"account": "default", "chat": GROUP, "reader": ANNA, "message_ids": ("3EB0",)}
    desk.told = [Receipt(mark=Mark.DELIVERED, at=START, **receipt), Receipt(mark=Mark.READ, at=START + 9, **receipt)]  # type: ignore[arg-type]
    assert (await door.get("/api/messages/job1")).json()["receipts"] == [
        {"reader": ANNA, "state": "delivered", "at": "2027-01-15T08:00:00Z"},
        {"reader": ANNA, "state": "read", "at": AT_9},
    ]


async def test_pages_follow_each_other_to_the_end(door: httpx.AsyncClient, desk: Desk) -> None:
    desk.lay(*(job(number) for number in range(1, 8)))
    seen, query = [], "limit=3"
    for _ in range(3):
        page = (await door.get(f"/api/messages?{query}")).json()
        seen.append([each["id"] for each in page["messages"]])
        query = f"limit=3&before={page['next']}"
    assert seen == [["job7", "job6", "job5"], ["job4", "job3", "job2"], ["job1"]]
    assert page["next"] is None


async def test_a_page_that_is_just_full_is_the_last(door: httpx.AsyncClient, desk: Desk) -> None:
    desk.lay(*(job(number) for number in range(1, 4)))
    assert (await door.get("/api/messages?limit=3")).json()["next"] is None


@pytest.mark.parametrize(
    ("query", "wanted", "to"),
    [
        ("", JobFilter(), None),
        ("?state=sent", JobFilter(states=(State.SENT,)), None),
        ("?state=failed&state=unconfirmed", JobFilter(states=(State.FAILED, State.UNCONFIRMED)), None),
        ("?to=%2B91 98765 43210", JobFilter(), TO),
        (f"?to={GROUP}", JobFilter(), GROUP),
        ("?scheduled=true", JobFilter(scheduled=True), None),
        ("?scheduled=false", JobFilter(scheduled=False), None),
        ("?before=12", JobFilter(before=12), None),
    ],
)
async def test_filters_reach_the_archive(
    query: str, wanted: JobFilter, to: str | None, door: httpx.AsyncClient, desk: Desk
) -> None:
    assert (await door.get(f"/api/messages{query}")).status_code == 200
    assert desk.asked == [(wanted, 51, to)]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/messages/none", 404, "not_found"),
        ("GET", "/api/messages?account=nobody", 404, "not_found"),
        ("GET", "/api/messages?state=lost", 422, "invalid_request"),
        ("GET", "/api/messages?limit=0", 422, "invalid_request"),
        ("GET", "/api/messages?limit=501", 422, "invalid_request"),
        ("GET", "/api/messages?before=0", 422, "invalid_request"),
    ],
)
async def test_what_cannot_be_listed_is_a_problem(
    method: str, path: str, status: int, code: str, door: httpx.AsyncClient
) -> None:
    answer = await door.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_states_are_counted_over_all_accounts(door: httpx.AsyncClient) -> None:
    stats = (await door.get("/api/messages/stats")).json()
    assert (stats["total"], set(stats["states"])) == (6, set(State))
    assert {state: count for state, count in stats["states"].items() if count} == {"sent": 5, "failed": 1}

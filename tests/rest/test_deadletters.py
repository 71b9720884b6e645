# SPDX-License-Identifier: Apache-2.0
"""/api/dead-letters: lists show no bodies, one letter is shown whole, and without a broker it is said so."""

from dataclasses import replace

import httpx
import pytest

from tests.letters import LETTER, Letters
from wigwag.testing import Trial

ROUTES = [
    ("GET", ""),
    ("GET", "/a"),
    ("DELETE", ""),
    ("DELETE", "/a"),
    ("POST", "/replay"),
    ("POST", "/a/replay"),
]


@pytest.fixture
def letters(trial: Trial) -> Letters:
    letters = Letters()
    trial.core.gateway.attach(letters)
    return letters


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_broker_it_is_a_conflict_that_says_so(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, f"/api/dead-letters{path}")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "RABBITMQ_URL" in answer.json()["detail"]


async def test_the_list_has_no_bodies(client: httpx.AsyncClient, letters: Letters) -> None:
    answer = await client.get("/api/dead-letters", params={"reason": "text_too_long", "limit": 5})
    assert answer.json() == [
        {
            "id": "a",
            "reason": "text_too_long",
            "detail": "too long",
            "queue": "whatsapp.queue",
            "since": "2027-01-15T08:00:00Z",
            "job": None,
            "size": 2,
        }
    ]
    assert letters.asked == [("list", 5, "text_too_long")]


async def test_one_letter_is_shown_whole(client: httpx.AsyncClient, letters: Letters) -> None:
    assert (await client.get("/api/dead-letters/a")).json()["body"] == "hi"
    letters.kept = [replace(LETTER, body=b"\xff")]
    odd = (await client.get("/api/dead-letters/a")).json()
    assert (odd["body"], odd["base64"]) == (None, "/w==")
    assert (await client.get("/api/dead-letters/b")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "asked", "status"),
    [
        ("POST", "/a/replay", ("replay", "a"), 204),
        ("DELETE", "/a", ("drop", "a"), 204),
        ("POST", "/replay?reason=x", ("replay_all", "x"), 200),
        ("DELETE", "?reason=x", ("drop_all", "x"), 200),
        ("POST", "/replay", ("replay_all", None), 200),
        ("DELETE", "", ("drop_all", None), 200),
    ],
)
async def test_what_is_done_to_letters(
    client: httpx.AsyncClient, letters: Letters, method: str, path: str, asked: tuple[str, str], status: int
) -> None:
    answer = await client.request(method, f"/api/dead-letters{path}")
    assert (answer.status_code, letters.asked) == (status, [asked])
    assert status == 204 or answer.json() == {"count": 1}

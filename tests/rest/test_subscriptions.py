# SPDX-License-Identifier: Apache-2.0
"""/api/subscriptions and /api/groups: whom to track, how fast, and what is refused."""

import httpx
import pytest

from tests.rest.conftest import ANNA, BERT
from wigwag.domain.ids import Jid
from wigwag.domain.pacing import PRESETS
from wigwag.testing import Trial

GROUP = Jid("120363400902171371@g.us")


async def track(client: httpx.AsyncClient, **wish: object) -> httpx.Response:
    return await client.post("/api/subscriptions", json=wish)


@pytest.mark.parametrize(
    "wish",
    [
        {"contacts": [{"jid": ANNA, "name": "Anna"}, {"phone": "+91 91234 56789", "name": "Bert"}]},
        {"contacts": [{"phone": "+919876543210", "name": "Anna"}], "jids": [BERT]},
        {"jids": [ANNA, BERT]},
        {"jids": [ANNA, BERT, ANNA]},
    ],
)
async def test_contacts_are_tracked_however_they_are_named(client: httpx.AsyncClient, wish: dict[str, object]) -> None:
    answer = await track(client, **wish)
    assert answer.status_code == 201
    assert [subscription["jid"] for subscription in answer.json()] == [ANNA, BERT]
    assert (await client.get("/api/presence/stats")).json()["total_contacts"] == 2


async def test_a_new_subscription_says_where_it_stands(client: httpx.AsyncClient) -> None:
    answer = await track(client, contacts=[{"jid": ANNA, "name": "Anna"}], priority=1, account="default")
    assert answer.json() == [
        {
            "jid": ANNA,
            "name": "Anna",
            "account": "default",
            "priority": 1,
            "state": "queued",
            "attempts": 0,
            "subscribed_at": None,
            "retry_at": None,
        }
    ]


async def test_the_list_follows_the_plan(client: httpx.AsyncClient, trial: Trial) -> None:
    """Sent, answered, failed: each with its time."""
    trial.whatsapp.answers = False
    await trial.connect()
    await track(client, jids=[ANNA])
    await trial.clock.advance(0.1)
    (pending,) = (await client.get("/api/subscriptions")).json()
    assert (pending["state"], pending["subscribed_at"], pending["retry_at"]) == (
        "pending",
        "2027-01-15T08:00:00Z",
        None,
    )
    await trial.clock.advance(121)
    (failed,) = (await client.get("/api/subscriptions?state=failed")).json()
    assert (failed["state"], failed["attempts"], failed["retry_at"]) == ("failed", 1, "2027-01-15T08:04:00Z")
    assert (await client.get("/api/subscriptions?state=active")).json() == []


async def test_the_list_can_be_of_one_account(client: httpx.AsyncClient) -> None:
    await client.post("/api/accounts", json={"name": "sales"})
    await track(client, jids=[ANNA], account="default")
    await track(client, jids=[BERT], account="sales")
    (found,) = (await client.get("/api/subscriptions?account=sales")).json()
    assert (found["jid"], found["account"]) == (BERT, "sales")
    assert (await client.get("/api/subscriptions?account=nobody")).status_code == 404


async def test_with_several_accounts_one_must_say_which(client: httpx.AsyncClient) -> None:
    await client.post("/api/accounts", json={"name": "sales"})
    answer = await track(client, jids=[ANNA])
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


async def test_the_figures_are_those_of_the_seed(client: httpx.AsyncClient, trial: Trial) -> None:
    await trial.connect()
    await track(client, jids=[ANNA, BERT])
    await trial.clock.advance(0.1)
    assert (await client.get("/api/subscriptions/stats")).text == (
        '{"total_subscriptions":2,"active":1,"stale":0,"failed":0,"queue_length":1}'
    )


@pytest.mark.parametrize(
    ("wish", "where"),
    [
        ({}, "body"),
        ({"jids": []}, "body"),
        ({"jids": [ANNA, "nobody"]}, "body.jids.1"),
        ({"contacts": [{"name": "Anna"}]}, "body.contacts.0"),
        ({"contacts": [{"jid": ANNA, "phone": ANNA}]}, "body.contacts.0"),
        ({"contacts": [{"phone": "12"}]}, "body.contacts.0.phone"),
        ({"contacts": [{"jid": ANNA, "name": "x" * 256}]}, "body.contacts.0.name"),
        ({"jids": [ANNA], "priority": 4}, "body.priority"),
        ({"jids": [ANNA], "prioritty": 1}, "body.prioritty"),
        ({"jids": [ANNA] * 10_001}, "body.jids"),
        ({"jids": [ANNA] * 6_000, "contacts": [{"jid": BERT}] * 6_000}, "body"),
        ([], "body"),
    ],
)
async def test_a_malformed_wish_is_refused_whole_and_says_where(
    client: httpx.AsyncClient, wish: object, where: str
) -> None:
    answer = await client.post("/api/subscriptions", json=wish)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_request")
    assert problem["errors"][0]["where"] == where
    assert (await client.get("/api/presence")).json() == []


async def test_ten_thousand_at_once_are_accepted(client: httpx.AsyncClient) -> None:
    jids = [f"{10**9 + index}@s.whatsapp.net" for index in range(10_000)]
    answer = await track(client, jids=jids)
    assert (answer.status_code, [found["jid"] for found in answer.json()]) == (201, jids)


async def test_untracking_withdraws_the_wish(client: httpx.AsyncClient) -> None:
    await track(client, jids=[ANNA])
    first, again = [await client.delete(f"/api/subscriptions/{ANNA}") for _ in range(2)]
    assert (first.status_code, first.content) == (204, b"")
    assert (again.status_code, again.json()["code"]) == (404, "not_found")
    assert (await client.get(f"/api/presence/{ANNA}")).status_code == 404


# --- pace


async def test_the_pace_has_the_seeds_defaults(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/subscriptions/pace")).json() == {
        "batch_size": 20,
        "batch_delay_seconds": 5.0,
        "subscription_delay_seconds": 0.2,
        "preset": "medium",
        "per_minute": 133.3,
    }


@pytest.mark.parametrize("preset", PRESETS)
async def test_a_pace_is_chosen_by_name(client: httpx.AsyncClient, trial: Trial, preset: str) -> None:
    answer = (await client.put("/api/subscriptions/pace", json={"preset": preset})).json()
    assert answer["preset"] == preset
    assert trial.core.gateway.pace() == PRESETS[preset]


@pytest.mark.parametrize(
    ("change", "pace"),
    [
        ({"batch_size": 7}, (7, 5.0, 0.2, None)),
        ({"preset": "careful", "subscription_delay_seconds": 1}, (10, 10.0, 1.0, None)),
        ({"batch_size": 30, "batch_delay_seconds": 3}, (30, 3.0, 0.2, "small")),
        ({}, (20, 5.0, 0.2, "medium")),
    ],
)
async def test_a_pace_is_given_in_numbers(
    client: httpx.AsyncClient, change: dict[str, object], pace: tuple[int, float, float, str | None]
) -> None:
    answer = (await client.put("/api/subscriptions/pace", json=change)).json()
    keys = ("batch_size", "batch_delay_seconds", "subscription_delay_seconds", "preset")
    assert tuple(answer[key] for key in keys) == pace


async def test_no_limit_is_null(client: httpx.AsyncClient) -> None:
    change = {"batch_delay_seconds": 0, "subscription_delay_seconds": 0}
    assert (await client.put("/api/subscriptions/pace", json=change)).json()["per_minute"] is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ('{"batch_size": 0}', "invalid_settings"),
        ('{"batch_delay_seconds": -1}', "invalid_settings"),
        ('{"batch_delay_seconds": NaN}', "invalid_request"),
        ('{"batch_delay_seconds": 1e999}', "invalid_request"),
        ('{"preset": "reckless"}', "invalid_request"),
        ('{"batch": 3}', "invalid_request"),
    ],
)
async def test_a_pace_that_cannot_be_is_refused(client: httpx.AsyncClient, change: str, code: str) -> None:
    headers = {"content-type": "application/json"}
    answer = await client.put("/api/subscriptions/pace", content=change, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await client.get("/api/subscriptions/pace")).json()["preset"] == "medium"


# --- groups


async def test_a_group_is_tracked_and_untracked(client: httpx.AsyncClient, trial: Trial) -> None:
    trial.whatsapp.rooms[GROUP] = {Jid(ANNA): "Anna", Jid(BERT): ""}
    assert (await client.get("/api/groups")).json() == [{"jid": GROUP, "name": "a group", "tracked": False}]
    answer = await client.post("/api/subscriptions/groups", json={"group": GROUP, "priority": 3})
    expected = {"jid": GROUP, "name": "a group", "account": "default", "priority": 3}
    assert (answer.status_code, answer.json()) == (201, expected)
    assert (await client.get("/api/subscriptions/groups")).json() == [expected]
    assert (await client.get("/api/groups?account=default")).json()[0]["tracked"]
    assert {found["jid"] for found in (await client.get("/api/subscriptions")).json()} == {ANNA, BERT}
    assert (await client.delete(f"/api/subscriptions/groups/{GROUP}")).status_code == 204
    assert (await client.get("/api/subscriptions")).json() == []
    assert (await client.delete(f"/api/subscriptions/groups/{GROUP}")).status_code == 404


@pytest.mark.parametrize(("group", "status"), [("1203@g.us", 422), (ANNA, 422), ("120363400902171372@g.us", 404)])
async def test_a_group_that_is_none_of_ours_is_refused(client: httpx.AsyncClient, group: str, status: int) -> None:
    assert (await client.post("/api/subscriptions/groups", json={"group": group})).status_code == status

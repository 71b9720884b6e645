# SPDX-License-Identifier: Apache-2.0
"""/api/webhooks: endpoints and their secrets, deliveries and replays."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from wigwag.domain.outbox import Event
from wigwag.testing import START, Trial

URL = "https://example.com/hook?token=5"
WEBHOOKS = "/api/webhooks"


async def add(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await client.post(WEBHOOKS, json={"url": URL, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def tell(trial: Trial, count: int = 1) -> None:
    first = await trial.stores.events.last()
    told = [
        Event(id=f"told {first + n}", kind="message.received", account="default", at=START + n, data={"text": "hi"})
        for n in range(count)
    ]
    await trial.stores.events.append(told)
    await trial.clock.advance(61)


async def test_an_endpoint_is_shown_whole_and_its_secret_once(client: httpx.AsyncClient) -> None:
    made = await add(client, events=["message.*"], description="crm")
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made == {
        "id": made["id"],
        "url": URL,
        "events": ["message.*"],
        "accounts": [],
        "description": "crm",
        "enabled": True,
        "ordered": False,
        "concurrency": 4,
        "created": "2027-01-15T08:00:00Z",
        "state": "working",
        "reason": "",
        "failures": 0,
        "failing_since": None,
        "next_attempt_after": None,
        "waiting": 0,
        "old_secret_until": None,
    }
    assert (await client.get(WEBHOOKS)).json() == [made]
    path = f"{WEBHOOKS}/{made['id']}"
    for answer in [await client.get(path), await client.patch(path, json={}), await client.post(f"{path}/enable")]:
        assert answer.json() == made
        assert "whsec_" not in answer.text


async def test_what_is_sent_verifies_with_the_secret_that_was_shown(client: httpx.AsyncClient, trial: Trial) -> None:
    own = "whsec_" + "A" * 40
    for given in ({}, {"secret": own}):
        made = await add(client, **given)
        assert not given or made["secret"] == own
        await tell(trial)
        _url, headers, content = trial.stores.postman.posts[-1]
        assert (
            Webhook(made["secret"]).sign(
                headers["webhook-id"], datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC), content.decode()
            )
            == headers["webhook-signature"]
        )
        await client.delete(f"{WEBHOOKS}/{made['id']}")


async def test_only_what_is_given_changes(client: httpx.AsyncClient) -> None:
    made = await add(client, events=["message.*"], ordered=True)
    changed = await client.patch(f"{WEBHOOKS}/{made['id']}", json={"enabled": False, "accounts": ["sales"]})
    shown = changed.json()
    assert (shown["enabled"], shown["state"], shown["accounts"]) == (False, "disabled", ["sales"])
    assert (shown["events"], shown["ordered"], shown["url"]) == (["message.*"], True, URL)


async def test_a_rotation_shows_the_new_secret_and_until_when_the_old_one_lives(client: httpx.AsyncClient) -> None:
    made = await add(client)
    path = f"{WEBHOOKS}/{made['id']}/rotate"
    rotated = (await client.post(path)).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["old_secret_until"] == "2027-01-16T08:00:00Z"
    assert (await client.post(path, json={"keep_seconds": 0})).json()["old_secret_until"] is None


async def test_an_endpoint_is_removed_once(client: httpx.AsyncClient) -> None:
    made = await add(client)
    assert [(await client.delete(f"{WEBHOOKS}/{made['id']}")).status_code for _ in range(2)] == [204, 404]


async def test_a_test_is_delivered_and_can_be_looked_at(client: httpx.AsyncClient, trial: Trial) -> None:
    made = await add(client, events=["call.received"])
    tried = await client.post(f"{WEBHOOKS}/{made['id']}/test")
    assert (tried.status_code, tried.json()["type"]) == (202, "webhook.test")
    await trial.clock.settle()
    whole = (await client.get(f"{WEBHOOKS}/deliveries/{tried.json()['id']}")).json()
    [(_url, headers, content)] = trial.stores.postman.posts
    assert (whole["state"], whole["webhook_id"], whole["body"]) == (
        "delivered",
        headers["webhook-id"],
        content.decode(),
    )
    assert [one["status"] for one in whole["tries"]] == [200]
    assert (whole["last"]["status"], whole["next_attempt"]) == (200, None)


async def test_deliveries_are_paged_and_filtered(client: httpx.AsyncClient, trial: Trial) -> None:
    made = await add(client, events=["message.*"])
    await tell(trial, 5)
    trial.stores.postman.answers[URL] = 500
    await tell(trial)
    path, seen = f"{WEBHOOKS}/{made['id']}/deliveries", []
    page: dict[str, Any] = {"next": 10**9}
    while page["next"] is not None:
        page = (await client.get(f"{path}?limit=2&before={page['next']}")).json()
        assert len(page["deliveries"]) == 2
        seen += [one["id"] for one in page["deliveries"]]
    assert len(set(seen)) == 6
    pending = (await client.get(f"{path}?state=pending")).json()["deliveries"]
    assert [(one["id"], one["last"]["status"]) for one in pending] == [(seen[0], 500)]
    assert (await client.get(f"{path}?type=call.received")).json() == {"deliveries": [], "next": None}


async def test_one_and_many_are_replayed(client: httpx.AsyncClient, trial: Trial) -> None:
    made = await add(client, events=["message.*"])
    await tell(trial, 3)
    [one, *_rest] = (await client.get(f"{WEBHOOKS}/{made['id']}/deliveries")).json()["deliveries"]
    again = await client.post(f"{WEBHOOKS}/deliveries/{one['id']}/replay")
    assert (again.status_code, again.json()["state"], again.json()["webhook_id"]) == (202, "pending", one["webhook_id"])
    await trial.clock.settle()
    assert len(trial.stores.postman.posts) == 4
    replay, since = f"{WEBHOOKS}/{made['id']}/replay", "2027-01-15T08:00:01Z"
    assert (await client.post(replay, json={"since": since})).json() == {"queued": 0}
    assert (await client.post(replay, json={"since": since, "delivered": True})).json() == {"queued": 2}
    await trial.clock.settle()
    assert len(trial.stores.postman.posts) == 6


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"url": "ftp://example.com"}, "invalid_url"),
        ({"url": "http://user:pw@example.com"}, "invalid_url"),
        ({"url": "http://2130706433/"}, "invalid_url"),
        ({"url": "https://example.com/" + "x" * 2000}, "invalid_request"),
        ({"url": URL, "events": []}, "invalid_request"),
        ({"url": URL, "events": ["nothing.*"]}, "invalid_settings"),
        ({"url": URL, "concurrency": 0}, "invalid_request"),
        ({"url": URL, "secret": "hunter2-canary"}, "invalid_settings"),
        ({"url": URL, "secret": "x" * 10, "colour": "red"}, "invalid_request"),
    ],
)
async def test_a_bad_wish_is_refused_without_repeating_a_secret(
    client: httpx.AsyncClient, body: dict[str, Any], code: str
) -> None:
    answer = await client.post(WEBHOOKS, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert "canary" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/wh_nobody", None),
        ("PATCH", "/wh_nobody", {}),
        ("DELETE", "/wh_nobody", None),
        ("POST", "/wh_nobody/rotate", None),
        ("POST", "/wh_nobody/test", None),
        ("POST", "/wh_nobody/enable", None),
        ("GET", "/wh_nobody/deliveries", None),
        ("POST", "/wh_nobody/replay", {"since": "2027-01-15T08:00:00Z"}),
        ("GET", "/deliveries/wh_nobody-1", None),
        ("POST", "/deliveries/nothing/replay", None),
    ],
)
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    answer = await client.request(method, f"{WEBHOOKS}{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_disabled_endpoint_takes_no_test(client: httpx.AsyncClient) -> None:
    made = await add(client, enabled=False)
    assert (await client.post(f"{WEBHOOKS}/{made['id']}/test")).json()["code"] == "conflict"

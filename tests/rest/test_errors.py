# SPDX-License-Identifier: Apache-2.0
"""Every error is a problem with a stable code, shows nothing from inside, and nothing too large gets in."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.rest.conftest import ANNA, World
from wigwag.adapters.rest import build_app
from wigwag.adapters.rest.doorstep import LARGEST_BODY
from wigwag.adapters.rest.errors import STATUS
from wigwag.app.gateway import Gateway
from wigwag.domain.errors import GatewayError, InvalidMessage, RateLimited
from wigwag.domain.presence import Presence
from wigwag.testing import FakeClock, open_access

DOCS = (Path(__file__).parents[2] / "docs" / "API.md").read_text()
JSON = {"content-type": "application/json"}


def tree(error: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield error
    for child in error.__subclasses__():
        yield from tree(child)


def test_every_error_of_the_domain_has_a_status() -> None:
    ours = {error for error in tree(GatewayError) if error.__module__ == GatewayError.__module__}
    assert ours == set(STATUS)


def test_only_what_may_pass_is_told_to_be_tried_again() -> None:
    assert {error for error, status in STATUS.items() if status == 503} == {e for e in STATUS if e.retryable}


class Failing(Gateway):
    """A gateway that cannot do anything."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def presence(self, contact: str) -> Presence:
        raise self._error


def failing(error: Exception, world: World) -> httpx.AsyncClient:
    app = build_app(
        Failing(error),
        access=open_access(clock := FakeClock()),
        clock=clock,
        exposition=world.exposition,
        observe=world.observe,
        ready=world.ready,
        version="0",
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.mark.parametrize("error", STATUS)
async def test_an_error_of_the_domain_is_a_whole_problem(error: type[GatewayError], world: World) -> None:
    async with failing(error(), world) as client:
        answer = await client.get("/api/presence/x")
    status = STATUS[error]
    assert answer.headers["content-type"] == "application/problem+json"
    more = {"reason": "invalid_message"} if error is InvalidMessage else {}
    assert answer.json() == {
        "type": f"urn:wigwag:problem:{error.code}",
        "title": status.phrase,
        "status": status.value,
        "detail": str(error()),
        "instance": "/api/presence/x",
        "code": error.code,
        **more,
    }
    waits = error.retryable or error is RateLimited
    assert (answer.status_code, "retry-after" in answer.headers) == (status.value, waits)


async def test_an_unforeseen_error_is_logged_masked_and_not_shown(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with failing(KeyError(f"no row for {ANNA}"), world) as client:
            answer = await client.get("/api/presence/x")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "row" not in answer.text
    assert "KeyError" in caplog.text
    assert "91…10@s.whatsapp.net" in caplog.text
    assert "919876543210" not in caplog.text
    assert world.requests == [("/api/presence/{jid}", "GET", 500)]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/api/presence/", 404, "not_found"),
        ("PUT", "/api/presence", 405, "method_not_allowed"),
        ("GET", "/api/presence/abc", 422, "invalid_jid"),
        ("GET", "/api/presence/123@g.us", 422, "invalid_jid"),
        ("GET", "/api/presence/123456789012345@lid", 422, "invalid_jid"),
        ("GET", "/api/presence?online=perhaps", 422, "invalid_request"),
        ("GET", "/api/subscriptions?state=lost", 422, "invalid_request"),
        ("DELETE", "/api/contacts/abc", 422, "invalid_jid"),
        ("GET", "/docs", 404, "not_found"),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path, follow_redirects=True)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", ["{", "", "{'a': 1}", '{"name": "a"}}', "\udc00".encode("utf-8", "surrogatepass")])
async def test_a_body_that_is_not_json_is_refused(client: httpx.AsyncClient, body: str | bytes) -> None:
    answer = await client.post("/api/accounts", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] in ("malformed_json", "bad_request", "invalid_request")


async def test_what_was_sent_is_not_repeated(client: httpx.AsyncClient) -> None:
    """Numbers would travel into the logs of whoever called."""
    answer = await client.post("/api/subscriptions", json={"contacts": [{"phone": "not 919876543210 either"}]})
    assert answer.status_code == 422
    assert "919876543210" not in answer.text


async def announced() -> AsyncIterator[bytes]:
    yield b'{"jids": ["' + b"1" * LARGEST_BODY + b'"]}'


@pytest.mark.parametrize("length_known", [True, False])
async def test_a_body_that_is_too_large_is_not_read(client: httpx.AsyncClient, length_known: bool) -> None:
    body = b"".join([chunk async for chunk in announced()]) if length_known else announced()
    answer = await client.post("/api/subscriptions", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_of_the_largest_size_is_read(client: httpx.AsyncClient) -> None:
    body = b'{"name": "sales"}'.ljust(LARGEST_BODY)
    assert (await client.post("/api/accounts", content=body, headers=JSON)).status_code == 201


@pytest.mark.parametrize(
    ("method", "site", "status"),
    [
        ("POST", "cross-site", 403),
        ("POST", "same-site", 403),
        ("POST", "same-origin", 202),
        ("POST", "none", 202),
        ("GET", "cross-site", 200),
    ],
)
async def test_a_page_of_another_site_cannot_act(
    client: httpx.AsyncClient, method: str, site: str, status: int
) -> None:
    path = "/api/accounts/default/connect" if method == "POST" else "/api/accounts/default"
    assert (await client.request(method, path, headers={"sec-fetch-site": site})).status_code == status


@pytest.mark.parametrize("path", ["/api/presence", "/livez", "/nowhere", "/metrics"])
async def test_no_answer_is_guessed_at_framed_or_kept(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"


# --- the description


OPERATIONS = {
    "list_presences", "presence_stats", "list_typing", "get_presence", "get_history", "erase_contact",
    "list_subscriptions", "track", "untrack", "subscription_stats", "get_pace", "set_pace",
    "list_tracked_groups", "track_group", "untrack_group", "list_groups",
    "list_accounts", "add_account", "get_account", "change_account", "remove_account", "connect", "disconnect",
    "get_qr", "pair_by_code",
    "send_message", "list_messages", "message_stats", "get_message", "cancel_message", "delete_message",
    "retry_message", "upload_media", "list_chat", "get_media", "mark_read",
    "list_dead_letters", "get_dead_letter", "drop_dead_letter", "drop_dead_letters", "replay_dead_letter",
    "replay_dead_letters",
    "list_templates", "get_template", "put_template", "remove_template",
    "list_webhooks", "add_webhook", "get_webhook", "change_webhook", "remove_webhook", "rotate_webhook",
    "test_webhook", "enable_webhook", "replay_webhook", "list_deliveries", "get_delivery", "replay_delivery",
    "list_users", "user_stats", "get_user", "put_user", "remove_user", "add_contacts", "remove_contacts",
    "get_user_presence", "list_user_presences", "list_grants", "grant", "revoke",
    "get_session", "sign_in", "sign_out", "list_keys", "add_key", "get_key", "revoke_key", "list_audit",
    "livez", "readyz", "healthz", "list_devices", "metrics",
    *("follow_events", "get_system", "list_findings", "list_timelines", "list_members", "get_subscription"),
}  # fmt: skip


async def test_the_names_of_operations_stay(client: httpx.AsyncClient) -> None:
    """Generated clients call their functions by these."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {operation["operationId"] for path in paths.values() for operation in path.values()} == OPERATIONS


async def test_every_error_is_described_as_a_problem(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    assert {"Problem", "Presence"} <= schema["components"]["schemas"].keys()
    assert "ValidationError" not in str(schema)
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert operation["tags"], path
            for status, answer in operation["responses"].items():
                if status[0] in "45" and path not in ("/readyz", "/healthz"):
                    (content,) = answer["content"].items()
                    assert content == (
                        "application/problem+json",
                        {"schema": {"$ref": "#/components/schemas/Problem"}},
                    )


async def test_the_docs_name_every_request(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    requests = {f"`{method.upper()} {path}`" for path, operations in paths.items() for method in operations}
    assert {request for request in requests if request not in DOCS} == set()

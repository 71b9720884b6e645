# SPDX-License-Identifier: Apache-2.0
"""What models may see and do, by key; what they are told when it cannot be done; and what is noted of it."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from mcp import Client

from tests.mcp.conftest import ANNA, BERT, Town, town
from wigwag.app.ports import JobFilter
from wigwag.domain.access import AccessRefused, Scope, ToolUsed
from wigwag.domain.account import LinkSignal
from wigwag.domain.delivery import State
from wigwag.domain.ids import Jid

READ = {"list_contacts", "get_presence", "get_history", "list_accounts", "list_messages", "get_message"}
READ |= {"list_failures", "read_chat"}
SEND = {"send_message", "cancel_message", "look_up"}
TRACK = {"track_contact", "untrack_contact"}
DAVE = "919555000111"


async def use(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool answers."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    answer: dict[str, Any] = result.structured_content
    return answer


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """What a tool says when it does not do it."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("read", READ),
        ("send", SEND),
        ("track", TRACK),
        ("metrics", set()),
        ("admin", READ | SEND | TRACK),
    ],
)
async def test_a_model_is_shown_what_its_key_may_do(whole: Town, key: str, shown: set[str]) -> None:
    async with whole.model(key) as model:
        listed = (await model.list_tools()).tools
        assert {tool.name for tool in listed} == shown
        assert all(tool.description and tool.input_schema for tool in listed)
        assert {tool.name for tool in listed if tool.annotations and tool.annotations.read_only_hint} == shown & READ


async def test_where_only_reading_is_wanted_nothing_else_is_there() -> None:
    async with town("read_only") as whole, whole.model("admin") as model:
        assert {tool.name for tool in (await model.list_tools()).tools} == READ
        assert "Unknown tool" in await refusal(model, "send_message", to=DAVE, text="Hi")
        assert whole.trial.whatsapp.sent == []


@pytest.mark.parametrize(
    ("key", "tool", "arguments", "scope"),
    [
        ("read", "send_message", {"to": DAVE, "text": "Hi"}, Scope.SEND),
        ("read", "look_up", {"numbers": [DAVE]}, Scope.SEND),
        ("send", "list_contacts", {}, Scope.READ),
        ("send", "track_contact", {"contact": DAVE}, Scope.TRACK),
        ("track", "read_chat", {"chat": ANNA}, Scope.READ),
        ("metrics", "list_accounts", {}, Scope.READ),
    ],
)
async def test_a_tool_beyond_the_key_is_refused_and_does_nothing(
    whole: Town, key: str, tool: str, arguments: dict[str, Any], scope: Scope
) -> None:
    async with whole.model(key) as model:
        assert f"a key with the scope {scope}" in await refusal(model, tool, **arguments)
    assert whole.trial.whatsapp.sent == []
    assert whole.trial.core.gateway.presence_counts().total == 2
    assert [fact.outcome for fact in whole.trial.facts.of(ToolUsed)] == ["refused"]
    assert "scope" in {fact.reason for fact in whole.trial.facts.of(AccessRefused)}


@pytest.mark.parametrize("key", [None, "false"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/mcp"), ("GET", "/mcp"), ("GET", "/sse"), ("POST", "/messages")]
)
async def test_without_a_key_there_is_no_way_in(whole: Town, key: str | None, method: str, path: str) -> None:
    headers = {"x-api-key": whole.keys[key]} if key else {}
    transport = httpx2.ASGITransport(app=whole.app, client=("192.0.2.7", 50000))  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example", headers=headers) as http:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        answer = await http.request(method, path, json=body if method == "POST" else None)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_presence_is_read_and_unknown_is_not_offline(whole: Town) -> None:
    jid = Jid(f"{ANNA}@s.whatsapp.net")
    whole.trial.whatsapp.tell_presence(jid, online=True)
    await whole.trial.clock.advance(1.0)
    async with whole.model("read") as model:
        anna = await use(model, "get_presence", contact=f"+{ANNA}")
        assert (anna["jid"], anna["name"], anna["state"]) == (jid, "Anna", "online")
        everybody = await use(model, "list_contacts")
        assert {each["name"]: each["state"] for each in everybody["contacts"]} == {"Anna": "online", "Bert": "offline"}
        assert [everybody[name] for name in ("tracked", "online", "offline", "unknown")] == [2, 1, 1, 0]
        assert [each["name"] for each in (await use(model, "list_contacts", state="offline"))["contacts"]] == ["Bert"]
        assert [each["name"] for each in (await use(model, "list_contacts", query="ann"))["contacts"]] == ["Anna"]
        history = await use(model, "get_history", contact=ANNA)
        assert [span["end"] for span in history["online"]] == [None]
        assert "not tracked" in await refusal(model, "get_presence", contact=DAVE)
        whole.trial.whatsapp.tell_link(LinkSignal.DOWN)
        await whole.trial.clock.settle()
        everybody = await use(model, "list_contacts", state="unknown")
        assert {each["name"] for each in everybody["contacts"]} == {"Anna", "Bert"}
        assert (everybody["offline"], everybody["unknown"]) == (0, 2)


async def test_a_message_goes_out_once_and_is_followed(whole: Town) -> None:
    async with whole.model("admin") as model:
        first = await use(model, "send_message", to=f"+{ANNA}", text="Hello", idempotency_key="one")
        again = await use(model, "send_message", to=f"+{ANNA}", text="Hello", idempotency_key="one")
        assert again["id"] == first["id"]
        await whole.trial.clock.advance(1.0)
        assert (await use(model, "get_message", id=first["id"]))["state"] == State.SENT
        assert [sent.to for sent in whole.trial.whatsapp.sent] == [f"{ANNA}@s.whatsapp.net"]
        assert [each["id"] for each in (await use(model, "list_messages", to=ANNA))["messages"]] == [first["id"]]
        assert (await use(model, "list_messages", states=["failed"]))["messages"] == []
        assert [line["text"] for line in (await use(model, "read_chat", chat=ANNA))["lines"]] == ["Hello"]
        failures = await use(model, "list_failures")
        assert failures == {"failed": [], "unconfirmed": [], "dead_letters": []}
    [job] = await whole.trial.core.gateway.messages.jobs(JobFilter(), 10)
    assert job.door == "mcp"


async def test_a_message_for_later_is_taken_back(whole: Town) -> None:
    due = datetime.fromtimestamp(whole.trial.clock.now() + 3600, UTC).isoformat()
    async with whole.model("send") as model:
        later = await use(model, "send_message", to=ANNA, text="Later", send_at=due)
        assert later["state"] == State.ACCEPTED
        assert datetime.fromisoformat(later["send_at"]) == datetime.fromisoformat(due)
        assert (await use(model, "cancel_message", id=later["id"]))["state"] == State.CANCELLED


async def test_numbers_are_looked_up(whole: Town) -> None:
    whole.trial.whatsapp.registry = {Jid(f"{ANNA}@s.whatsapp.net"): Jid(f"{ANNA}@s.whatsapp.net")}
    async with whole.model("send") as model:
        found = (await use(model, "look_up", numbers=[f"+{ANNA}", DAVE]))["numbers"]
    assert found == [{"number": f"+{ANNA}", "jid": f"{ANNA}@s.whatsapp.net"}, {"number": DAVE, "jid": None}]


async def test_people_are_tracked_and_no_longer(whole: Town) -> None:
    async with whole.model("track") as model:
        assert await use(model, "track_contact", contact=f"+{DAVE}", name="Dave") == {
            "contact": f"{DAVE}@s.whatsapp.net",
            "tracked": True,
        }
        assert whole.trial.core.gateway.presence(DAVE).name == "Dave"
        await use(model, "untrack_contact", contact=DAVE)
        assert "tracked" in await refusal(model, "untrack_contact", contact=DAVE)


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("send_message", {"to": "12", "text": "Hi"}, "invalid_jid"),
        ("send_message", {"to": ANNA, "text": ""}, "text"),
        ("send_message", {"to": ANNA}, "text"),
        ("get_message", {"id": "nobody"}, "not_found"),
        ("get_history", {"contact": ANNA, "hours": 0}, "hours"),
        ("list_contacts", {"state": "asleep"}, "state"),
        ("list_contacts", {"limit": 201}, "limit"),
        ("fly", {}, "Unknown tool"),
    ],
)
async def test_what_cannot_be_done_is_said_in_words(
    whole: Town, tool: str, arguments: dict[str, Any], words: str
) -> None:
    async with whole.model("admin") as model:
        assert words in await refusal(model, tool, **arguments)
    assert [fact.outcome for fact in whole.trial.facts.of(ToolUsed)] == ["failed"]


async def test_what_was_done_is_noted_without_texts_and_numbers(whole: Town) -> None:
    async with whole.model("admin") as model:
        await use(model, "list_contacts")
        await use(model, "send_message", to=ANNA, text="a secret")
        await use(model, "track_contact", contact=BERT)
    entries = await whole.trial.core.access.audit.entries(10)
    assert [(entry.action, entry.target, entry.status, entry.address) for entry in entries] == [
        ("track_contact", "mcp", 200, "192.0.2.7"),
        ("send_message", "mcp", 200, "192.0.2.7"),
    ]
    assert [(fact.tool, fact.outcome) for fact in whole.trial.facts.of(ToolUsed)] == [
        ("list_contacts", "ok"),
        ("send_message", "ok"),
        ("track_contact", "ok"),
    ]

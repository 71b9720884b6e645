# SPDX-License-Identifier: Apache-2.0
"""A model's host as it is: the official client, over each transport, to a gateway whose contact reads what it sends."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from tests.acceptance.processes import Process, pair, wait, wigwag

ACCOUNT, ANNA = "15550001111", "15550100001"
KEY = "an-operators-key-that-is-long-enough-0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    gateway: Process
    simulator: Process


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("mcp")
    with wigwag("simulate", log=home / "simulator.log") as simulator:
        simulator.put(f"/sim/contacts/{ANNA}", {"name": "Anna"})
        serving = ("serve", "--data", str(home / "data"), "--simulator", simulator.url)
        with wigwag(*serving, log=home / "gateway.log") as gateway:
            pair(gateway, simulator, ACCOUNT)
            gateway.post("/api/subscriptions", {"contacts": [{"phone": ANNA, "name": "Anna"}], "priority": 1})
            wait(lambda: gateway.get("/api/presence/stats")["observed"] == 1, gateway)
            yield Place(gateway=gateway, simulator=simulator)


@asynccontextmanager
async def over_http(url: str) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient() as http, Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client:
        yield client


@asynccontextmanager
async def over_sse(url: str) -> AsyncIterator[Client]:
    async with Client(sse_client(f"{url}/sse"), mode="legacy") as client:
        yield client


@asynccontextmanager
async def over_stdio(url: str) -> AsyncIterator[Client]:
    command = StdioServerParameters(command=sys.executable, args=["-m", "wigwag", "mcp", "--url", url])
    async with Client(stdio_client(command)) as client:
        yield client


async def use(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    answer: dict[str, Any] = result.structured_content
    return answer


@pytest.mark.parametrize("transport", [over_http, over_sse, over_stdio])
async def test_a_model_lists_the_tools_sends_what_is_read_and_sees_who_is_online(place: Place, transport: Any) -> None:
    text = f"hello over {transport.__name__}"
    place.simulator.post(f"/sim/contacts/{ANNA}/presence", {"online": True})
    wait(lambda: place.gateway.get("/api/presence/stats")["online_count"] == 1, place.gateway)
    async with transport(place.gateway.url) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert {"send_message", "look_up", "get_presence", "get_history", "track_contact", "list_failures"} <= names
        sent = await use(client, "send_message", to=f"+{ANNA}", text=text)
        wait(lambda: text in {line["text"] for line in place.simulator.get("/sim/inbox")}, place.gateway)
        wait(lambda: place.gateway.get(f"/api/messages/{sent['id']}")["state"] in ("delivered", "read"), place.gateway)
        assert (await use(client, "get_message", id=sent["id"]))["state"] in ("delivered", "read")
        anna = await use(client, "get_presence", contact=ANNA)
        assert (anna["name"], anna["state"]) == ("Anna", "online")
        assert [each["state"] for each in (await use(client, "list_accounts"))["accounts"]] == ["connected"]
    place.simulator.post(f"/sim/contacts/{ANNA}/presence", {"online": False})
    wait(lambda: place.gateway.get("/api/presence/stats")["online_count"] == 0, place.gateway)


@pytest.mark.parametrize(
    ("answers", "words"), [(False, "no gateway answers at"), (True, "does not let us in: check WIGWAG_API_KEY")]
)
async def test_the_bridge_says_why_there_are_no_tools(place: Place, tmp_path: Path, answers: bool, words: str) -> None:
    url, errors = place.gateway.url if answers else "http://127.0.0.1:9", tmp_path / "errors"
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "wigwag", "mcp", "--url", url], env={"WIGWAG_API_KEY": KEY}
    )
    with errors.open("w") as log, pytest.raises(Exception, match=r"."):
        async with Client(stdio_client(command, errlog=log)):
            pass
    said = errors.read_text()
    assert words in said
    assert KEY not in said

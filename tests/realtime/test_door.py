# SPDX-License-Identifier: Apache-2.0
"""Who is turned away before a connection is there, and what pages of other origins may see."""

import pytest

from tests.realtime.asgi import world
from wigwag.adapters.realtime import Limits

OURS = "https://app.example"


@pytest.mark.parametrize(
    ("method", "query", "code", "counted"),
    [
        ("GET", {"EIO": "missing"}, 5, "refused_version"),
        ("GET", {"EIO": "abc"}, 5, "refused_version"),
        ("GET", {"EIO": "3"}, 5, "refused_version"),
        ("GET", {"transport": "missing"}, 0, "refused_transport"),
        ("GET", {"transport": "abc"}, 0, "refused_transport"),
        ("GET", {"transport": "websocket"}, 3, "refused_request"),
        ("GET", {"sid": "nobody"}, 1, "refused_session"),
        ("POST", {"sid": "nobody"}, 1, "refused_session"),
        ("POST", {}, 2, "refused_method"),
        ("PUT", {}, 2, "refused_method"),
    ],
)
async def test_a_request_that_is_wrong_in_itself_is_refused(
    method: str, query: dict[str, str], code: int, counted: str
) -> None:
    async with world() as w:
        answer = await w.request(method, query=query)
        assert (answer.status, answer.json()["code"]) == (400, code)
        assert w.server.counts == {counted: 1}


@pytest.mark.parametrize("query", [{"EIO": "3"}, {"transport": "abc"}, {"transport": "polling"}, {"sid": "nobody"}])
async def test_a_websocket_that_is_wrong_in_itself_is_not_opened(query: dict[str, str]) -> None:
    async with world() as w:
        socket = await w.websocket(query=query)
        assert socket.status == 400
        assert w.server.connections == 0


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ([OURS], OURS, True),
        ([OURS], None, True),
        ([OURS], "https://evil.example", False),
        ([OURS], "null", False),
        ([OURS], "https://app.example.evil.example", False),
        ([OURS], "http://app.example", False),
        ([], OURS, False),
        (["*"], "https://evil.example", True),
    ],
)
async def test_a_page_of_a_foreign_origin_stays_outside(origins: list[str], origin: str | None, allowed: bool) -> None:
    async with world(origins=origins) as w:
        headers = {} if origin is None else {"Origin": origin}
        socket = await w.websocket(headers=headers)
        answer = w.ask(headers=headers)
        await w.clock.settle()
        assert (socket.status, answer.status) == ((101, 200) if allowed else (403, 403))
        assert w.server.counts["refused_origin"] == (0 if allowed else 2)


@pytest.mark.parametrize(
    ("origins", "seen", "cookies"), [([OURS], OURS, "true"), (["*"], "*", None), (["https://b.example"], None, None)]
)
async def test_a_page_may_read_the_answers_if_its_origin_is_allowed(
    origins: list[str], seen: str | None, cookies: str | None
) -> None:
    async with world(origins=origins) as w:
        for method in ("GET", "OPTIONS"):
            answer = w.ask(method, headers={"Origin": OURS})
            await w.clock.settle()
            assert answer.headers.get("access-control-allow-origin") == seen
            assert answer.headers.get("access-control-allow-credentials") == cookies


async def test_a_browser_that_asks_first_is_told_what_it_may_send() -> None:
    async with world(origins=[OURS]) as w:
        answer = w.ask("OPTIONS", headers={"Origin": OURS})
        await w.clock.settle()
        assert answer.status == 204
        assert answer.headers["access-control-allow-methods"] == "GET, POST"
        assert w.server.connections == 0


async def test_when_the_house_is_full_newcomers_are_refused_until_somebody_leaves() -> None:
    async with world(Limits(connections=2)) as w:
        first, _second = await w.connected(), await w.connected()
        assert (await w.websocket()).status == 503
        assert (await w.request()).status == 503
        first.hang_up()
        await w.clock.settle()
        assert (await w.request()).status == 200
        assert w.server.counts["refused_connections"] == 2


async def test_one_address_cannot_take_all_places() -> None:
    async with world(Limits(per_address=1)) as w:
        assert (await w.websocket(address="10.0.0.1")).accepted
        assert (await w.websocket(address="10.0.0.1")).status == 429
        assert (await w.websocket(address="10.0.0.2")).accepted
        assert w.server.counts["refused_connections_of_address"] == 1

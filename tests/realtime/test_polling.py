# SPDX-License-Identifier: Apache-2.0
"""Sockets over long polling, and their move to a websocket."""

import asyncio

import pytest

from tests.realtime.asgi import world
from wigwag.adapters.realtime import Limits


async def test_a_poll_waits_until_there_is_something_to_say() -> None:
    async with world() as w:
        sid = await w.polling()
        assert (await w.request("POST", "40", sid=sid)).body == "ok"
        assert (await w.request(sid=sid)).body == f'40{{"sid":"{w.handlers.connected[0]}"}}\x1e42["auth",{{}}]'
        poll = await w.request(sid=sid)
        assert poll.status == 0
        w.server.emit(w.handlers.connected, "x")
        w.server.emit(w.handlers.connected, "y", b"\x01")
        await w.clock.settle()
        assert poll.body == '42["x"]\x1e451-["y",{"_placeholder":true,"num":0}]\x1ebAQ=='
        assert poll.headers["cache-control"] == "no-store"


async def test_packets_of_one_request_are_done_in_order() -> None:
    async with world() as w:
        sid = await w.polling()
        await w.request("POST", '40\x1e42["message",1]\x1e427["message-with-ack",2]', sid=sid)
        assert w.handlers.events == [("message", [1]), ("message-with-ack", [2])]


@pytest.mark.parametrize(
    ("body", "status", "counted"),
    [
        ("abc", 400, "protocol_error"),
        ("", 400, "protocol_error"),
        ("b!", 400, "protocol_error"),
        ("42[]", 400, "protocol_error"),
        (b"\xff", 400, "protocol_error"),
        ("4" * 65_537, 413, "payload_too_large"),
    ],
)
async def test_a_request_that_cannot_be_read_ends_the_session(body: str | bytes, status: int, counted: str) -> None:
    async with world() as w:
        sid = await w.polling()
        assert (await w.request("POST", body, sid=sid)).status == status
        assert w.server.counts[counted] == 1
        assert (await w.request(sid=sid)).status == 400


async def test_a_second_poll_beside_the_first_ends_the_session() -> None:
    async with world() as w:
        sid = await w.polling()
        first, second = w.ask(sid=sid), w.ask(sid=sid)
        await w.clock.settle()
        assert (first.status, first.body) == (200, "1")
        assert second.status == 400
        assert (await w.request(sid=sid)).status == 400
        assert w.server.connections == 0


async def test_a_second_post_beside_the_first_ends_the_session() -> None:
    async with world() as w:
        sid = await w.polling()
        first = await w.request("POST", '40\x1e42["wait"]', sid=sid)
        assert (await w.request("POST", "3", sid=sid)).status == 400
        w.handlers.go_on.set()
        await w.clock.settle()
        assert first.status == 400
        assert w.handlers.gone == [(w.handlers.connected[0], False)]


async def test_a_request_that_breaks_off_ends_the_session_and_nothing_of_it_is_done() -> None:
    async with world() as w:
        sid = await w.polling()
        await w.request("POST", "40", sid=sid)
        leaves = asyncio.Event()
        w.ask("POST", '42["message"]\x1e42["message"]', sid=sid, leaves=leaves, halfway=True)
        await w.clock.settle()
        leaves.set()
        await w.clock.settle()
        assert w.handlers.events == []
        assert w.server.counts["transport_closed"] == 1


async def test_a_second_post_while_the_first_is_still_coming_ends_the_session() -> None:
    async with world() as w:
        sid = await w.polling()
        w.ask("POST", "40", sid=sid, halfway=True)
        await w.clock.settle()
        assert (await w.request("POST", "40", sid=sid)).status == 400
        assert w.server.counts["overlapping_requests"] == 1
        assert w.handlers.connected == []


async def test_a_goodbye_is_clean_and_lets_the_poll_go() -> None:
    async with world() as w:
        sid = await w.polling()
        await w.request("POST", "40", sid=sid)
        await w.request(sid=sid)
        poll = await w.request(sid=sid)
        assert (await w.request("POST", "1", sid=sid)).body == "ok"
        assert poll.body == "6"
        assert w.handlers.gone == [(w.handlers.connected[0], True)]
        assert (await w.request(sid=sid)).status == 400


async def test_who_goes_away_during_a_poll_is_gone_at_once() -> None:
    async with world() as w:
        sid = await w.polling()
        await w.request("POST", "40", sid=sid)
        await w.request(sid=sid)
        leaves = asyncio.Event()
        w.ask(leaves=leaves, sid=sid)
        await w.clock.settle()
        assert w.handlers.gone == []
        leaves.set()
        await w.clock.settle()
        assert w.handlers.gone == [(w.handlers.connected[0], False)]


async def test_a_disconnected_client_learns_of_it_at_its_next_poll() -> None:
    async with world() as w:
        sid = await w.polling()
        await w.request("POST", "40", sid=sid)
        await w.request(sid=sid)
        await w.server.disconnect(w.handlers.connected[0], "token_expired")
        assert w.server.connections == 0
        assert (await w.request("POST", '42["late"]', sid=sid)).status == 400
        poll = await w.request(sid=sid)
        assert '"code":"token_expired"' in poll.body
        assert poll.body.endswith("\x1e41")
        assert (await w.request(sid=sid)).body == "1"
        assert (await w.request(sid=sid)).status == 400


async def test_a_disconnected_client_that_never_polls_is_forgotten() -> None:
    async with world() as w:
        sid = await w.polling()
        await w.request("POST", "40", sid=sid)
        await w.server.disconnect(w.handlers.connected[0], "token_expired")
        await w.polling()
        await w.clock.advance(41.0)
        assert (await w.request(sid=sid)).status == 400


async def test_who_does_not_poll_is_cut_off_at_the_limit() -> None:
    async with world(Limits(outbox=500)) as w:
        sid = await w.polling()
        await w.request("POST", "40", sid=sid)
        for _ in range(10):
            w.server.emit(w.handlers.connected, "x", "y" * 90)
        await w.clock.settle()
        assert w.server.counts["slow_reader"] == 1
        assert (await w.request(sid=sid)).status == 400


async def test_a_session_moves_to_a_websocket_and_loses_nothing() -> None:
    async with world() as w:
        sid = await w.polling()
        await w.request("POST", "40", sid=sid)
        await w.request(sid=sid)
        poll = await w.request(sid=sid)
        socket = await w.websocket(sid=sid)
        await w.tell(socket, "2probe")
        assert (socket.got, poll.body) == (["3probe"], "6")
        assert (await w.request(sid=sid)).body == "6"
        w.server.emit(w.handlers.connected, "between")
        await w.tell(socket, "5", '42["message"]')
        w.server.emit(w.handlers.connected, "after")
        await w.clock.settle()
        assert socket.got[1:] == ['42["between"]', '42["message-back"]', '42["after"]']
        assert (await w.request(sid=sid)).status == 400
        assert w.handlers.gone == []


async def test_what_is_said_during_the_trial_may_still_go_with_a_poll() -> None:
    async with world() as w:
        sid = await w.polling()
        await w.request("POST", "40", sid=sid)
        await w.request(sid=sid)
        socket = await w.websocket(sid=sid)
        await w.tell(socket, "2probe")
        w.server.emit(w.handlers.connected, "between")
        assert (await w.request(sid=sid)).body == '42["between"]'
        await w.tell(socket, "5")
        assert socket.got == ["3probe"]


@pytest.mark.parametrize("frames", [["5"], ["2"], ["2probe", "4x"], ["2probe", b"5"], [b"2probe"]])
async def test_a_websocket_that_fails_its_trial_leaves_the_session_as_it_is(frames: list[str | bytes]) -> None:
    async with world() as w:
        sid = await w.polling()
        socket = await w.websocket(sid=sid)
        await w.tell(socket, *frames)
        assert socket.closed is not None
        poll = await w.request(sid=sid)
        assert poll.status == 0
        await w.request("POST", "40", sid=sid)
        assert poll.body.startswith("40")


@pytest.mark.parametrize("frames", [[], ["2probe"], ["2probe", "5"]])
async def test_a_second_websocket_for_a_session_is_closed_and_the_first_goes_on(frames: list[str]) -> None:
    async with world() as w:
        sid = await w.polling()
        first = await w.websocket(sid=sid)
        await w.tell(first, *frames)
        second = await w.websocket(sid=sid)
        assert second.closed is not None
        assert first.closed is None


async def test_a_websocket_on_trial_ends_with_its_session() -> None:
    async with world() as w:
        sid = await w.polling()
        socket = await w.websocket(sid=sid)
        await w.request("POST", "1", sid=sid)
        assert socket.closed == "goodbye"
        assert all(task.done() for task in w.tasks)


async def test_a_session_does_not_move_while_an_event_of_it_is_handled() -> None:
    async with world() as w:
        sid = await w.polling()
        await w.request("POST", '40\x1e42["wait"]', sid=sid)
        socket = await w.websocket(sid=sid)
        await w.tell(socket, "2probe", "5")
        assert socket.closed is not None
        w.handlers.go_on.set()

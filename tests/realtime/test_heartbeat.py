# SPDX-License-Identifier: Apache-2.0
"""Who falls silent is noticed in time; who does not is left alone, even when it was us who slept."""

import json

import pytest

from tests.realtime.asgi import world
from wigwag.adapters.realtime import Limits

RHYTHMS = [(10.0, 7.0), (10.0, 30.0), (0.3, 0.2)]


@pytest.mark.parametrize(("interval", "timeout"), RHYTHMS)
async def test_a_pulled_cable_is_noticed_after_interval_and_timeout(interval: float, timeout: float) -> None:
    async with world(ping_interval=interval, ping_timeout=timeout) as w:
        socket = await w.connected()
        await w.clock.advance(interval * 1.01)
        assert socket.got == ["2"]
        await w.clock.advance(timeout - interval * 0.02)
        assert w.handlers.gone == []
        await w.clock.advance(interval * 0.03)
        assert socket.closed == "ping_timeout"
        assert w.handlers.gone == [(w.handlers.connected[0], False)]


@pytest.mark.parametrize(("interval", "timeout"), RHYTHMS)
async def test_who_answers_stays_for_ever(interval: float, timeout: float) -> None:
    async with world(ping_interval=interval, ping_timeout=timeout) as w:
        sockets = [await w.connected() for _ in range(3)]
        for _ in range(30):
            await w.clock.advance(interval * 1.01)
            for socket in sockets:
                assert socket.got == ["2"]
                socket.got.clear()
                await w.tell(socket, "3")
        assert w.handlers.gone == []


async def test_newcomers_at_any_time_have_their_own_rhythm() -> None:
    async with world(ping_timeout=7.0) as w:
        early = await w.connected()
        await w.clock.advance(5.0)
        late = await w.connected()
        await w.clock.advance(5.1)
        assert (early.got, late.got) == (["2"], [])
        await w.tell(early, "3")
        await w.clock.advance(5.0)
        assert (early.got, late.got) == (["2"], ["2"])
        await w.clock.advance(7.1)
        assert (early.closed, late.closed) == (None, "ping_timeout")


async def test_pongs_that_nobody_asked_for_buy_no_time() -> None:
    async with world(ping_timeout=7.0) as w:
        socket = await w.connected()
        await w.tell(socket, "3", "3")
        await w.clock.advance(10.1)
        assert socket.got == ["2"]
        await w.clock.advance(7.0)
        assert socket.closed == "ping_timeout"


async def test_when_we_slept_everybody_gets_the_time_once_more() -> None:
    async with world(ping_timeout=7.0) as w:
        socket = await w.connected()
        await w.clock.advance(10.1)
        await w.clock.jump(60.0)
        assert socket.closed is None
        await w.clock.advance(7.1)
        assert socket.closed == "ping_timeout"


async def test_after_a_sleep_a_pong_saves() -> None:
    async with world(ping_timeout=7.0) as w:
        socket = await w.connected()
        await w.clock.jump(60.0)
        await w.tell(socket, "3")
        await w.clock.advance(9.9)
        assert socket.closed is None


async def test_nobody_is_called_silent_while_we_do_not_listen() -> None:
    async with world(ping_timeout=7.0) as w:
        socket = await w.connected()
        await w.tell(socket, '42["wait"]')
        await w.clock.advance(30.0)
        assert socket.closed is None
        w.handlers.go_on.set()
        await w.tell(socket, "3")
        await w.clock.advance(9.9)
        assert socket.closed is None


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_who_opens_and_never_connects_is_closed(transport: str) -> None:
    async with world(Limits(connect=3.0)) as w:
        socket = await w.websocket() if transport == "websocket" else None
        if socket is None:
            await w.polling()
        await w.clock.advance(2.9)
        assert w.server.connections == 1
        await w.clock.advance(0.2)
        assert w.server.connections == 0
        assert w.server.counts["no_connect"] == 1
        assert socket is None or socket.closed == "no_connect"


async def test_a_poll_brings_the_ping_and_a_post_the_pong() -> None:
    async with world(ping_timeout=7.0) as w:
        sid = await w.polling()
        await w.request("POST", "40", sid=sid)
        await w.request(sid=sid)
        for _ in range(3):
            poll = await w.request(sid=sid)
            await w.clock.advance(10.1)
            assert poll.body == "2"
            assert (await w.request("POST", "3", sid=sid)).body == "ok"
        poll = await w.request(sid=sid)
        await w.clock.advance(17.1)
        assert poll.body == "2"
        assert (await w.request(sid=sid)).status == 400
        assert w.server.counts["ping_timeout"] == 1


# --- silence


async def test_the_client_is_told_the_seeds_times() -> None:
    async with world() as w:
        told = json.loads((await w.request()).body[1:])
        assert (told["pingInterval"], told["pingTimeout"]) == (10_000, 30_000)


async def test_a_pulled_cable_is_silence_long_before_it_is_the_end() -> None:
    async with world() as w:
        socket = await w.connected()
        [device] = w.handlers.connected
        await w.clock.advance(15.9)
        assert w.handlers.silence == []
        await w.clock.advance(0.2)
        assert w.handlers.silence == [("silent", device)]
        await w.clock.advance(23.8)
        assert (socket.closed, w.handlers.gone) == (None, [])
        await w.clock.advance(0.2)
        assert (socket.closed, w.handlers.gone) == ("ping_timeout", [(device, False)])
        assert w.handlers.silence == [("silent", device)]


@pytest.mark.parametrize("late", [0.0, 5.8])
async def test_who_answers_in_time_is_never_silent(late: float) -> None:
    async with world() as w:
        socket = await w.connected()
        for _ in range(5):
            await w.clock.advance(10.1 + late)
            await w.tell(socket, "3")
        assert w.handlers.silence == []


async def test_who_answers_late_is_back_and_may_fall_silent_again() -> None:
    async with world() as w:
        socket = await w.connected()
        [device] = w.handlers.connected
        for _ in range(2):
            await w.clock.advance(35.0)
            await w.tell(socket, "3")
        assert w.handlers.silence == [("silent", device), ("back", device)] * 2
        assert w.handlers.gone == []
        assert w.server.counts["silent"] == w.server.counts["back"] == 2


async def test_who_could_not_be_let_back_is_let_back_at_the_next_answer() -> None:
    async with world() as w:
        socket = await w.connected()
        w.handlers.breaks = True
        await w.clock.advance(20.0)
        await w.tell(socket, "3")
        w.handlers.breaks = False
        await w.clock.advance(10.1)
        await w.tell(socket, "3")
        await w.clock.advance(10.1)
        await w.tell(socket, "3")
        assert [what for what, _ in w.handlers.silence] == ["silent", "back", "back"]


async def test_nobody_is_silent_while_we_sleep_or_do_not_listen() -> None:
    async with world() as w:
        socket = await w.connected()
        await w.clock.advance(10.1)
        await w.clock.jump(20.0)
        await w.clock.advance(5.9)
        await w.tell(socket, "3", '42["wait"]')
        await w.clock.advance(25.0)
        assert w.handlers.silence == []
        w.handlers.go_on.set()
        await w.clock.settle()
        await w.tell(socket, "3")
        await w.clock.advance(9.0)
        assert w.handlers.silence == []

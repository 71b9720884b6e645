# SPDX-License-Identifier: Apache-2.0
"""Websockets as bytes: what the protocol allows, what it does not, and who goes on reading when."""

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tests.realtime.asgi import world
from wigwag.adapters.realtime import Limits
from wigwag.adapters.realtime.wire import LAST_BYTES

MASK = b"\x80\0\0\0\0"  # an empty frame's length, masked with nothing


async def test_a_message_may_come_in_fragments_and_in_any_pieces() -> None:
    async with world() as w:
        socket = await w.connected()
        socket.say_in_parts('42["mess', "", 'age","', 'é"]')
        for byte in b"\x81\x8d\0\0\0\0" + b'42["message"]':
            socket.say_raw(bytes([byte]))
            await w.clock.settle()
        assert w.handlers.events == [("message", ["é"]), ("message", [])]


async def test_a_ping_of_the_websocket_is_answered_and_a_pong_is_let_be() -> None:
    async with world() as w:
        socket = await w.connected()
        before = socket.writes
        socket.say_raw(b"\x8a" + MASK)
        socket.say_raw(b"\x89" + MASK)
        await w.clock.settle()
        assert socket.writes == before + 1
        assert socket.closed is None


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x81\x01a",  # not masked
        b"\xf1" + MASK,  # bits that nobody agreed on
        b"\x83" + MASK,  # an unknown kind
        b"\x80" + MASK,  # goes on with nothing
        b"\x09" + MASK,  # half a ping
        b"\x81\x81\0\0\0\0\xff",  # no UTF-8
    ],
)
async def test_what_is_no_frame_ends_the_connection(wrong: bytes) -> None:
    async with world() as w:
        socket = await w.connected()
        socket.say_raw(wrong)
        await w.clock.settle()
        assert socket.closed is not None
        assert w.handlers.gone == [(w.handlers.connected[0], False)]
        assert w.server.counts["transport_closed"] == 1
        assert not w.wires


async def test_a_close_frame_is_answered_and_ends_the_connection() -> None:
    async with world() as w:
        socket = await w.connected()
        socket.say_raw(b"\x88\x82\0\0\0\0\x03\xe8")
        await w.clock.settle()
        assert socket.closed == ""
        assert w.server.counts["transport_closed"] == 1
        assert not w.wires


async def test_nothing_is_read_while_an_event_is_handled_and_nothing_is_lost() -> None:
    async with world() as w:
        socket = await w.connected()
        await w.tell(socket, '42["wait"]', '42["message",1]')
        await w.tell(socket, '42["message",2]')
        await w.tell(socket, '42["message",3]')
        assert not socket.is_reading()
        assert [name for name, _args in w.handlers.events] == ["wait"]
        w.handlers.go_on.set()
        await w.clock.settle()
        assert w.handlers.events[1:] == [("message", [1]), ("message", [2]), ("message", [3])]
        assert socket.is_reading()


async def test_who_was_told_the_end_and_goes_on_for_too_long_is_cut_off() -> None:
    async with world() as w:
        socket = await w.connected()
        socket.stop_answering()
        await w.tell(socket, "1")
        assert len(w.wires) == 1
        socket.say_raw(b"\x81" * (LAST_BYTES + 1))
        await w.clock.settle()
        assert not w.wires


async def test_a_websocket_that_no_app_wants_is_refused() -> None:
    async def no_app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.close"})

    async with world() as w:
        assert (await w.websocket(app=no_app)).status == 403


async def test_behind_a_proxy_the_address_is_that_of_the_client() -> None:
    async with world(Limits(per_address=1)) as w:
        app: Any = ProxyHeadersMiddleware(w.server, trusted_hosts="10.0.0.1")  # type: ignore[arg-type]  # its own types
        clients = ["192.0.2.1", "192.0.2.2", "192.0.2.1"]
        sockets = [await w.websocket(headers={"X-Forwarded-For": client}, app=app) for client in clients]
        assert [socket.status for socket in sockets] == [101, 101, 429]


async def test_a_fault_of_the_app_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError

    async with world() as w:
        assert (await w.websocket(app=broken)).status == 500
    assert "LookupError" in caplog.text


async def test_a_request_that_is_no_websocket_is_told_so() -> None:
    async with world() as w:
        socket = await w.websocket(headers={"Sec-WebSocket-Version": "7"})
        assert socket.status == 400
        assert not w.wires

# SPDX-License-Identifier: Apache-2.0
"""Sockets over websockets: calls of the handlers, answers, and every way in which a connection ends."""

import asyncio
from typing import Any

import pytest

from tests.realtime.asgi import world
from wigwag.adapters.realtime import Limits


async def test_a_client_is_let_in_before_it_hears_what_was_emitted_on_its_entry() -> None:
    async with world() as w:
        socket = await w.websocket()
        assert socket.got.pop(0)[:1] == "0"
        await w.tell(socket, '40{"token":"t"}')
        assert socket.got == [f'40{{"sid":"{w.handlers.connected[0]}"}}', '42["auth",{"token":"t"}]']


async def test_the_handlers_see_the_headers_of_the_first_request() -> None:
    async with world(origins=["https://a.example"]) as w:
        socket = await w.websocket(headers={"Origin": "https://a.example", "Authorization": "Bearer x"})
        await w.tell(socket, "40")
        assert w.handlers.headers[0]["authorization"] == "Bearer x"


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ('40{"token":"forged"}', '44{"message":"This token is not ours.","data":{"code":"unauthorized"}}'),
        ("40/random", '44/random,{"message":"Invalid namespace"}'),
    ],
)
async def test_who_is_refused_hears_why_and_may_try_again(said: str, heard: str) -> None:
    async with world() as w:
        socket = await w.websocket()
        await w.tell(socket, said)
        assert socket.got[1:] == [heard]
        for nobody in w.handlers.tried:
            await w.server.disconnect(nobody, "unknown")
        assert socket.got[1:] == [heard]
        await w.tell(socket, "40")
        assert len(w.handlers.connected) == 1
        socket.hang_up()
        await w.clock.settle()
        assert w.handlers.gone == [(w.handlers.connected[0], False)]


UNKNOWN = '{"event":"what","code":"unknown_event","message":"There is no event what."}'


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ('42["message",1,"2",{"3":[true]}]', ['42["message-back",1,"2",{"3":[true]}]']),
        ('427["message-with-ack",1]', ["437[1]"]),
        ('420["message"]', ['42["message-back"]', "430[]"]),
        ('42["what"]', [f'42["error",{UNKNOWN}]']),
        ('423["what"]', [f'42["error",{UNKNOWN}]', f'433[{{"error":{UNKNOWN}}}]']),
        ("434[]", []),
    ],
)
async def test_no_event_stays_without_its_answer(said: str, heard: list[str]) -> None:
    async with world() as w:
        socket = await w.connected()
        await w.tell(socket, said)
        assert socket.got == heard


async def test_attachments_go_both_ways() -> None:
    async with world() as w:
        socket = await w.connected()
        await w.tell(socket, '451-["message",{"_placeholder":true,"num":0}]', b"\x01\x02")
        assert socket.got == ['451-["message-back",{"_placeholder":true,"num":0}]', b"\x01\x02"]


async def test_a_fault_of_ours_is_told_and_ends_nothing() -> None:
    async with world() as w:
        socket = await w.connected()
        await w.tell(socket, '421["break"]')
        assert '"code":"internal"' in str(socket.got[0])
        assert str(socket.got[1]).startswith('431[{"error":')
        await w.tell(socket, '42["message"]')
        assert socket.got[2:] == ['42["message-back"]']
        assert w.server.counts["internal"] == 1


async def test_a_fault_of_ours_on_entry_lets_nobody_in() -> None:
    async with world() as w:
        socket = await w.websocket()
        await w.tell(socket, '40{"token":"breaks"}')
        assert '"code":"internal"' in str(socket.got[1])
        socket.hang_up()
        await w.clock.settle()
        assert w.handlers.gone == []


@pytest.mark.parametrize(
    ("frames", "clean", "counted"),
    [
        (["41"], True, None),
        (["1"], True, "goodbye"),
        (["abc"], False, "protocol_error"),
        ([""], False, "protocol_error"),
        (["0"], False, "protocol_error"),
        (["2"], False, "protocol_error"),
        (["40"], False, "protocol_error"),
        (["44{}"], False, "protocol_error"),
        (["42{}"], False, "protocol_error"),
        (['42abc["m"]'], False, "protocol_error"),
        ([b"\x01"], False, "protocol_error"),
        (['451-["m",{"_placeholder":true,"num":0}]', '42["m"]'], False, "protocol_error"),
        (['42/custom,["m"]'], False, "protocol_error"),
    ],
)
async def test_what_a_client_says_can_end_its_connection(
    frames: list[str | bytes], clean: bool, counted: str | None
) -> None:
    async with world() as w:
        socket = await w.connected()
        await w.tell(socket, *frames, '42["late"]')
        assert w.handlers.gone == [(w.handlers.connected[0], clean)]
        assert w.handlers.events == []
        if counted:
            assert socket.closed == counted
            assert w.server.counts[counted] == 1
            assert w.server.connections == 0


@pytest.mark.parametrize("large", ["4" * 65_537, b"4" * 65_537])
async def test_a_message_that_is_too_large_ends_its_connection(large: str | bytes) -> None:
    async with world() as w:
        socket = await w.connected()
        await w.tell(socket, large, '42["late"]')
        assert w.handlers.gone == [(w.handlers.connected[0], False)]
        assert w.handlers.events == []
        assert socket.closed is not None
        assert w.server.counts["payload_too_large"] == 1


async def test_who_hangs_up_without_a_word_is_gone_but_not_cleanly() -> None:
    async with world() as w:
        socket = await w.connected()
        socket.hang_up()
        await w.clock.settle()
        assert w.handlers.gone == [(w.handlers.connected[0], False)]
        assert w.server.counts["transport_closed"] == 1
        assert not w.wires


async def test_one_event_reaches_all_that_are_there_and_none_that_is_not() -> None:
    async with world() as w:
        sockets = [await w.connected() for _ in range(3)]
        sockets[1].hang_up()
        await w.clock.settle()
        w.server.emit(w.handlers.connected, "presence_updated", {"user_id": 1})
        await w.clock.settle()
        told = ['42["presence_updated",{"user_id":1}]']
        assert [socket.got for socket in sockets] == [told, [], told]


async def test_each_namespace_has_its_own_sockets() -> None:
    async with world() as w:
        socket = await w.connected()
        await w.tell(socket, "40/custom")
        socket.got.clear()
        w.server.emit(w.handlers.connected, "x")
        await w.clock.settle()
        assert socket.got == ['42["x"]', '42/custom,["x"]']
        await w.tell(socket, "41/custom", '42["message"]')
        assert socket.got[2:] == ['42["message-back"]']
        assert w.handlers.gone == [(w.handlers.connected[1], True)]


async def test_a_slow_reader_is_caught_up_in_order() -> None:
    async with world() as w:
        socket = await w.connected()
        socket.stall()
        for number in range(5):
            w.server.emit(w.handlers.connected, "x", number)
            await w.clock.settle()
        assert socket.got == []
        socket.go_on()
        await w.clock.settle()
        w.server.emit(w.handlers.connected, "x", 5)
        await w.clock.settle()
        assert socket.got == [f'42["x",{number}]' for number in range(6)]


async def test_a_slow_reader_is_cut_off_at_its_limit_and_nobody_else_is() -> None:
    async with world(Limits(outbox=1000)) as w:
        slow, quick = await w.connected(), await w.connected()
        slow.stall()
        for _ in range(20):
            w.server.emit(w.handlers.connected, "x", "y" * 90)
            await w.clock.settle()
        assert w.server.counts["slow_reader"] == 1
        assert w.handlers.gone == [(w.handlers.connected[0], False)]
        assert len(quick.got) == 20
        assert slow.got == []
        assert len(w.wires) == 1


async def test_a_reader_that_catches_up_each_time_is_not_cut_off() -> None:
    async with world(Limits(outbox=1000)) as w:
        socket = await w.connected()
        for _ in range(5):
            socket.stall()
            for _ in range(5):
                w.server.emit(w.handlers.connected, "x", "y" * 90)
                await w.clock.settle()
            await w.clock.settle()
            socket.go_on()
            await w.clock.settle()
        assert len(socket.got) == 25
        assert socket.closed is None


async def test_an_event_needs_no_task_and_is_encoded_once_whoever_hears_it() -> None:
    class Counted(dict[str, int]):
        encoded = 0

        def items(self) -> Any:
            self.encoded += 1
            return super().items()

    async with world() as w:
        sockets = [await w.connected() for _ in range(3)]
        before, told = asyncio.all_tasks(), Counted(a=1)
        w.server.emit(w.handlers.connected, "x", told)
        assert asyncio.all_tasks() == before
        await w.clock.settle()
        assert all(socket.got == ['42["x",{"a":1}]'] for socket in sockets)
        assert told.encoded == 1


async def test_what_is_emitted_in_one_turn_goes_out_in_one_piece() -> None:
    async with world() as w:
        socket = await w.connected()
        before = socket.writes
        for number in range(5):
            w.server.emit(w.handlers.connected, "x", number)
        await w.clock.settle()
        assert socket.got == [f'42["x",{number}]' for number in range(5)]
        assert socket.writes == before + 1


async def test_a_line_that_breaks_in_this_turn_harms_no_other() -> None:
    async with world() as w:
        broken, other = await w.connected(), await w.connected()
        w.server.emit(w.handlers.connected, "x")
        broken.hang_up()
        await w.clock.settle()
        assert (broken.got, other.got) == ([], ['42["x"]'])


async def test_who_says_too_much_is_told_so_and_heard_again_later() -> None:
    async with world(Limits(messages=1.0, messages_burst=3.0)) as w:
        socket = await w.connected()
        await w.tell(socket, *['429["message-with-ack"]'] * 3)
        assert socket.got[:2] == ["439[]", "439[]"]
        assert '"code":"rate_limited"' in str(socket.got[2])
        assert '"code":"rate_limited"' in str(socket.got[3])
        await w.clock.advance(1.0)
        await w.tell(socket, '429["message-with-ack"]')
        assert socket.got[4:] == ["439[]"]
        assert w.server.refused["rate_limited"] == 1


async def test_bytes_are_rationed_too() -> None:
    async with world(Limits(bytes=10.0, bytes_burst=100.0)) as w:
        socket = await w.connected()
        await w.tell(socket, '42["message","' + "x" * 100 + '"]')
        assert '"code":"rate_limited"' in str(socket.got[0])
        assert w.handlers.events == []


async def test_a_flood_ends_the_connection_and_its_answers() -> None:
    async with world(Limits(messages=1.0, messages_burst=5.0, strikes=10)) as w:
        socket, other = await w.connected(), await w.connected()
        await w.tell(socket, *['42["what"]'] * 10_000)
        assert socket.closed == "rate_limited"
        assert len(socket.got) <= 20
        assert len(w.handlers.events) <= 5
        await w.tell(other, '42["message"]')
        assert other.got == ['42["message-back"]']


async def test_who_is_too_quick_at_times_is_not_cut_off_for_it() -> None:
    async with world(Limits(messages=1.0, messages_burst=1.0, strikes=3)) as w:
        socket = await w.websocket()
        for _ in range(5):
            await w.tell(socket, *['40{"token":"forged"}'] * 3)
            await w.clock.advance(1.0)
        assert len(w.handlers.auths) == 5
        assert socket.closed is None


async def test_a_flood_of_attempts_to_enter_is_refused_before_anybody_is_asked() -> None:
    async with world(Limits(messages=1.0, messages_burst=2.0)) as w:
        socket = await w.websocket()
        await w.tell(socket, *['40{"token":"forged"}'] * 4)
        assert len(w.handlers.auths) == 2
        assert '"code":"rate_limited"' in str(socket.got[-1])


async def test_who_is_disconnected_hears_why() -> None:
    async with world() as w:
        socket = await w.connected()
        await w.server.disconnect(w.handlers.connected[0], "token_expired")
        await w.clock.settle()
        assert '"code":"token_expired"' in str(socket.got[0])
        assert socket.got[1:] == ["41"]
        assert socket.closed == "disconnected"
        assert w.handlers.gone == [(w.handlers.connected[0], False)]
        await w.server.disconnect(w.handlers.connected[0], "again")
        assert len(w.handlers.gone) == 1


async def test_a_handler_may_disconnect_its_own_socket() -> None:
    async with world() as w:
        socket = await w.connected()
        await w.tell(socket, '42["leave"]', '42["late"]')
        assert socket.closed == "disconnected"
        assert w.handlers.events == [("leave", [])]
        assert w.handlers.gone == [(w.handlers.connected[0], False)]


async def test_one_namespace_can_be_ended_alone() -> None:
    async with world() as w:
        socket = await w.connected()
        await w.tell(socket, "40/custom")
        socket.got.clear()
        await w.server.disconnect(w.handlers.connected[1], "over")
        await w.clock.settle()
        assert socket.got[-1] == "41/custom,"
        assert socket.closed is None
        await w.tell(socket, '42["message"]')
        assert socket.got[-1] == '42["message-back"]'


async def test_the_handlers_hear_of_an_end_only_when_they_are_done_with_the_event_before() -> None:
    async with world() as w:
        socket = await w.connected()
        await w.tell(socket, '42["wait"]')
        closing = asyncio.create_task(w.server.close_all(), name="close")
        await w.clock.settle()
        assert socket.closed == "shutdown"
        assert w.handlers.gone == []
        w.handlers.go_on.set()
        await closing
        await w.clock.settle()
        assert w.handlers.gone == [(w.handlers.connected[0], False)]


async def test_at_a_shutdown_all_are_closed_and_their_handlers_told() -> None:
    async with world() as w:
        sockets = [await w.connected() for _ in range(3)]
        await w.server.close_all()
        assert [socket.closed for socket in sockets] == ["shutdown"] * 3
        assert [socket.got for socket in sockets] == [[], [], []]
        assert sorted(w.handlers.gone) == sorted((socket, False) for socket in w.handlers.connected)
        assert w.server.connections == 0


async def test_what_happens_is_counted_by_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with world(origins=["https://app.example"]) as w:
        assert set(w.server.refused) >= {"origin", "connections", "session"}
        assert not any({**w.server.refused, **w.server.ended}.values())
        socket, other = await w.connected(), await w.connected()
        await w.websocket(headers={"Origin": "https://evil.example"})
        await w.tell(socket, '42["message",1]', '42["what"]', "40/random", "2")
        w.server.emit(w.handlers.connected, "x")
        other.hang_up()
        await w.clock.settle()
        refused = {why: n for why, n in w.server.refused.items() if n}
        assert refused == {"origin": 1, "unknown_event": 1, "namespace": 1}
        assert {why: n for why, n in w.server.ended.items() if n} == {"protocol_error": 1, "transport_closed": 1}
        told = {key: w.server.counts[key] for key in ("opened", "packets_in", "packets_out", "deliveries")}
        assert told == {"opened": 2, "packets_in": 5, "packets_out": 8, "deliveries": 4}
        assert [record.reason for record in caplog.records if hasattr(record, "reason")] == ["protocol_error"]

# SPDX-License-Identifier: Apache-2.0
"""What the protocols of Engine.IO 4 and Socket.IO 5 ask of every server, over real connections.

Each case of the two suites of the upstream project has its own here; `upstream` runs those (25 and 32 of them passed).
"""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.realtime.live import Live, live, serving
from tests.realtime.recording import Recorder
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.realtime import Limits, Realtime

FIELDS = {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
TWO = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'


@pytest.fixture
async def here() -> AsyncIterator[Live]:
    async with live() as server:
        yield server


@pytest.fixture
async def http(here: Live) -> AsyncIterator[httpx.AsyncClient]:
    async with polls(here) as client:
        yield client


def polls(server: Live) -> httpx.AsyncClient:
    """A client of long polling."""
    return httpx.AsyncClient(base_url=f"{server.http}/socket.io/", params={"EIO": "4", "transport": "polling"})


async def opened(http: httpx.AsyncClient) -> dict[str, str]:
    """Begin a session by long polling; returns the query that names it."""
    return {"sid": json.loads((await http.get("")).text[1:])["sid"]}


async def heard(socket: ClientConnection) -> str | bytes:
    """The next frame that is no ping."""
    while (frame := await socket.recv()) == "2":
        pass
    return frame


async def inside(socket: ClientConnection) -> None:
    """Connect to the main namespace and hear all that comes with it."""
    await socket.recv()
    await socket.send("40")
    assert str(await heard(socket)).startswith('40{"sid":')
    assert await heard(socket) == '42["auth",{}]'


async def test_both_transports_begin_with_the_handshake(here: Live, http: httpx.AsyncClient) -> None:
    answer = await http.get("")
    async with connect(here.websocket()) as socket:
        frame = str(await socket.recv())
    assert answer.status_code == 200
    for text, upgrades in ((answer.text, ["websocket"]), (frame, [])):
        told = json.loads(text[1:])
        assert text[0] == "0"
        assert set(told) == FIELDS
        assert told["upgrades"] == upgrades
        assert (told["pingInterval"], told["pingTimeout"], told["maxPayload"]) == (300, 10_000, 1_000_000)


@pytest.mark.parametrize(
    ("method", "query"),
    [
        *[("GET", query) for query in ("transport=polling", "EIO=abc&transport=polling", "EIO=4", "EIO=4&transport=x")],
        *[(method, "EIO=4&transport=polling") for method in ("POST", "PUT", "DELETE")],
        ("GET", "EIO=4&transport=polling&sid=unknown"),
    ],
)
async def test_a_wrong_request_is_answered_400(here: Live, method: str, query: str) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.request(method, f"{here.http}/socket.io/?{query}")).status_code == 400


@pytest.mark.parametrize(
    ("version", "transport"),
    [("EIO=4", "transport=abc"), ("EIO=4", "t=0"), ("EIO=abc", "transport=websocket"), ("t=0", "transport=websocket")],
)
async def test_a_wrong_websocket_is_not_opened(here: Live, version: str, transport: str) -> None:
    with pytest.raises(InvalidStatus):
        async with connect(here.websocket(version=version, transport=transport)):
            pass


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ('42["message","hello"]', '42["message-back","hello"]'),
        ('42["message",1]\x1e42["message",2]', '42["message-back",1]\x1e42["message-back",2]'),
        (
            '451-["message",{"_placeholder":true,"num":0}]\x1ebAQIDBA==',
            '451-["message-back",{"_placeholder":true,"num":0}]\x1ebAQIDBA==',
        ),
    ],
)
async def test_payloads_of_text_and_bytes_come_and_go(http: httpx.AsyncClient, body: str, answer: str) -> None:
    session = await opened(http)
    await http.post("", params=session, content="40")
    await http.get("", params=session)
    posted = await http.post("", params=session, content=body)
    assert (posted.status_code, posted.text) == (200, "ok")
    assert (await http.get("", params=session)).text == answer


async def test_a_payload_without_packets_ends_the_session(http: httpx.AsyncClient) -> None:
    session = await opened(http)
    assert (await http.post("", params=session, content="abc")).status_code == 400
    assert (await http.get("", params=session)).status_code == 400


async def test_two_polls_at_once_end_the_session(http: httpx.AsyncClient) -> None:
    session = await opened(http)
    one, other = await asyncio.gather(http.get("", params=session), http.get("", params=session))
    assert sorted([one.status_code, other.status_code]) == [200, 400]
    assert (one if one.status_code == 200 else other).text == "1"
    assert (await http.get("", params=session)).status_code == 400


async def test_a_poll_that_is_broken_off_ends_the_session() -> None:
    async with live(interval=10) as here, polls(here) as http:
        session = await opened(http)
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
        query = f"EIO=4&transport=polling&sid={session['sid']}"
        writer.write(f"GET /socket.io/?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await writer.drain()
        await opened(http)  # by then it was heard
        writer.close()
        await reader.read()
        assert (await http.get("", params=session)).status_code == 400


async def test_who_does_not_connect_to_a_namespace_is_closed() -> None:
    handlers = Recorder()
    server = handlers.server = Realtime(handlers, clock=SystemClock(), limits=Limits(connect=0.2))
    async with (
        serving(server) as port,
        connect(f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket") as socket,
    ):
        await socket.recv()
        await socket.wait_closed()
    assert server.counts["no_connect"] == 1


async def test_a_poll_brings_pings_and_stays_open_for_who_answers(http: httpx.AsyncClient) -> None:
    session = await opened(http)
    await http.post("", params=session, content="40")
    await http.get("", params=session)
    for _ in range(3):
        assert (await http.get("", params=session)).text == "2"
        assert (await http.post("", params=session, content="3")).status_code == 200


async def test_a_poll_without_pongs_ends() -> None:
    async with live(timeout=0.2) as hasty, polls(hasty) as http:
        session = await opened(http)
        assert (await http.get("", params=session)).text == "2"
        assert (await http.get("", params=session)).text == "1"
        assert (await http.get("", params=session)).status_code == 400


async def test_a_websocket_brings_pings_and_stays_open_for_who_answers(here: Live) -> None:
    async with connect(here.websocket()) as socket:
        await socket.recv()
        for _ in range(3):
            assert await socket.recv() == "2"
            await socket.send("3")


async def test_a_websocket_without_pongs_is_closed() -> None:
    async with live(timeout=0.2) as hasty, connect(hasty.websocket()) as socket:
        await socket.wait_closed()
        assert hasty.server.counts["ping_timeout"] == 1


async def test_a_goodbye_by_polling_lets_the_poll_go(http: httpx.AsyncClient) -> None:
    session = await opened(http)
    poll = asyncio.create_task(http.get("", params=session))
    await asyncio.sleep(0)
    assert (await http.post("", params=session, content="1")).status_code == 200
    answer = await poll
    assert (answer.status_code, answer.text) in {(200, "6"), (400, answer.text)}  # 400: the goodbye was first
    assert (await http.get("", params=session)).status_code == 400


@pytest.mark.parametrize("frame", ["1", "abc", "4abc"])
async def test_a_goodbye_or_nonsense_closes_a_websocket(here: Live, frame: str) -> None:
    async with connect(here.websocket()) as socket:
        await socket.recv()
        await socket.send(frame)
        await socket.wait_closed()


async def test_a_session_moves_to_a_websocket(here: Live, http: httpx.AsyncClient) -> None:
    session = await opened(http)
    async with connect(here.websocket(f"&sid={session['sid']}")) as socket:
        await socket.send("2probe")
        assert await socket.recv() == "3probe"
        assert (await http.get("", params=session)).text == "6"
        await socket.send("5")
        await socket.send("40")
        assert str(await heard(socket)).startswith("40")
        assert (await http.get("", params=session)).status_code == 400
        async with connect(here.websocket(f"&sid={session['sid']}")) as second:
            await second.wait_closed()
        await socket.send('42["message"]')
        assert await heard(socket) == '42["auth",{}]'
        assert await heard(socket) == '42["message-back"]'


@pytest.mark.parametrize(
    ("said", "prefix", "answer"),
    [
        ("40", "40", '42["auth",{}]'),
        ('40{"token":"123"}', "40", '42["auth",{"token":"123"}]'),
        ("40/custom,", "40/custom,", '42/custom,["auth",{}]'),
        ('40/custom,{"token":"abc"}', "40/custom,", '42/custom,["auth",{"token":"abc"}]'),
    ],
)
async def test_a_client_connects_to_a_namespace(here: Live, said: str, prefix: str, answer: str) -> None:
    async with connect(here.websocket()) as socket:
        await socket.recv()
        await socket.send(said)
        frame = str(await heard(socket))
        assert frame.startswith(prefix)
        assert set(json.loads(frame.removeprefix(prefix))) == {"sid"}
        assert await heard(socket) == answer


async def test_an_unknown_namespace_is_refused(here: Live) -> None:
    async with connect(here.websocket()) as socket:
        await socket.recv()
        await socket.send("40/random")
        assert await heard(socket) == '44/random,{"message":"Invalid namespace"}'


async def test_who_leaves_a_namespace_stays_connected(here: Live) -> None:
    async with connect(here.websocket()) as socket:
        await inside(socket)
        await socket.send("40/custom")
        assert str(await heard(socket)).startswith("40/custom,")
        assert await heard(socket) == '42/custom,["auth",{}]'
        await socket.send("41/custom")
        await socket.send('42["message","here"]')
        assert await heard(socket) == '42["message-back","here"]'
        await socket.send("41")
        assert await socket.recv() == "2"


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        (['42["message",1,"2",{"3":[true]}]'], ['42["message-back",1,"2",{"3":[true]}]']),
        (['42456["message-with-ack",1,"2",{"3":[false]}]'], ['43456[1,"2",{"3":[false]}]']),
        ([f'452-["message",{TWO}]', b"abc", b"\x00"], [f'452-["message-back",{TWO}]', b"abc", b"\x00"]),
        ([f'452-789["message-with-ack",{TWO}]', b"abc", b""], [f"462-789[{TWO}]", b"abc", b""]),
    ],
)
async def test_an_event_comes_back(here: Live, said: list[str | bytes], answers: list[str | bytes]) -> None:
    async with connect(here.websocket()) as socket:
        await inside(socket)
        for frame in said:
            await socket.send(frame)
        assert [await heard(socket) for _ in answers] == answers


@pytest.mark.parametrize("frame", ["4abc", "42{}", '42abc["message-with-ack",1]', "4" + "2" * 1_000_001])
async def test_what_is_no_packet_closes_the_connection(here: Live, frame: str) -> None:
    async with connect(here.websocket()) as socket:
        await inside(socket)
        await socket.send(frame)
        await socket.wait_closed()


async def test_a_reader_that_stops_reading_is_cut_off(here: Live) -> None:
    async with connect(here.websocket(), max_queue=1, close_timeout=0.1) as slow, connect(here.websocket()) as other:
        await inside(slow)
        await inside(other)
        await slow.send("3")
        while not here.server.counts.get("slow_reader"):
            here.server.emit(here.handlers.connected[:1], "x", "y" * 100_000)
            await asyncio.sleep(0)
        await other.send('42["message"]')
        assert await heard(other) == '42["message-back"]'

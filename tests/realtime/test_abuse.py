# SPDX-License-Identifier: Apache-2.0
"""Somebody means harm: they are refused or cut off, and for everybody else nothing changes. Over real connections."""

import asyncio
import gzip
import json
import socket as sockets
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.realtime.live import PATIENCE, serving
from tests.tokens.minting import FOREIGN, SECRET, by_secret, minted, unsigned
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.memory.roster import MemoryRoster
from wigwag.adapters.memory.users import MemoryLastSeenStore, MemoryUserStore
from wigwag.adapters.realtime import Limits, PresenceDoor, Realtime
from wigwag.adapters.tokens import JwtAuthenticator, Secret
from wigwag.app.fanout import Fanout
from wigwag.app.grants import Grants
from wigwag.app.lobby import Lobby
from wigwag.app.ports import User
from wigwag.domain.book import Book

ANNA, BEN, MALLORY = 1, 2, 3
SMALL = 16_384  # bytes that the system holds for a slow reader
LATER = 4e9  # Unix seconds
NEVER_ENDS = b"\x01\xfe" + (65_000).to_bytes(2) + bytes(4) + bytes(65_000)  # the first part of a message
GOES_ON = b"\x00\xfe" + (65_000).to_bytes(2) + bytes(4) + bytes(65_000)
COMPRESSED = b"\xc1\x85" + bytes(4) + bytes(5)  # though nobody agreed on that
ENDLESS = b"\x81\xff" + (1 << 62).to_bytes(8) + bytes(4) + bytes(5)
TOO_LARGE = b"\x81\xff" + (65_537).to_bytes(8) + bytes(4) + bytes(65_537)


class House:
    """Anna and Ben, who know each other, are here; Mallory knows nobody, and has a good token."""

    def __init__(self, port: int, server: Realtime) -> None:
        self.port, self.server = port, server
        self.anna: ClientConnection
        self.ben: ClientConnection
        self._turn = 0

    @asynccontextmanager
    async def client(self, user: int, token: str = "", **more: Any) -> AsyncIterator[ClientConnection]:
        """Somebody in the main namespace; the answer to that is yet to be heard."""
        address = f"ws://127.0.0.1:{self.port}/socket.io/?EIO=4&transport=websocket"
        async with connect(address, close_timeout=0.1, **more) as made:
            await made.recv()
            await made.send("40" + json.dumps({"token": token or good(user)}))
            yield made

    async def all_is_well(self) -> None:
        """Anna does something, and Ben hears of it and of nothing else."""
        for _ in range(2):
            self._turn += 1
            status = ("online", "away")[self._turn % 2]
            await self.anna.send(f'42["update_status","{status}"]')
            told = await heard(self.ben, "presence_updated")
            assert (told["user_id"], told["status"]) == (ANNA, status)


def good(user: int) -> str:
    return by_secret(sub=str(user), aud="wigwag", exp=LATER)


async def heard(client: ClientConnection, event: str) -> Any:
    """The next event of a name."""
    async with asyncio.timeout(PATIENCE):
        while True:
            frame = await client.recv()
            if frame == "2":
                await client.send("3")
            elif str(frame).startswith("42") and json.loads(frame[2:])[0] == event:
                return json.loads(frame[2:])[1]


async def entered(client: ClientConnection, user: int) -> None:
    await client.send(f'42["user_authenticated",{user}]')
    await heard(client, "presence_info")


async def refused(client: ClientConnection, frame: str) -> str:
    """With which code something is refused."""
    await client.send(frame)
    code: str = (await heard(client, "error"))["code"]
    return code


@asynccontextmanager
async def background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work, name="lobby")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    users, clock = MemoryUserStore(), SystemClock()
    await users.put([User(id=user) for user in (ANNA, BEN, MALLORY)])
    await users.add_contacts(ANNA, [BEN])
    fanout = Fanout(lambda _name, error: pytest.fail(str(error)))
    store, roster = MemoryLastSeenStore(users), MemoryRoster(clock)
    lobby = Lobby(directory=users, store=store, roster=roster, clock=clock, announce=fanout.announce)
    await lobby.start()
    grants = Grants(book=Book(), store=users, clock=clock, announce=fanout.announce)
    authenticator = JwtAuthenticator(Secret(SECRET), clock.now, audience="wigwag")
    door = PresenceDoor(lobby, grants, authenticator, clock)
    server = door.sockets = Realtime(door, clock=clock, limits=Limits(outbox=32_768))
    fanout.add("sockets", door.sink)
    async with serving(server, SMALL) as port, background(lobby.run()):
        made = House(port, server)
        async with made.client(ANNA) as made.anna, made.client(BEN) as made.ben:
            await entered(made.ben, BEN)
            await entered(made.anna, ANNA)
            assert (await heard(made.ben, "presence_updated"))["user_id"] == ANNA
            await made.all_is_well()
            yield made
            await made.all_is_well()


# --- who are you?

TOKENS = {
    "none": "nothing",
    "forged": by_secret("another secret of thirty-two bytes!!", sub="1", aud="wigwag", exp=LATER),
    "expired": by_secret(sub="1", aud="wigwag", exp=1_700_000_000),
    "of another house": by_secret(sub="1", aud="elsewhere", exp=LATER),
    "by another key": minted({"sub": "1", "aud": "wigwag"}, FOREIGN, "RS256"),
    "unsigned": unsigned({"alg": "none"}, {"sub": "1", "aud": "wigwag"}),
    "of nobody": by_secret(sub="", aud="wigwag", exp=LATER),
    "too long": "x" * 9000,
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS.keys())
async def test_a_bad_token_lets_nobody_in(token: str, house: House) -> None:
    async with house.client(ANNA, token) as client:
        answer = str(await client.recv())
        assert json.loads(answer.removeprefix("44"))["data"] == {"code": "unauthenticated"}
        await client.send(f'42["user_authenticated",{ANNA}]')
        with pytest.raises(ConnectionClosed):
            await client.recv()


@pytest.mark.parametrize("victim", ["1", '"1"', '"01"', "2"])
async def test_nobody_is_somebody_else(victim: str, house: House) -> None:
    async with house.client(MALLORY) as client:
        assert await refused(client, f'42["user_authenticated",{victim}]') == "forbidden"
        assert await refused(client, '42["update_status","away"]') == "forbidden"
        assert await refused(client, '42["get_presence",[1]]') == "forbidden"


async def test_nobody_sees_whom_they_do_not_know(house: House) -> None:
    async with house.client(MALLORY) as client:
        await entered(client, MALLORY)
        await client.send('42["get_presence",[1,2,404]]')
        told = await heard(client, "presence_info")
        assert [{**user, "user_id": 0} for user in told] == [
            {"user_id": 0, "status": "offline", "last_seen": None, "v": 0}
        ] * 3


# --- what do you want?


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (f'42["get_presence",{list(range(1000))}]', "invalid_users"),
        ('42["get_presence",[[[[1]]]]]', "invalid_user"),
        ('42["get_presence",[{"__proto__":{"user_id":1}}]]', "invalid_user"),
        ('42["get_presence",{"__proto__":[1]}]', "invalid_users"),
        ('42["update_status",{"__proto__":{"status":"away"}}]', "invalid_status"),
        ('42["user_authenticated",{"__proto__":1,"constructor":{"prototype":{"id":1}}}]', "invalid_user"),
        ('42["__proto__",1]', "unknown_event"),
        ('42["constructor",1]', "unknown_event"),
        ('42["get_presence",["' + "9" * 65 + '"]]', "invalid_user"),
        ('42["get_presence",[-1]]', "invalid_user"),
        ('42["get_presence",[1e400]]', "invalid_user"),
    ],
)
async def test_what_is_not_asked_properly_is_refused(frame: str, code: str, house: House) -> None:
    async with house.client(MALLORY) as client:
        await entered(client, MALLORY)
        assert await refused(client, frame) == code
        assert await refused(client, '42["what"]') == "unknown_event"  # it may go on


@pytest.mark.parametrize(
    "frame",
    [
        '42["get_presence",' + "[" * 17 + "]" * 17 + "]",
        '42["get_presence",' + "[" * 20_000 + "]" * 20_000 + "]",
        '42["get_presence",' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "]",
        '459-["get_presence"' + "".join(',{"_placeholder":true,"num":' + f"{n}}}" for n in range(9)) + "]",
        '42["get_presence",[NaN]]',
        "4" + "9" * 1000,
        "9",
    ],
    ids=lambda frame: str(frame)[:24],
)
async def test_what_is_no_packet_ends_the_connection(frame: str, house: House) -> None:
    async with house.client(MALLORY) as client:
        await entered(client, MALLORY)
        await client.send(frame)
        await client.wait_closed()
    assert house.server.ended["protocol_error"] == 1


# --- how much?


async def test_a_flood_is_limited_and_then_cut(house: House) -> None:
    async with house.client(MALLORY, max_queue=None) as client:  # or its library would not see the end
        await entered(client, MALLORY)
        well = asyncio.create_task(house.all_is_well(), name="meanwhile")
        try:
            for _ in range(10_000):
                await client.send('42["update_status","away"]')
        except ConnectionClosed:
            pass
        await client.wait_closed()
        await well
    assert house.server.ended["rate_limited"] == 1
    assert 100 <= house.server.refused["rate_limited"] <= 200
    assert house.server.counts["packets_in"] < 500


async def test_who_asks_and_does_not_read_is_cut(house: House) -> None:
    line = sockets.socket()
    line.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, SMALL)
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", house.port))
    async with house.client(MALLORY, sock=line, max_queue=1) as client:
        await entered(client, MALLORY)
        asked = "421" + json.dumps(["get_presence", [f"{number:020}x" for number in range(500)]])
        for _ in range(17):
            await client.send(asked)
        async with asyncio.timeout(PATIENCE):
            while not house.server.ended["slow_reader"]:  # noqa: ASYNC110  a count has no event
                await asyncio.sleep(0)


@pytest.mark.parametrize("sent", [COMPRESSED, ENDLESS, TOO_LARGE, NEVER_ENDS + GOES_ON * 2], ids=range(4))
async def test_a_bomb_ends_the_connection_before_it_is_unpacked(sent: bytes, house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in head
    assert b"deflate" not in head.lower()
    writer.write(sent)
    with suppress(ConnectionResetError):
        while await reader.read(4096):
            pass
    writer.close()
    assert house.server.connections == 2


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"4" * 65_537, {}, 413),
        (gzip.compress(b"4" * 10_000_000), {"Content-Encoding": "gzip"}, 400),
        (b"\x1e" * 60_000, {}, 400),
        (b"b" + b"!" * 1000, {}, 400),
        (b"\xff\xfe", {}, 400),
    ],
    ids=["large", "gzip", "separators", "base64", "utf8"],
)
async def test_a_request_that_is_a_bomb_ends_the_connection(
    body: bytes, headers: dict[str, str], status: int, house: House
) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.port}/socket.io/") as http:
        query = {"EIO": "4", "transport": "polling"}
        sid = json.loads((await http.get("", params=query)).text[1:])["sid"]
        answer = await http.post("", params=query | {"sid": sid}, content=body, headers=headers)
        assert answer.status_code == status
        assert (await http.get("", params=query | {"sid": sid})).status_code == 400
    assert house.server.connections == 2


async def test_a_user_has_an_end_of_devices(house: House) -> None:
    codes: list[str] = []
    gathered = asyncio.Barrier(60)

    async def device() -> None:
        async with house.client(MALLORY) as client:
            await client.send('421["user_authenticated",3]')
            while not str(frame := await client.recv()).startswith("431"):
                pass
            codes.append(json.loads(frame[3:])[0].get("error", {}).get("code", ""))
            await gathered.wait()

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        for _ in range(60):
            tasks.create_task(device(), name="device")
    assert sorted(codes) == [""] * 50 + ["too_many_devices"] * 10

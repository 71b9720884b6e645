# SPDX-License-Identifier: Apache-2.0
"""Several `wigwag serve` on one Redis and one database of users, people with real sockets, and watchers.

A person has one websocket that speaks Engine.IO 4 and Socket.IO 5. A watcher is somebody whom everybody knows: what a
watcher hears is what is true for that node.
"""

import asyncio
import json
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import time
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests import servers
from tests.acceptance.processes import Process, free_port, wigwag
from wigwag.adapters.storage.stores import open_stores
from wigwag.app.ports import User

WATCHERS = 1_000_000  # ids from here on
ADDRESSES = 8  # of the loopback, since a gateway takes so many connections of one address only
PATIENCE = 120.0  # seconds until one gives up waiting; never a measure


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody heard of a user, and when. Instants are Unix seconds."""

    at: float
    status: str
    last_seen: float | None
    v: int


@dataclass(eq=False)
class Person:
    """A user with one socket, at one node."""

    user: int
    told: defaultdict[int, list[Told]] = field(default_factory=lambda: defaultdict(list))
    screen: dict[int, Told] = field(default_factory=dict)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    fallen: list[tuple[Told, Told]] = field(default_factory=list)  # a `v` that did not rise
    _socket: ClientConnection | None = None
    _task: "asyncio.Task[None] | None" = None

    async def come(self, node: Process) -> None:
        """Connect to a node, and say who one is."""
        self.entered.clear()
        address = f"127.0.0.{1 + self.user % ADDRESSES}"
        url = f"{node.url.replace('http', 'ws', 1)}/socket.io/?EIO=4&transport=websocket"
        self._socket = await connect(
            url, local_addr=(address, 0), ping_interval=None, compression=None, open_timeout=PATIENCE, close_timeout=1.0
        )
        self._task = asyncio.create_task(self._live(self._socket), name=f"user {self.user}")
        async with asyncio.timeout(PATIENCE):
            await self.entered.wait()

    async def go(self, *, goodbye: bool = True) -> None:
        """Disconnect."""
        if self._socket is not None:
            with suppress(WebSocketException):
                if goodbye:
                    await self._socket.send("41")
            await self._socket.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def abandon(self) -> None:
        """The network takes the socket away, without a word to anybody."""
        if self._task is not None and self._socket is not None:
            self._task.cancel()
            self._socket.transport.abort()

    @property
    def connected(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _live(self, socket: ClientConnection) -> None:
        with suppress(WebSocketException, OSError):
            async for message in socket:
                await self._hear(socket, str(message))

    async def _hear(self, socket: ClientConnection, message: str) -> None:
        if message == "2":
            await socket.send("3")
        elif message.startswith("0"):
            await socket.send("40")
        elif message.startswith("40"):
            await socket.send(f'420["user_authenticated",{self.user}]')
        elif message.startswith("430"):
            assert json.loads(message[3:])[0].get("ok"), message
            self.entered.set()
        elif message.startswith("42"):
            self._note(*json.loads(message[2:]))

    def _note(self, event: str, what: Any) -> None:
        at = time()
        if event == "presence_updated":
            heard = _told(at, what)
            before = self.screen.get(what["user_id"])
            if before is not None and heard.v <= before.v:
                self.fallen.append((before, heard))
            self.told[what["user_id"]].append(heard)
            self.screen[what["user_id"]] = heard
        elif event == "presence_info":
            for each in what:
                self.screen[each["user_id"]] = _told(at, each)


def _told(at: float, what: dict[str, Any]) -> Told:
    seen = what["last_seen"]
    return Told(at, what["status"], None if seen is None else datetime.fromisoformat(seen).timestamp(), what["v"])


@dataclass(kw_only=True)
class Fleet:
    """Nodes at work, and a watcher at each of them."""

    nodes: list[Process]
    watchers: list[Person]
    people: dict[int, Person]
    redis: servers.Instance

    async def place(self, users: Iterable[int], node: int) -> None:
        """These people come to a node, some at a time."""
        waiting = list(users)

        async def some() -> None:
            while waiting:
                await self.people[waiting.pop()].come(self.nodes[node])

        await asyncio.gather(*(some() for _ in range(16)))

    def away(self, user: int, since: float, watchers: Sequence[int]) -> list[float]:
        """At each watcher, how long after an instant the user was first told to be offline."""
        times: list[float] = []
        for each in watchers:
            heard = [told for told in self.watchers[each].told[user] if told.at >= since]
            times += [told.at - since for told in heard if told.status == "offline"][:1]
        return times

    def flickered(self, users: Iterable[int], since: float, watchers: Sequence[int]) -> list[int]:
        """Who was told to be offline since an instant, at any watcher."""
        return [user for user in users if self.away(user, since, watchers)]

    def wrong(self, here: set[int], watchers: Sequence[int]) -> list[tuple[int, int, str]]:
        """Whom a watcher's screen shows as it is not: (watcher, user, status)."""
        return [
            (each, user, told.status)
            for each in watchers
            for user, told in self.watchers[each].screen.items()
            if user < WATCHERS and (told.status != "offline") is not (user in here)
        ]

    def fallen(self) -> int:
        """How often a `v` did not rise, at any watcher."""
        return sum(len(watcher.fallen) for watcher in self.watchers)

    async def until_right(self, here: set[int], watchers: Sequence[int]) -> None:
        """Return when all these watchers see just these people."""
        await self.until(lambda: not self.wrong(here, watchers))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return when something is true."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await breathe()

    async def until_ready(self, *numbers: int) -> None:
        """Return when these nodes are ready, asked over HTTP."""
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient(timeout=5.0) as client:
            for number in numbers:
                while not await self._ready(client, number):
                    await breathe()

    async def _ready(self, client: httpx.AsyncClient, number: int) -> bool:
        with suppress(httpx.TransportError):
            answer = await client.get(f"{self.nodes[number].url}/readyz")
            return bool(answer.json()["checks"]["roster"]["ok"])
        return False

    async def metric(self, number: int, name: str) -> float:
        """The sum of a metric's samples."""
        async with httpx.AsyncClient(timeout=5.0) as client:
            text = (await client.get(f"{self.nodes[number].url}/metrics")).text
        lines = [line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    async def active(self, number: int) -> int:
        """How many users a node says are here."""
        async with httpx.AsyncClient(timeout=5.0) as client:
            answer = (await client.get(f"{self.nodes[number].url}/api/users/stats")).raise_for_status()
        return int(answer.json()["active_users_count"])

    def kill(self, number: int) -> float:
        """SIGKILL. Returns when."""
        self.nodes[number].kill()
        return time()

    def end(self, number: int) -> float:
        """SIGTERM. Returns when; it goes in its own time."""
        self.nodes[number].popen.terminate()
        return time()

    def freeze(self, number: int) -> float:
        self.nodes[number].popen.send_signal(signal.SIGSTOP)
        return time()

    def thaw(self, number: int) -> float:
        self.nodes[number].popen.send_signal(signal.SIGCONT)
        return time()

    async def lose_redis(self, down: float = 1.0) -> float:
        """Redis dies, and comes back with nothing. Returns when it was back."""
        await asyncio.to_thread(self.redis.kill)
        await pause(down)
        self.redis.empty()
        self.redis.launch()  # by the main thread, whose end it follows
        await asyncio.to_thread(self.redis.wait_until_ready)
        return time()


@asynccontextmanager
async def fleet(home: Path, people: int, *, database: str | None = None, size: int = 3) -> AsyncIterator[Fleet]:
    """Nodes that share a Redis and a database of users; without one, a SQLite file."""
    users = database or f"sqlite:///{home}/users.db"
    await _populate(users, people, size)
    with ExitStack() as stack:
        redis = stack.enter_context(servers.private(servers.REDIS))
        environment = {
            "REDIS_URL": redis.url,
            "WIGWAG_USERS_STORAGE_URL": users,
            "WIGWAG_REALTIME_AUTH": "trusted",
            "WIGWAG_WHATSAPP_FIRST_ACCOUNT": "false",
        }
        nodes = [
            stack.enter_context(
                wigwag(
                    "serve",
                    "--data",
                    str(home / f"node{n}"),
                    log=home / f"node{n}.log",
                    port=free_port(),
                    more=environment,
                )
            )
            for n in range(size)
        ]
        watchers = [Person(WATCHERS + n) for n in range(size)]
        made = Fleet(nodes=nodes, watchers=watchers, people={n: Person(n) for n in range(1, people + 1)}, redis=redis)
        try:
            for node, watcher in zip(nodes, watchers, strict=True):
                await watcher.come(node)
            yield made
        finally:
            for number in range(size):
                with suppress(ProcessLookupError):
                    made.thaw(number)
            await asyncio.gather(*(each.go(goodbye=False) for each in [*watchers, *made.people.values()]))


async def _populate(url: str, people: int, watchers: int) -> None:
    stores = await open_stores(url)
    known = list(range(1, people + 1))
    await stores.users.put([User(id=user) for user in [*known, *(WATCHERS + n for n in range(watchers))]])
    for number in range(watchers):
        await stores.users.add_contacts(WATCHERS + number, known)
    await stores.close()


async def breathe() -> None:
    await pause(0.05)


async def pause(seconds: float) -> None:
    """Real time passes: what is watched here are processes."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()


def quantiles(times: Sequence[float]) -> str:
    """Median, 99th percentile and the highest, in seconds."""
    if not times:
        return "none"
    ordered = sorted(times)
    middle, late = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"p50 {middle:.2f}, p99 {late:.2f}, max {ordered[-1]:.2f} s"

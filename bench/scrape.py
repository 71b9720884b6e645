# SPDX-License-Identifier: Apache-2.0
"""What a scrape of 100,000 contacts costs, beside prometheus_client's labels in the same run.

    python bench/scrape.py

One contact in a hundred changes between two scrapes. Printed are medians, and the longest time that the event loop was
held up during a scrape: as the clock shows it, and without the time in which the machine did something else.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from random import Random
from statistics import median
from typing import Self

import uvicorn
import uvloop
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from wigwag.adapters.metrics import Metrics
from wigwag.adapters.metrics.names import CONTACT_LAST_SEEN, CONTACT_ONLINE, CONTACT_STATUS_CHANGES
from wigwag.adapters.rest import Check, build_app
from wigwag.domain.book import Book
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, Signal, Status
from wigwag.testing import START, Trial, build_trial

CONTACTS, CHANGED, ROUNDS, THEIR_ROUNDS = 100_000, 1_000, 9, 3
MOST, LEAST_RATIO, LONGEST_STALL = 150.0, 25.0, 10.0  # ms, times, ms
TICK = 0.0005  # seconds
INSTANTS = count(START, 30.0)
CLIENT = """
import socket, sys, time
print("here", flush=True)
sys.stdin.readline()
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
buffer, size, began = bytearray(1 << 20), 0, time.perf_counter()
server.sendall(f"GET {sys.argv[2]} HTTP/1.1\\r\\nHost: bench\\r\\nConnection: close\\r\\n\\r\\n".encode())
while got := server.recv_into(buffer):
    size += got
print((time.perf_counter() - began) * 1000, size)
"""

Once = Callable[[], Awaitable[tuple[float, int]]]
"""Scrapes once; gives milliseconds and bytes."""

Scrape = Callable[[], Awaitable[Once]]
"""Does what must be done beforehand."""


class Ticker:
    """Asks the loop for a turn all the time, and notes how long it waited at most, in milliseconds."""

    def __init__(self) -> None:
        self.wall = self.own = 0.0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._tick(), name="ticker")
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _tick(self) -> None:
        while True:
            wall, own = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK)
            self.wall = max(self.wall, (time.perf_counter() - wall - TICK) * 1000)
            self.own = max(self.own, (time.thread_time() - own) * 1000)


def fill(book: Book) -> None:
    chance = Random(7)
    for index in range(CONTACTS):
        contact = Presence(
            jid=Jid(f"{919_000_000_000 + index}@s.whatsapp.net"),
            name=f"Contact {index} of many",
            account="default",
            status=chance.choice([Status.ONLINE, Status.OFFLINE]),
            since=START,
            heard=START,
            last_seen=START + index / 7,
            went_online=chance.randrange(1000),
            went_offline=chance.randrange(1000),
        )
        book.put(contact)


def turn(book: Book, at: float) -> None:
    """One contact in a hundred goes the other way."""
    for row in Random(at).sample(range(CONTACTS), CHANGED):
        signal = Signal.UNAVAILABLE if book.status[row] == Status.ONLINE else Signal.AVAILABLE
        book.report(book.jids[row], signal, at, account="default")


async def measure(title: str, book: Book, scrape: Scrape, rounds: int = ROUNDS) -> tuple[float, float]:
    """Print and return the medians of the time and of the longest stall that was the scrape's own."""
    spent, size, walls, owns = [], 0, [], []
    for _ in range(rounds):
        turn(book, next(INSTANTS))
        once = await scrape()
        async with Ticker() as ticker:
            milliseconds, size = await once()
        spent.append(milliseconds)
        walls.append(ticker.wall)
        owns.append(ticker.own)
    print(f"{title:26} {median(spent):7.1f} ms ({min(spent):.1f} to {max(spent):.1f})  {size / 1e6:.1f} MB", end="  ")
    print(f"longest stall {median(walls):.1f} ms, its own {median(owns):.1f} (worst {max(walls):.1f}, {max(owns):.1f})")
    return median(spent), median(owns)


def rendering(metrics: Metrics) -> Scrape:
    async def begin() -> Once:
        return scrape

    async def scrape() -> tuple[float, int]:
        began, size = time.perf_counter(), 0
        _content_type, chunks = await metrics.exposition("")
        async for chunk in chunks:
            size += len(chunk)
        return (time.perf_counter() - began) * 1000, size

    return begin


def over_http(port: int, path: str) -> Scrape:
    """As another process sees it, over loopback. The process is there before the loop is watched."""

    async def begin() -> Once:
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CLIENT, str(port), path), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert client.stdout is not None
        await client.stdout.readline()

        async def scrape() -> tuple[float, int]:
            printed, _nothing = await client.communicate(b"go\n")
            spent, size = printed.split()
            return float(spent), int(size)

        return scrape

    return begin


def labels_of_the_library(book: Book) -> float:
    """Median milliseconds that prometheus_client takes for the same series, told of every change beforehand."""
    registry = CollectorRegistry()
    online = Gauge(CONTACT_ONLINE.name, "-", CONTACT_ONLINE.labels, registry=registry)
    changes = Counter(CONTACT_STATUS_CHANGES.name, "-", CONTACT_STATUS_CHANGES.labels, registry=registry)
    seen = Gauge(CONTACT_LAST_SEEN.name, "-", CONTACT_LAST_SEEN.labels, registry=registry)
    for contact in book.views():
        online.labels(contact.jid, contact.name).set(contact.status is Status.ONLINE)
        changes.labels(contact.jid, contact.name, "online").inc(contact.went_online)
        changes.labels(contact.jid, contact.name, "offline").inc(contact.went_offline)
        seen.labels(contact.jid, contact.name).set(contact.last_seen or 0.0)
    spent = []
    for _ in range(THEIR_ROUNDS):
        began = time.perf_counter()
        generate_latest(registry)
        spent.append((time.perf_counter() - began) * 1000)
    return median(spent)


async def serve(trial: Trial, metrics: Metrics) -> tuple[uvicorn.Server, asyncio.Task[None]]:
    async def ready() -> Sequence[Check]:
        return []

    app = build_app(
        trial.core.gateway,
        access=trial.core.access,
        clock=trial.clock,
        exposition=metrics.exposition,
        observe=metrics.observe_request,
        ready=ready,
        version="bench",
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    task = asyncio.create_task(server.serve(), name="http")
    while not server.started:  # noqa: ASYNC110  uvicorn offers nothing to wait for
        await asyncio.sleep(0)
    return server, task


def judge(what: str, kept: bool) -> bool:
    print(f"{'ok  ' if kept else 'FAIL'} {what}")
    return kept


async def main() -> bool:
    trial = build_trial()
    book = trial.core.book
    fill(book)
    metrics = Metrics(book, trial.core.gateway, trial.clock, version="bench")
    print(f"{CONTACTS:,} contacts, {CHANGED:,} change between scrapes, median of {ROUNDS}")
    cold, cold_stall = await measure("rendering, nothing kept", book, rendering(metrics), rounds=1)
    render, render_stall = await measure("rendering", book, rendering(metrics))
    server, task = await serve(trial, metrics)
    port = server.servers[0].sockets[0].getsockname()[1]
    await (await over_http(port, "/livez")())()  # the first request of all makes the app
    http, http_stall = await measure("GET /metrics", book, over_http(port, "/metrics"))
    _json, json_stall = await measure("GET /api/presence", book, over_http(port, "/api/presence"), rounds=3)
    server.should_exit = True
    await task
    theirs = labels_of_the_library(book)
    print(f"{'prometheus_client labels':26} {theirs:7.1f} ms (median of {THEIR_ROUNDS}, without _created)")
    stall = max(cold_stall, render_stall, http_stall, json_stall)
    verdicts = [
        judge(
            f"a scrape takes at most {MOST:.0f} ms: {render:.0f}, cold {cold:.0f}, over HTTP {http:.0f}", render <= MOST
        ),
        judge(
            f"at least {LEAST_RATIO:.0f} times faster than labels: {theirs / render:.0f}",
            theirs >= LEAST_RATIO * render,
        ),
        judge(f"no scrape stalls the loop for over {LONGEST_STALL:.0f} ms: {stall:.1f}", stall <= LONGEST_STALL),
    ]
    return all(verdicts)


if __name__ == "__main__":
    sys.exit(0 if uvloop.run(main()) else 1)

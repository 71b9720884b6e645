# SPDX-License-Identifier: Apache-2.0
"""/api/events: who follows misses nothing or is told so, gets what was asked for, and harms nobody by not reading."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
import uvicorn

from tests.rest.conftest import ANNA, BERT, World, app_of
from tests.rest.following import change, following, put
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.rest import Stream
from wigwag.adapters.rest.stream.kinds import BY_FACT, KINDS, NAMES, UNTOLD
from wigwag.adapters.rest.stream.page import describe
from wigwag.adapters.rest.stream.response import GATHER, HEARTBEAT
from wigwag.domain.events import Fact, PresenceReported, SubscriptionChanged
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Signal
from wigwag.domain.subscriptions import State
from wigwag.testing import Trial

EVENTS_PAGE = Path(__file__).parents[2] / "docs" / "EVENTS.md"


@pytest.fixture
def stream(trial: Trial) -> Stream:
    put(trial)
    put(trial, BERT, "Bert")
    return Stream(trial.core.gateway, trial.clock, size=8, epoch="now")


async def test_a_client_hears_what_happens_after_it_came(trial: Trial, stream: Stream) -> None:
    stream.sink(change(BERT))
    async with following(trial, stream) as reader:
        assert reader.events() == [("hello", "now-1", {"resumed": False})]
        stream.sink(change())
        await trial.clock.advance(GATHER)
    _hello, (kind, position, data) = reader.events()
    assert (kind, position) == ("presence.changed", "now-2")
    assert data == {
        "jid": ANNA,
        "name": "Anna",
        "is_online": True,
        "last_seen": "2023-11-14T22:13:20Z",
        "last_status_change": "2023-11-14T22:13:20Z",
        "observed": True,
        "account": "default",
        "before": "offline",
    }
    assert reader.ended
    assert stream.clients == set()


async def test_one_event_is_encoded_once_for_all(trial: Trial, stream: Stream) -> None:
    async with following(trial, stream), following(trial, stream):
        stream.sink(change())
        await trial.clock.advance(GATHER)
        (first,), (again,) = stream.ring.after(0, 1), stream.ring.after(0, 1)
        assert first.frame is again.frame


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        ({}, [ANNA, BERT, "subscription"]),
        ({"kinds": frozenset({"presence.changed"})}, [ANNA, BERT]),
        ({"about": frozenset({BERT})}, [BERT]),
        ({"account": "default"}, [ANNA, BERT]),
        ({"account": "other"}, ["subscription"]),
        ({"account": "other", "about": frozenset({BERT})}, []),
    ],
)
async def test_a_client_gets_what_it_asked_for(
    trial: Trial, stream: Stream, wanted: dict[str, Any], heard: list[str]
) -> None:
    async with following(trial, stream, **wanted) as reader:
        stream.sink(change(ANNA))
        stream.sink(change(BERT))
        stream.sink(SubscriptionChanged(account="other", jid=Jid(ANNA), state=State.ACTIVE, attempts=0, at=0.0))
        await trial.clock.advance(GATHER)
    told = [data["jid"] if kind == "presence.changed" else "subscription" for kind, _id, data in reader.events()[1:]]
    assert told == heard


async def test_silence_is_broken_and_moves_a_client_on(trial: Trial, stream: Stream) -> None:
    """Otherwise a client with a narrow wish would be told to read anew for nothing."""
    async with following(trial, stream, kinds=frozenset({"job.changed"})) as reader:
        stream.sink(change())
        await trial.clock.advance(HEARTBEAT + GATHER)
    assert reader.text.endswith(": here\nid: now-1\n\n")


async def test_who_does_not_read_is_cut_and_nobody_else_notices(trial: Trial, stream: Stream) -> None:
    stream.patience = 0.01
    async with (
        following(trial, stream) as stuck,
        following(trial, stream) as other,
        asyncio.timeout(10),
    ):
        stuck.reads.clear()
        while stream.tally.cut == 0:
            stream.sink(change())
            await trial.clock.advance(GATHER)
            await asyncio.sleep(0)
        stream.sink(change(BERT))
        await trial.clock.advance(GATHER)
        assert stuck.ended
        assert len(stream.clients) == 1
        assert other.events()[-1][2]["jid"] == BERT


async def test_who_falls_too_far_behind_is_told_to_read_anew(trial: Trial, stream: Stream) -> None:
    async with following(trial, stream) as slow:
        slow.reads.clear()
        stream.sink(change())
        await trial.clock.advance(GATHER)
        for _each in range(20):
            stream.sink(change())
        slow.reads.set()
        await trial.clock.advance(GATHER)
    assert slow.kinds()[-1] == "reset"
    assert slow.events()[-1][1:] == ("now-21", {"reason": "too_old"})


async def test_when_we_stop_everybody_is_let_go(trial: Trial, stream: Stream) -> None:
    async with following(trial, stream) as reader:
        await stream.close()
        await trial.clock.advance(GATHER)
        assert reader.ended


async def test_whose_key_ends_hears_no_more(trial: Trial, stream: Stream) -> None:
    async with following(trial, stream) as reader:
        reader.welcome = False
        stream.sink(change())
        await trial.clock.advance(HEARTBEAT + GATHER)
        assert reader.ended
        stream.sink(change())
        await trial.clock.advance(GATHER)
        assert reader.kinds().count("presence.changed") <= 1


async def test_a_person_who_is_erased_is_gone_from_what_is_repeated(trial: Trial) -> None:
    stream = Stream(trial.core.gateway, trial.clock, epoch="now")
    trial.core.fanout.add("events", stream.sink)
    await trial.connect()
    await trial.core.gateway.track([(ANNA, "Anna"), (BERT, "Bert")])
    await trial.clock.advance(60)
    for jid in (ANNA, BERT):
        trial.whatsapp.tell(
            PresenceReported(account="default", jid=Jid(jid), signal=Signal.AVAILABLE, at=trial.clock.now())
        )
    await trial.clock.settle()
    begin = stream.ring.position(0)
    await trial.core.gateway.erase(ANNA)
    stream.forget()
    async with following(trial, stream, begin) as reader:
        assert [(kind, data) for kind, _id, data in reader.events()] == [("reset", {"reason": "erased"})]
    everything = [entry.frame for entry in stream.ring.after(0, 1000)]
    assert [frame for frame in everything if ANNA.encode() in frame and b"contact.removed" not in frame] == []
    assert any(BERT.encode() in frame for frame in everything)


# --- over HTTP


@pytest.mark.parametrize("question", ["types=weather.*", "jid=nobody"])
async def test_a_wish_that_cannot_be_is_refused(client: httpx.AsyncClient, question: str) -> None:
    assert (await client.get(f"/api/events?{question}")).status_code == 422


def test_every_fact_is_told_or_left_out_on_purpose() -> None:
    facts = set(get_args(Fact))
    assert facts <= BY_FACT.keys() | UNTOLD
    assert not facts & BY_FACT.keys() & UNTOLD
    assert len(set(NAMES)) == len(KINDS)


def test_the_page_is_as_it_is_printed() -> None:
    assert EVENTS_PAGE.read_text() == describe(), "print it: python -m wigwag.adapters.rest.stream > docs/EVENTS.md"


# --- over a real connection


async def test_over_http_a_client_comes_back_without_a_gap_and_a_stuck_one_is_cut(trial: Trial, world: World) -> None:
    """A socket that nobody reads fills up; then the gateway stops writing to it, and others go on."""
    put(trial)
    stream = Stream(trial.core.gateway, SystemClock(), epoch="now", patience=0.5)
    async with serving(trial, world, stream) as port, asyncio.timeout(60):
        reader, writer = await ask(port)
        assert await next_event(reader) == ("hello", "now-0", {"resumed": False})
        stream.sink(change(at=1.0))
        assert (await next_event(reader))[1] == "now-1"
        writer.close()
        for at in (2.0, 3.0):
            stream.sink(change(at=at))
        reader, writer = await ask(port, "Last-Event-ID: now-1\r\n")
        heard = [await next_event(reader) for _each in range(3)]
        assert [(kind, position) for kind, position, _data in heard] == [
            ("hello", "now-1"),
            ("presence.changed", "now-2"),
            ("presence.changed", "now-3"),
        ]
        _stuck, stuck_writer = await ask(port, limit=1)
        told = asyncio.Event()
        going = asyncio.create_task(_read_until(reader, told))
        while stream.tally.cut == 0:
            for _each in range(200):
                stream.sink(change(at=9.0))
            await asyncio.wait({going}, timeout=GATHER)
        stream.sink(change(at=7_000.0))
        await told.wait()
        assert len(stream.clients) == 1
        for each in (writer, stuck_writer):
            each.close()
            await asyncio.gather(each.wait_closed(), return_exceptions=True)
        await going


async def _read_until(reader: asyncio.StreamReader, told: asyncio.Event) -> None:
    """Read for ever, and say when the event of 7,000 s after 1970 came."""
    while data := await reader.read(1 << 16):
        if b"1970-01-01T01:56:40Z" in data:
            told.set()


@asynccontextmanager
async def serving(trial: Trial, world: World, stream: Stream) -> AsyncIterator[int]:
    """The port of a server that answers."""
    app = app_of(world, trial.core.gateway, trial.clock, stream=stream)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # so that little fills it
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        await stream.close()
        server.should_exit = True
        await task


async def ask(port: int, header: str = "", limit: int = 1 << 20) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that follows; with a small limit it reads next to nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=limit)
    writer.write(f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\n".encode())
    return reader, writer


async def next_event(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, Any]]:
    """The next event, whatever chunks it comes in."""
    kind = position = ""
    while True:
        text = (await reader.readuntil(b"\n")).decode().strip()
        name, _colon, value = text.partition(": ")
        if name == "event":
            kind = value
        elif name == "id":
            position = value
        elif name == "data" and kind:
            return kind, position, json.loads(value)

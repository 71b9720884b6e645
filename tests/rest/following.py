# SPDX-License-Identifier: Apache-2.0
"""A client of the live stream without HTTP, and something for it to hear of."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.rest.conftest import ANNA
from wigwag.adapters.rest import Stream
from wigwag.adapters.rest.stream.hub import Wanted
from wigwag.adapters.rest.stream.response import GATHER, EventStream
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, PresenceChanged, Status
from wigwag.testing import Trial


@dataclass
class Reader:
    """A client of the stream, without HTTP. `reads` is cleared to stop reading."""

    reads: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    text: str = ""
    ended: bool = False
    welcome: bool = True

    async def receive(self) -> dict[str, str]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            if message["more_body"]:
                await self.reads.wait()
            self.text += message["body"].decode()
            self.ended = not message["more_body"]

    def events(self) -> list[tuple[str, str, Any]]:
        """(kind, id, data) of each event so far."""
        found = []
        for block in self.text.split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines())
            if "event" in lines:
                found.append((lines["event"], lines["id"], json.loads(lines["data"])))
        return found

    def kinds(self) -> list[str]:
        return [kind for kind, _id, _data in self.events()]


@asynccontextmanager
async def following(trial: Trial, stream: Stream, position: str = "", **wanted: Any) -> AsyncIterator[Reader]:
    reader = Reader()
    reader.reads.set()
    answer = EventStream(stream, Wanted(**wanted), position, lambda: reader.welcome)
    task = asyncio.create_task(answer({"type": "http"}, reader.receive, reader.send))
    await trial.clock.settle()
    try:
        yield reader
    finally:
        reader.left.set()
        reader.reads.set()
        await trial.clock.advance(GATHER)
        async with asyncio.timeout(10):
            await task


def put(trial: Trial, jid: str = ANNA, name: str = "Anna") -> None:
    trial.core.book.put(Presence(jid=Jid(jid), name=name, account="default", status=Status.OFFLINE))


def change(jid: str = ANNA, at: float = 1_700_000_000.0) -> PresenceChanged:
    return PresenceChanged(Jid(jid), Status.OFFLINE, Status.ONLINE, at, at, counted=True)

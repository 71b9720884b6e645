# SPDX-License-Identifier: Apache-2.0
"""One client's answer, for as long as it reads: what it missed, then what happens (server-sent events).

Plain ASGI. A client that does not take what it is sent is stopped; what it may still hold of ours is one write.
"""

import asyncio
import json
import logging
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from wigwag.adapters.rest.stream.hub import Client, Stream, Wanted
from wigwag.adapters.rest.stream.ring import Reset

GATHER = 0.05  # seconds: whatever happens within is written at once
HEARTBEAT = 15.0  # seconds of silence after which a client is told that we live
CHUNK = 500  # events in one write
RETRY = 2_000  # milliseconds after which a client comes back

log = logging.getLogger(__name__)


class EventStream(Response):
    """The answer to `GET /api/events`.

    Args:
        position: where the client stopped, or "" for one that begins.
        welcome: whether the client would still be let in.
    """

    media_type = "text/event-stream"

    def __init__(self, stream: Stream, wanted: Wanted, position: str, welcome: Callable[[], bool]) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})  # proxies are to pass it on at once
        del self.headers["content-length"]
        self._stream, self._position, self._welcome = stream, position, welcome
        self._client = Client(wanted=wanted, seen=stream.ring.last)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        stream, client = self._stream, self._client
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        stream.clients.add(client)
        listening = asyncio.create_task(_listen(receive, client), name="events: client")
        try:
            async with asyncio.timeout(None) as patience:
                await self._follow(send, patience)
        except TimeoutError:
            stream.tally.cut += 1
            log.info("A client of /api/events does not read and was cut", extra={"action": "events.cut"})
        finally:
            stream.clients.discard(client)
            listening.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _follow(self, send: Send, patience: asyncio.Timeout) -> None:
        """Write until the client is gone. Raises TimeoutError if it does not read."""
        clock, client = self._stream.clock, self._client
        frames = self._greeting()
        while not (client.gone or self._stream.closed) and self._welcome():
            if frames:
                patience.reschedule(asyncio.get_running_loop().time() + self._stream.patience)
                await send({"type": "http.response.body", "body": frames, "more_body": True})
                patience.reschedule(None)
            if client.seen < self._stream.ring.last:
                frames = self._next()
                continue
            client.news.clear()
            await clock.wait(client.news, clock.now() + HEARTBEAT)
            if client.news.is_set():
                await clock.sleep(GATHER)
                frames = self._next()
            else:
                frames = self._mark()

    def _greeting(self) -> bytes:
        """What a client hears first: that it begins, goes on, or must read anew."""
        stream, client = self._stream, self._client
        found = stream.ring.number_of(self._position) if self._position else None
        if isinstance(found, Reset):
            stream.tally.reset += 1
            return f"retry: {RETRY}\n\n".encode() + self._word("reset", reason=found)
        if found is None:
            stream.tally.fresh += 1
        else:
            stream.tally.resumed += 1
            client.seen = found
        return f"retry: {RETRY}\n\n".encode() + self._word("hello", resumed=found is not None)

    def _next(self) -> bytes:
        """The frames after what the client has seen; nothing if none of them is wanted."""
        ring, client = self._stream.ring, self._client
        trouble = ring.trouble(client.seen)
        if trouble is not None:
            client.seen = ring.last
            self._stream.tally.reset += 1
            return self._word("reset", reason=trouble)
        frames = b"".join(entry.frame for entry in ring.after(client.seen, CHUNK) if client.wanted.has(entry))
        client.seen = min(ring.last, client.seen + CHUNK)
        return frames

    def _mark(self) -> bytes:
        """A comment, and the position without an event: a client with a narrow wish is not left behind."""
        return f": here\nid: {self._stream.ring.position(self._client.seen)}\n\n".encode()

    def _word(self, kind: str, **data: object) -> bytes:
        position = self._stream.ring.position(self._client.seen)
        return f"event: {kind}\nid: {position}\ndata: {json.dumps(data)}\n\n".encode()


async def _listen(receive: Receive, client: Client) -> None:
    """Notice that a client hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    client.leave()

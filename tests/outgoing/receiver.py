# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks on this machine that behaves as badly as its path says, and remembers all it was sent.

    /200 … any status · /429/60 with Retry-After · /301/8080 with a Location at that port · /garbage no HTTP
    /never takes all and says nothing · /reset after the headers · /drip a byte at times · /endless a body without end

It speaks plain sockets, because no well-behaved server can do these things.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CHUNK = b"x" * 65_536


@dataclass(frozen=True, kw_only=True)
class Request:
    """What came in. Header names are in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """The server. `answer` chooses the behaviour for a request; by default its path does."""

    answer: Callable[[Request], str] = lambda request: request.path
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    written: int = 0  # bytes of endless bodies
    port: int = 0
    scheme: str = "http"
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/200", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def until(self, done: Callable[[list[Request]], bool], seconds: float = 20.0) -> None:
        """Wait until what has arrived is enough."""
        async with asyncio.timeout(seconds), self.arrived:
            await self.arrived.wait_for(lambda: done(self.requests))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not self.closing.is_set():
                request = await _read(reader)
                async with self.arrived:
                    self.requests.append(request)
                    self.arrived.notify_all()
                if not await self._behave(self.answer(request), writer):
                    break
        writer.transport.abort()

    async def _behave(self, path: str, writer: asyncio.StreamWriter) -> bool:
        """Answer as a path says. False ends the connection."""
        what, _slash, more = path.partition("?")[0].lstrip("/").partition("/")
        match what:
            case "never":
                await self.closing.wait()
            case "reset":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab")
                await writer.drain()
            case "garbage":
                writer.write(b"220 smtp ready\r\n")
                await writer.drain()
            case "drip":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
                await self._for_ever(writer, b"x", pause=0.01)
            case "endless":
                writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                await self._for_ever(writer, f"{len(CHUNK):x}\r\n".encode() + CHUNK + b"\r\n")
            case _:
                extra = f"retry-after: {more}\r\n" if what in ("429", "503") and more else ""
                extra += f"location: http://127.0.0.1:{more or self.port}/200\r\n" if what.startswith("3") else ""
                body = b"" if what == "204" else b"hello"
                writer.write(
                    f"HTTP/1.1 {what} Any\r\ncontent-type: image/png; x=1\r\n{extra}"
                    f"content-length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
                return True
        return False

    async def _for_ever(self, writer: asyncio.StreamWriter, data: bytes, pause: float = 0.0) -> None:
        while not self.closing.is_set():
            writer.write(data)
            self.written += len(data)
            await writer.drain()
            if pause:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.closing.wait(), pause)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")[:-2]
    headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, path, _version = first.split(" ")
    return Request(method=method, path=path, headers=headers, body=body)


@asynccontextmanager
async def receiving(
    answer: Callable[[Request], str] | None = None, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A receiver at work until the block ends."""
    receiver = Receiver() if answer is None else Receiver(answer=answer)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await receiver.serve(reader, writer)
        tasks.discard(task)

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    receiver.scheme = "https" if tls else "http"
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()

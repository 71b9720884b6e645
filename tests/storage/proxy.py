# SPDX-License-Identifier: Apache-2.0
"""A network between a store and its server that can fall silent or break, as real ones do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Network:
    """Carries bytes both ways. Silent, it keeps connections open and delivers nothing; cut, it closes all of them."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.reached = asyncio.Event()  # somebody sends while it is silent

    def fall_silent(self) -> None:
        self.reached.clear()
        self._flows.clear()

    def heal(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        ends = {writer, there_writer}
        self._writers |= ends
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, there_writer), name="to the server")
                tasks.create_task(self._pump(there_reader, writer), name="from the server")
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if not self._flows.is_set():
                    self.reached.set()
                await self._flows.wait()
                sink.write(data)
                await sink.drain()
        with suppress(OSError):
            sink.write_eof()


@asynccontextmanager
async def network(host: str, port: int) -> AsyncIterator[tuple[Network, int]]:
    """A network to a server, and the loopback port where it begins."""
    wire = Network(host, port)
    carriers: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        carriers.add(asyncio.create_task(wire.carry(reader, writer), name="carry"))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield wire, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        wire.heal()
        wire.cut()
        for carrier in carriers:
            carrier.cancel()
        await asyncio.gather(*carriers, return_exceptions=True)

# SPDX-License-Identifier: Apache-2.0
"""One connection to the broker, from its opening to its end. It is never repaired: whoever needs one makes another.

Whatever ends it, even silence, ends it for all; and closing it cannot hang.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiormq import Connection, spec
from aiormq.abc import AbstractChannel
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory

from wigwag.adapters.amqp.tolerance import be_tolerant
from wigwag.adapters.amqp.wall import within
from wigwag.domain.errors import BrokerUnavailable

CONNECTING = 10.0  # seconds to connect and log in
HEARTBEAT = 10  # seconds; both sides hang up after some of silence
CLOSING = 2.0  # seconds for a farewell


class Session:
    """An open connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._outgoing: AbstractChannel | None = None
        self._publishing = asyncio.Lock()

    async def channel(self, *, confirms: bool = False) -> AbstractChannel:
        """A new channel. Raises BrokerUnavailable."""
        return await within(self._connection.channel(publisher_confirms=confirms, on_return_raises=confirms))

    async def publish(self, body: bytes, properties: spec.Basic.Properties, *, queue: str) -> None:
        """Put a message into a queue. When this returns the broker has it safe.

        Raises Unroutable where there is no such queue, BrokerUnavailable where nobody knows.
        """
        properties.delivery_mode = 2
        async with self._publishing:
            if self._outgoing is None:
                self._outgoing = await self.channel(confirms=True)
            publishing = self._outgoing.basic_publish(body, routing_key=queue, properties=properties, mandatory=True)
            try:
                await within(publishing)
            except BrokerUnavailable:
                self._outgoing = None
                raise

    async def count(self, channel: AbstractChannel, queue: str) -> int:
        """How many messages wait in a queue."""
        told = await within(channel.queue_declare(queue, passive=True))
        return told.message_count or 0

    async def ended(self) -> None:
        """Return when the connection is no more."""
        with suppress(Exception):
            await self._connection.closing


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Session]:
    """A connection for the time of the block. Raises BrokerUnavailable."""
    be_tolerant()
    address = f"{url}{'&' if '?' in url else '?'}heartbeat={HEARTBEAT}&name=wigwag"
    transport = _Transport(TLSTransportFactory() if url.startswith("amqps:") else TCPTransportFactory())
    connection = Connection(address, transport_factory=transport)
    try:
        await within(connection.connect(), CONNECTING)
        yield Session(connection)
    finally:
        with suppress(BrokerUnavailable):
            await within(connection.close(), CLOSING)
        transport.cut()


class _Transport(TransportFactory):
    """Keeps hold of the socket, so that it can be cut whatever state the library is in."""

    def __init__(self, factory: TransportFactory) -> None:
        self._factory = factory
        self._writer: asyncio.StreamWriter | None = None

    async def create(self, url: Any, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, self._writer = await self._factory.create(url, **kwargs)
        return reader, self._writer

    def cut(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()

# SPDX-License-Identifier: Apache-2.0
"""One queue's consumer: it takes messages while it may, and acknowledges each when it is safe.

It never puts a message back: while it may not take any, it is cancelled on the broker, and what it had begun is ended.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from aiormq.abc import AbstractChannel, DeliveredMessage

from wigwag.adapters.amqp.session import Session
from wigwag.adapters.amqp.wall import translated, within
from wigwag.domain.errors import BrokerUnavailable

Handle = Callable[[DeliveredMessage], Awaitable[Callable[[], None]]]
"""Makes a message safe; gives what to call when it is acknowledged."""

FAREWELL = 3.0  # seconds for begun messages to end when we stop


class Consumer:
    """Consumes a queue on one connection.

    Args:
        may: whether messages may be taken now. Call `look` when that may have changed.
    """

    def __init__(self, queue: str, prefetch: int, may: Callable[[], bool], handle: Handle) -> None:
        self._queue, self._prefetch, self._may, self._handle = queue, prefetch, may, handle
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._error: Exception | None = None
        self._tag: str | None = None

    @property
    def consuming(self) -> bool:
        return self._tag is not None

    def give_up(self) -> None:
        """The connection is not worth a farewell."""
        self._error = self._error or BrokerUnavailable("The connection to RabbitMQ was given up.")

    def look(self) -> None:
        """Look again whether messages may be taken."""
        self._wake.set()

    async def run(self, session: Session) -> None:
        """Consume until cancelled. Raises BrokerUnavailable when the channel or the queue is no more."""
        channel = await session.channel()
        channel.closing.add_done_callback(partial(self._lost, "RabbitMQ closed the channel."))
        channel.on_consumer_cancel_callbacks.add(partial(self._lost, f"Somebody deleted the queue {self._queue}."))
        await within(channel.basic_qos(prefetch_count=self._prefetch))
        try:
            while True:
                self._wake.clear()
                if self._error is not None:
                    raise self._error
                await self._turn(channel)
                await self._wake.wait()
        finally:
            await self._say_farewell(channel)

    async def _turn(self, channel: AbstractChannel) -> None:
        """Begin or stop, as it may."""
        if self._may() and self._tag is None:
            begun = await within(channel.basic_consume(self._queue, partial(self._take, channel)))
            self._tag = begun.consumer_tag
        elif not self._may() and self._tag is not None:
            tag, self._tag = self._tag, None
            await within(channel.basic_cancel(tag))

    async def _take(self, channel: AbstractChannel, message: DeliveredMessage) -> None:
        """Called by the library in the order of arrival; it must not wait."""
        task = asyncio.create_task(self._process(channel, message), name=f"envelope from {self._queue}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _process(self, channel: AbstractChannel, message: DeliveredMessage) -> None:
        acknowledged = await self._handle(message)
        with translated():
            await channel.basic_ack(message.delivery_tag or 0, wait=False)
        acknowledged()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = self._error or (error if isinstance(error, Exception) else None)
            self._wake.set()

    def _lost(self, why: str, _told: object) -> None:
        self._error = self._error or BrokerUnavailable(why)
        self._wake.set()

    async def _say_farewell(self, channel: AbstractChannel) -> None:
        """End what was begun if there is still time and a connection, so that it need not come again."""
        try:
            async with asyncio.timeout(FAREWELL):
                if self._tag is not None and self._error is None:
                    await within(channel.basic_cancel(self._tag))
                if self._tasks and self._error is None:
                    await asyncio.wait(self._tasks)
        except (TimeoutError, BrokerUnavailable):
            pass
        finally:
            left = list(self._tasks)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

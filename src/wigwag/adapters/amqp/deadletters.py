# SPDX-License-Identifier: Apache-2.0
"""The dead letters, as a person looks at them: list, show, replay, drop.

A queue can only be read by taking messages from it. What is taken and not wanted is put back in one go and in its old
order, by closing the channel that took it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from aiormq.abc import AbstractChannel, DeliveredMessage

from wigwag.adapters.amqp import letters
from wigwag.adapters.amqp.commands import Commands
from wigwag.adapters.amqp.session import Session
from wigwag.adapters.amqp.topology import Topology
from wigwag.adapters.amqp.wall import translated, within
from wigwag.domain.deadletters import DeadLetter
from wigwag.domain.errors import BrokerUnavailable, Conflict, NotFound

NO_SUCH_LETTER = "There is no such dead letter."


class DeadLetterQueue:
    """Fulfils `DeadLetters`. One thing is done at a time.

    Args:
        session: gives the connection of now; raises BrokerUnavailable without one.
    """

    def __init__(self, session: Callable[[], Session], gateway: Commands, topology: Topology) -> None:
        self._session, self._gateway, self._topology = session, gateway, topology
        self._lock = asyncio.Lock()

    async def list(self, limit: int, reason: str | None = None) -> Sequence[DeadLetter]:
        """The first letters, without their bodies."""
        found: list[DeadLetter] = []
        async with self._looking() as look:
            async for message in look.letters():
                letter = letters.read(message)
                if reason in (None, letter.reason):
                    found.append(letters.without_body(letter))
                if len(found) == limit:
                    break
        return found

    async def get(self, letter_id: str) -> DeadLetter:
        """One letter, whole. Raises NotFound."""
        async with self._looking() as look:
            return letters.read(await look.find(letter_id))

    async def replay(self, letter_id: str) -> None:
        """Try it again, and remove it. Raises NotFound, Conflict."""
        async with self._looking() as look:
            message = await look.find(letter_id)
            await self._replay(message)
            await look.remove(message)

    async def drop(self, letter_id: str) -> None:
        """Remove it. Raises NotFound."""
        async with self._looking() as look:
            await look.remove(await look.find(letter_id))

    async def replay_all(self, reason: str | None = None) -> int:
        """Replay all of now. Those whose job has not failed any more, or is forgotten, stay."""
        done = 0
        async with self._looking() as look:
            async for message in look.letters():
                if reason in (None, letters.read(message).reason):
                    with suppress(NotFound, Conflict):
                        await self._replay(message)
                        await look.remove(message)
                        done += 1
        return done

    async def drop_all(self, reason: str | None = None) -> int:
        """Remove all of now."""
        done = 0
        async with self._looking() as look:
            async for message in look.letters():
                if reason in (None, letters.read(message).reason):
                    await look.remove(message)
                    done += 1
        return done

    async def _replay(self, message: DeliveredMessage) -> None:
        """A job goes on; what never became one goes back to the queue that it came from."""
        letter = letters.read(message)
        if letter.job is not None:
            await self._gateway.retry(letter.job)
        else:
            queue = letter.queue or self._topology.queue
            await self._session().publish(message.body, letters.again(message), queue=queue)

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator["_Look"]:
        async with self._lock:
            channel = await self._session().channel()
            try:
                yield _Look(channel, self._topology.dead_letters)
            finally:
                with suppress(BrokerUnavailable):
                    await within(channel.close())


class _Look:
    """One walk through the queue."""

    def __init__(self, channel: AbstractChannel, queue: str) -> None:
        self._channel, self._queue = channel, queue

    async def letters(self) -> AsyncIterator[DeliveredMessage]:
        """All that are there now; what comes in the meantime is left for the next walk."""
        left = (await within(self._channel.queue_declare(self._queue, passive=True))).message_count or 0
        while left:
            message = await within(self._channel.basic_get(self._queue))
            if message.delivery_tag is None:
                return
            yield message
            left -= 1

    async def find(self, letter_id: str) -> DeliveredMessage:
        """Raises NotFound."""
        async for message in self.letters():
            if letters.read(message).id == letter_id:
                return message
        raise NotFound(NO_SUCH_LETTER)

    async def remove(self, message: DeliveredMessage) -> None:
        with translated():
            await self._channel.basic_ack(message.delivery_tag or 0)

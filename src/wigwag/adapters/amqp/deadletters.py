# SPDX-License-Identifier: Apache-2.0
"""The dead letters, as a person looks at them: list, show, replay, drop.

A queue can only be read by taking messages from it. So each look takes all of them, and puts back what stays, in one go
and in the old order, by closing the channel that took them.
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

FARTHEST = 10_000  # letters that a walk goes past; where there are more, their order may change
MOST_LOOKS, PAUSE = 100, 0.02  # seconds between looks whether all letters are back
NO_SUCH_LETTER = "There is no such dead letter."


class DeadLetterQueue:
    """Fulfils `DeadLetters`. One thing is done at a time.

    Args:
        session: gives the connection of now; raises BrokerUnavailable without one.
    """

    def __init__(self, session: Callable[[], Session], messages: Commands, topology: Topology) -> None:
        self._session, self._messages, self._topology = session, messages, topology
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
            await self._messages.retry(letter.job)
        else:
            queue = letter.queue or self._topology.queue
            await self._session().publish(message.body, letters.again(message), queue=queue)

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator["_Look"]:
        async with self._lock:
            look = _Look(await self._session().channel(), self._topology.dead_letters)
            try:
                yield look
            finally:
                with suppress(BrokerUnavailable):
                    await look.put_back()
                    await self._wait_for(look.held)

    async def _wait_for(self, letters_put_back: int) -> None:
        """The broker puts back in its own time; whoever looked before would miss some."""
        channel = await self._session().channel()
        for _time in range(MOST_LOOKS):
            if (await _count(channel, self._topology.dead_letters)) >= letters_put_back:
                break
            await asyncio.sleep(PAUSE)
        await within(channel.close())


class _Look:
    """One walk through the queue. It always goes to the end, or what was put back would stand behind the rest."""

    def __init__(self, channel: AbstractChannel, queue: str) -> None:
        self._channel, self._queue = channel, queue
        self._left: int | None = None  # letters that are still to be walked past
        self.held = 0  # letters that were taken and not removed

    async def letters(self) -> AsyncIterator[DeliveredMessage]:
        """All that are there now; what comes in the meantime is left for the next walk."""
        if self._left is None:
            self._left = min(await _count(self._channel, self._queue), FARTHEST)
        while self._left:
            message = await within(self._channel.basic_get(self._queue))
            if message.delivery_tag is None:
                return
            self.held += 1
            self._left -= 1
            yield message

    async def find(self, letter_id: str) -> DeliveredMessage:
        """Raises NotFound."""
        async for message in self.letters():
            if letters.read(message).id == letter_id:
                return message
        raise NotFound(NO_SUCH_LETTER)

    async def remove(self, message: DeliveredMessage) -> None:
        with translated():
            await self._channel.basic_ack(message.delivery_tag or 0)
        self.held -= 1

    async def put_back(self) -> None:
        """Put all back that was not removed."""
        async for _message in self.letters():
            pass
        await within(self._channel.close())


async def _count(channel: AbstractChannel, queue: str) -> int:
    return (await within(channel.queue_declare(queue, passive=True))).message_count or 0

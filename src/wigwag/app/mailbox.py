# SPDX-License-Identifier: Apache-2.0
"""Keeps what was said in chats, by others and by us, and tells of what is new.

WhatsApp's library has told WhatsApp that a message arrived before we hear of it, so it is written down at once.
"""

import asyncio
from collections.abc import Awaitable, Callable

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, MessageStore
from wigwag.domain.contents import Location, Media, Poll, Reaction, Text
from wigwag.domain.delivery import Job
from wigwag.domain.events import Fact, MessageReceived, MessageReported
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message, MessageKind
from wigwag.domain.outbox import of_message

WAITING = 10_000  # messages not yet written down; beyond it we no longer take reports from WhatsApp's library
BATCH = 500
STORE_AGAIN = 1.0  # seconds


class Mailbox:
    """The chats of all accounts.

    Args:
        fetch: downloads the media of a message; None if that is done only when somebody asks.
        gather: seconds in which messages of ours are gathered, to be written together. Those of others never wait.
    """

    def __init__(
        self,
        store: MessageStore,
        clock: Clock,
        announce: Callable[[Fact], None],
        fetch: Callable[[Message], Awaitable[object]] | None = None,
        gather: float = 0.0,
    ) -> None:
        self._store, self._clock, self._announce, self._fetch = store, clock, announce, fetch
        self._gather = gather
        self._waiting: asyncio.Queue[tuple[Message, bool]] = asyncio.Queue(WAITING)
        self._sent: asyncio.Queue[tuple[Message, bool]] = asyncio.Queue(WAITING)
        self._to_fetch: asyncio.Queue[Message] = asyncio.Queue(WAITING)
        self._failures = Failures(clock, announce)

    async def hear(self, report: MessageReported) -> None:
        await self._waiting.put((report.message, True))

    def add_sent(self, job: Job, chat: Jid, me: Jid) -> None:
        """A job of ours was sent. Nobody needs to be told: its own events tell."""
        if not self._sent.full():
            self._sent.put_nowait((_of(job, chat, me), False))

    async def run(self) -> None:
        """Write, and download, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write(self._waiting, 0.0), name="mailbox: write")
            tasks.create_task(self._write(self._sent, self._gather), name="mailbox: write what was sent")
            tasks.create_task(self._download(), name="mailbox: download")

    async def _write(self, waiting: "asyncio.Queue[tuple[Message, bool]]", gather: float) -> None:
        """Write what comes; the store may come and go."""
        while True:
            batch = [await waiting.get()]
            if gather:
                await self._clock.sleep(gather)
            while len(batch) < BATCH and not waiting.empty():
                batch.append(waiting.get_nowait())
            while not await self._failures.guard("mailbox", self._keep(batch)):
                await self._clock.sleep(STORE_AGAIN)

    async def _keep(self, batch: list[tuple[Message, bool]]) -> None:
        messages = [message for message, _ in batch]
        events = [of_message(message) for message, told in batch if told]
        for (message, told), new in zip(batch, await self._store.keep(messages, events), strict=True):
            if new and told:
                self._announce(MessageReceived(message=message, at=message.at))
                if self._fetch is not None and message.raw and not self._to_fetch.full():
                    self._to_fetch.put_nowait(message)

    async def _download(self) -> None:
        """Download media one after the other. What fails now is downloaded when somebody asks for it."""
        while self._fetch is not None:
            message = await self._to_fetch.get()
            await self._failures.guard("media", self._fetch(message))


def _of(job: Job, chat: Jid, me: Jid) -> Message:
    """A job as a message in its chat."""
    content = job.content
    return Message(
        account=job.account,
        chat=chat,
        id=str(job.message_id),
        sender=me,
        from_me=True,
        kind=MessageKind(content.kind.value),
        at=job.sent_at or job.since,
        text=_text(job),
        target=content.message_id if isinstance(content, Reaction) else "",
        quoted=job.quote.message_id if job.quote and not isinstance(content, Reaction) else "",
        mimetype=content.mimetype if isinstance(content, Media) else "",
        media=content.media if isinstance(content, Media) else "",
        job=job.id,
    )


def _text(job: Job) -> str:
    match job.content:
        case Text(text=text) | Media(caption=text) | Poll(question=text) | Reaction(emoji=text) | Location(name=text):
            return text
        case card:
            return card.name

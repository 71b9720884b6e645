# SPDX-License-Identifier: Apache-2.0
"""The use cases of messages, wired to one another over ports."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_bytes
from uuid import uuid4

from wigwag.app.accounts import Accounts
from wigwag.app.attachments import Attachments
from wigwag.app.dispatcher import Dispatcher
from wigwag.app.dispatchers import Dispatchers
from wigwag.app.mailbox import Mailbox
from wigwag.app.messages import Messages
from wigwag.app.ports import (
    AccountStore,
    Clock,
    Courier,
    Eraser,
    EventLog,
    Fetcher,
    JobArchive,
    JobFilter,
    Ledger,
    MediaStore,
    MessageStore,
    Numbering,
    TemplateStore,
)
from wigwag.app.receipts import Receipts
from wigwag.app.recipients import Recipients
from wigwag.app.sender import Sender
from wigwag.domain.contents import Media
from wigwag.domain.delivery import Job, State
from wigwag.domain.events import Fact
from wigwag.domain.ids import Jid
from wigwag.domain.throttle import Rate, Throttle
from wigwag.domain.traces import begin

UNSENT = 100_000  # jobs whose media are safe from the cleaner


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Everything that sending and receiving need from outside."""

    courier: Courier
    ledger: Ledger
    archive: JobArchive
    messages: MessageStore
    events: EventLog
    templates: TemplateStore
    eraser: Eraser
    media: MediaStore
    fetcher: Fetcher
    numbering: Numbering
    rate: Rate = Rate()  # noqa: RUF009  a frozen value
    strict: bool = True  # texts that carry an attack are refused (seed 003)
    resend: bool = False  # what may have been sent is sent again after a crash
    gather: float = (
        0.0  # seconds in which receipts, and our messages for the chats, are gathered to be written together
    )
    fetch_media: bool = False  # media of others are downloaded when they come, not when they are asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondence:
    """The use cases of messages."""

    messages: Messages
    mailbox: Mailbox
    receipts: Receipts
    dispatchers: Dispatchers
    mail: Mail

    async def restore(self, accounts: list[str]) -> None:
        """Find out what became of what was under way."""
        await self.dispatchers.restore(accounts)

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as tasks:
            for part in (self.mailbox, self.receipts, self.dispatchers):
                tasks.create_task(part.run(), name=type(part).__name__.lower())

    async def finish(self) -> None:
        """Let what is under way come to its end; take nothing more."""
        await self.dispatchers.finish()

    async def forget(self, before: float) -> int:
        """Delete jobs, messages and events from before an instant, and media beyond their budget."""
        mail = self.mail
        unsent = await mail.archive.find(JobFilter(states=(State.ACCEPTED, State.SENDING)), UNSENT)
        await mail.media.cleanup({job.content.media for job in unsent if isinstance(job.content, Media)})
        return sum([await part.forget(before) for part in (mail.archive, mail.messages, mail.events)])

    async def erase(self, jid: Jid) -> None:
        """Delete everything that was said to or by a person."""
        await self.mail.media.remove(await self.mail.eraser.erase_messages(jid))


_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def new_id() -> str:
    """An id of 32 letters that nobody can guess. Without digits, so that no log takes a part of it for a number."""
    return uuid4().hex.translate(_LETTERS)


def new_trace(job_id: str) -> str:
    """The `traceparent` of a trace that begins with a job."""
    return str(begin(token_bytes(16), job_id))


def correspond(
    mail: Mail,
    *,
    accounts: Accounts,
    choices: AccountStore,
    clock: Clock,
    announce: Callable[[Fact], None],
    chance: Callable[[], float],
) -> Correspondence:
    """Wire the use cases."""
    attachments = Attachments(
        media=mail.media,
        fetcher=mail.fetcher,
        courier=mail.courier,
        messages=mail.messages,
        clock=clock,
        announce=announce,
    )
    mailbox = Mailbox(
        mail.messages, clock, announce, fetch=attachments.download if mail.fetch_media else None, gather=mail.gather
    )
    dispatchers = Dispatchers(lambda account: new_dispatcher(account))  # noqa: PLW0108  it is made below
    receipts = Receipts(ledger=mail.ledger, archive=mail.archive, clock=clock, announce=announce, gather=mail.gather)

    def keep(job: Job, chat: Jid) -> None:
        mailbox.add_sent(job, chat, accounts.get(job.account).jid or Jid(""))

    def new_dispatcher(account: str) -> Dispatcher:
        return Dispatcher(
            account=account,
            throttle=Throttle(mail.rate),
            ledger=mail.ledger,
            courier=mail.courier,
            recipients=_recipients(account, mail, choices, clock),
            attachments=attachments,
            clock=clock,
            announce=announce,
            chance=chance,
            new_secret=lambda: uuid4().hex + uuid4().hex,
            keep=keep,
            settled=receipts.settled,
            resend=mail.resend,
        )

    messages = Messages(
        sender=_sender(mail, accounts, dispatchers, clock, announce),
        archive=mail.archive,
        store=mail.messages,
        attachments=attachments,
        templates=mail.templates,
        courier=mail.courier,
        numbering=mail.numbering,
    )
    return Correspondence(messages=messages, mailbox=mailbox, receipts=receipts, dispatchers=dispatchers, mail=mail)


def _recipients(account: str, mail: Mail, choices: AccountStore, clock: Clock) -> Recipients:
    return Recipients(
        account=account,
        courier=mail.courier,
        messages=mail.messages,
        numbering=mail.numbering,
        ledger=mail.ledger,
        choices=choices,
        clock=clock,
    )


def _sender(
    mail: Mail, accounts: Accounts, dispatchers: Dispatchers, clock: Clock, announce: Callable[[Fact], None]
) -> Sender:
    return Sender(
        ledger=mail.ledger,
        archive=mail.archive,
        messages=mail.messages,
        templates=mail.templates,
        media=mail.media,
        numbering=mail.numbering,
        clock=clock,
        announce=announce,
        pick=accounts.pick,
        new_id=new_id,
        new_trace=new_trace,
        strict=mail.strict,
        wake=dispatchers.wake,
    )

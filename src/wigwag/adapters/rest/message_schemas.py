# SPDX-License-Identifier: Apache-2.0
"""The shape of what REST says about messages: jobs, their receipts, and what was said in chats.

Numbers and texts are shown, for this is the operator's own API. A job's secret and WhatsApp's raw bytes never are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self
from urllib.parse import quote

from pydantic import BaseModel, Field

from wigwag.adapters.rest.answers import instant, instant_or_never
from wigwag.domain import delivery, messages
from wigwag.domain.contents import to_json
from wigwag.domain.delivery import State

EXAMPLE_ID = "nfpcikeobjdgkamepchflaibodnemfkg"


class Job(BaseModel):
    """A message that we send, and how far it is."""

    id: str = Field(examples=[EXAMPLE_ID], description="ours; it never changes")
    state: State = Field(examples=["sent"])
    since: datetime = Field(description="when it came into this state")
    account: str = Field(examples=["default"])
    to: str = Field(examples=["919876543210@s.whatsapp.net"])
    type: str = Field(examples=["text"])
    content: dict[str, Any] = Field(examples=[{"text": "Hello!"}], description="what it says, without what is empty")
    priority: int
    created_at: datetime
    send_at: datetime | None = Field(description="when it is due, if it was scheduled and was not sent yet")
    attempts: int = Field(description="failures in a row")
    retry_at: datetime | None = Field(description="when it is tried again after a failure")
    message_id: str | None = Field(description="WhatsApp's", examples=["3EB0C431C26A1916E07E"])
    code: str | None = Field(description="why it failed or waits: stable, for machines")
    detail: str | None = Field(description="the same for people")
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    played_at: datetime | None
    reply_to: str | None = Field(description="the message that this one answers or reacts to")
    mentions: list[str]
    user_id: str | None
    idempotency_key: str | None
    door: str = Field(examples=["rest"], description="where it came in")

    @classmethod
    def of(cls, job: delivery.Job) -> Self:
        return cls(**_job(job))


class Receipt(BaseModel):
    """WhatsApp's word that somebody got, read or played a message. In a group there is one from each member."""

    reader: str = Field(examples=["919876543210@s.whatsapp.net"])
    state: delivery.Mark
    at: datetime


class JobWithReceipts(Job):
    """A job, and who got, read or played it, oldest first."""

    receipts: list[Receipt]

    @classmethod
    def seen(cls, job: delivery.Job, receipts: Sequence[delivery.Receipt]) -> Self:
        told = [Receipt(reader=each.reader, state=each.mark, at=instant(each.at)) for each in receipts]
        return cls(**_job(job), receipts=told)


class JobPage(BaseModel):
    """Jobs, newest first."""

    messages: list[Job]
    next: int | None = Field(description="`before` of the next page; null on the last one", examples=[4711])


class JobStats(BaseModel):
    """How many jobs there are in each state, over all accounts."""

    total: int = Field(examples=[250])
    states: dict[State, int] = Field(examples=[{"accepted": 5, "sent": 40, "delivered": 80, "read": 125}])

    @classmethod
    def of(cls, counts: Mapping[tuple[str, State], int]) -> Self:
        states = {state: sum(count for (_, each), count in counts.items() if each is state) for state in State}
        return cls(total=sum(states.values()), states=states)


class ChatMessage(BaseModel):
    """One message in a chat, of somebody else or of ours."""

    id: str = Field(examples=["3EB0C431C26A1916E07E"], description="WhatsApp's")
    account: str = Field(examples=["default"])
    chat: str = Field(examples=["919876543210@s.whatsapp.net"])
    sender: str = Field(examples=["919876543210@s.whatsapp.net"])
    from_me: bool
    name: str | None = Field(description="what the sender calls himself", examples=["John Doe"])
    type: messages.MessageKind
    at: datetime
    text: str | None = Field(description="also the caption, the emoji of a reaction, the question of a poll")
    target: str | None = Field(description="the message that a reaction, an edit, a deletion or a vote is about")
    quoted: str | None = Field(description="the message that this one answers")
    mimetype: str | None
    size: int | None = Field(description="bytes")
    media: str | None = Field(description="where to get the file")
    job: str | None = Field(description="our job, if we sent it")
    edited_at: datetime | None
    deleted_at: datetime | None

    @classmethod
    def of(cls, message: messages.Message) -> Self:
        return cls(
            id=message.id,
            account=message.account,
            chat=message.chat,
            sender=message.sender,
            from_me=message.from_me,
            name=message.name or None,
            type=message.kind,
            at=instant(message.at),
            text=message.text or None,
            target=message.target or None,
            quoted=message.quoted or None,
            mimetype=message.mimetype or None,
            size=message.size or None,
            media=_file(message) if message.media or message.raw else None,
            job=message.job or None,
            edited_at=instant_or_never(message.edited),
            deleted_at=instant_or_never(message.deleted),
        )


class ChatPage(BaseModel):
    """What was said in a chat, newest first."""

    messages: list[ChatMessage]
    next: str | None = Field(
        description="`before` of the next page; null on the last one", examples=["1761255000.0~3EB0C431C26A1916E07E"]
    )


def _file(message: messages.Message) -> str:
    return f"/api/chats/{message.chat}/messages/{quote(message.id, safe='')}/media?account={quote(message.account)}"


def _job(job: delivery.Job) -> dict[str, Any]:
    waits = job.state is State.ACCEPTED and job.attempts > 0
    content = {name: value for name, value in to_json(job.content).items() if name != "kind"}
    return {
        "id": job.id,
        "state": job.state,
        "since": instant(job.since),
        "account": job.account,
        "to": job.to,
        "type": job.content.kind,
        "content": content,
        "priority": job.priority,
        "created_at": instant(job.created),
        "send_at": instant(job.due) if job.scheduled else None,
        "attempts": job.attempts,
        "retry_at": instant(job.due) if waits else None,
        "message_id": job.message_id,
        "code": job.code or None,
        "detail": job.detail or None,
        "sent_at": instant_or_never(job.sent_at),
        "delivered_at": instant_or_never(job.delivered_at),
        "read_at": instant_or_never(job.read_at),
        "played_at": instant_or_never(job.played_at),
        "reply_to": job.quote.message_id if job.quote else None,
        "mentions": list(job.mentions),
        "user_id": job.user_id,
        "idempotency_key": job.key,
        "door": job.door,
    }

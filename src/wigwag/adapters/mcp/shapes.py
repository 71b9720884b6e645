# SPDX-License-Identifier: Apache-2.0
"""The shape of what tools answer. Short, because a model reads every word of it; instants are RFC 3339 in UTC.

Numbers and texts are shown, for a key with the scope is needed to see them.
"""

from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from wigwag.domain import account, delivery, messages, presence
from wigwag.domain.contents import to_json
from wigwag.domain.deadletters import DeadLetter
from wigwag.domain.texts import kept_text


def instant(seconds: float) -> datetime:
    """Unix seconds as a time."""
    return datetime.fromtimestamp(int(seconds), UTC)


def instant_or_never(seconds: float | None) -> datetime | None:
    """The same; 0 and None mean never."""
    return instant(seconds) if seconds else None


class Contact(BaseModel):
    """A tracked contact."""

    jid: str
    name: str
    state: Literal["online", "offline", "unknown"] = Field(description="unknown: we do not hear of them now")
    since: datetime | None = Field(description="when the state began")
    last_seen: datetime | None = Field(description="null if hidden, or never seen")

    @classmethod
    def of(cls, seen: presence.Presence) -> Self:
        return cls(
            jid=seen.jid,
            name=kept_text(seen.name),
            state=seen.status.word,  # type: ignore[arg-type]  # the words of the enum
            since=instant_or_never(seen.since),
            last_seen=instant_or_never(seen.last_seen),
        )


class Contacts(BaseModel):
    """Tracked contacts, and how many there are of each kind in all."""

    contacts: list[Contact]
    tracked: int
    online: int
    offline: int
    unknown: int


class Span(BaseModel):
    """A stretch of time; `end` is null while it lasts."""

    start: datetime
    end: datetime | None


class History(BaseModel):
    """What was observed of a contact. Offline is observed and not online; the rest nobody knows."""

    jid: str
    name: str
    online: list[Span]
    observed: list[Span]


class Account(BaseModel):
    """A WhatsApp session."""

    name: str
    jid: str | None
    state: str
    advice: str = Field(description="what to do next")

    @classmethod
    def of(cls, known: account.Account) -> Self:
        return cls(name=known.name, jid=known.jid, state=known.state, advice=known.advice)


class Accounts(BaseModel):
    """All of them."""

    accounts: list[Account]


class Message(BaseModel):
    """A message that we send, and how far it is."""

    id: str
    state: delivery.State
    since: datetime | None
    account: str
    to: str
    type: str
    content: dict[str, Any]
    send_at: datetime | None = Field(description="when it is due, if that is to come")
    code: str | None = Field(description="why it failed or waits")
    detail: str | None

    @classmethod
    def of(cls, job: delivery.Job) -> Self:
        content = {name: value for name, value in to_json(job.content).items() if name != "kind"}
        return cls(
            id=job.id,
            state=job.state,
            since=instant_or_never(job.since),
            account=job.account,
            to=job.to,
            type=job.content.kind,
            content=content,
            send_at=instant_or_never(job.due) if job.scheduled else None,
            code=job.code or None,
            detail=job.detail or None,
        )


class Messages(BaseModel):
    """Messages of ours, newest first."""

    messages: list[Message]


class Letter(BaseModel):
    """An envelope from RabbitMQ that led to nothing."""

    id: str
    reason: str
    detail: str
    at: datetime | None

    @classmethod
    def of(cls, letter: DeadLetter) -> Self:
        return cls(id=letter.id, reason=letter.reason, detail=letter.detail, at=instant_or_never(letter.at))


class Failures(BaseModel):
    """What did not arrive, or may not have."""

    failed: list[Message]
    unconfirmed: list[Message] = Field(description="we died while sending them; a receipt or a person settles it")
    dead_letters: list[Letter]


class Line(BaseModel):
    """One message in a chat."""

    id: str
    at: datetime | None
    sender: str
    name: str | None
    from_me: bool
    type: str
    text: str | None

    @classmethod
    def of(cls, message: messages.Message) -> Self:
        return cls(
            id=message.id,
            at=instant_or_never(message.at),
            sender=message.sender,
            name=message.name or None,
            from_me=message.from_me,
            type=message.kind,
            text=message.text or None,
        )


class Chat(BaseModel):
    """What was said, newest first."""

    lines: list[Line]


class Lookup(BaseModel):
    """Whether WhatsApp knows a number, and under which address."""

    number: str
    jid: str | None


class Lookups(BaseModel):
    """In the order asked."""

    numbers: list[Lookup]


class Done(BaseModel):
    """It is done."""

    contact: str
    tracked: bool

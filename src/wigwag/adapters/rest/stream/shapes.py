# SPDX-License-Identifier: Apache-2.0
"""The data of each event. Keys are those of REST where REST says the same; instants are RFC 3339 in whole seconds."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from wigwag.adapters.rest import message_schemas, schemas
from wigwag.adapters.rest.answers import instant, instant_or_never
from wigwag.app.gateway import Gateway
from wigwag.domain import events
from wigwag.domain.delivery import State
from wigwag.domain.errors import NotFound
from wigwag.domain.presence import PresenceChanged, Status
from wigwag.domain.texts import kept_text
from wigwag.domain.users import Shown


def account_of(jid: str, gateway: Gateway) -> str:
    """The account that watches a contact; "" for one who is gone."""
    try:
        return gateway.presence(jid).account
    except NotFound:
        return ""


class PresenceChange(schemas.Presence):
    """A contact's presence as `GET /api/presence` has it, right after the change."""

    account: str
    before: str = Field(examples=["online", "offline", "unknown"])

    @classmethod
    def of(cls, change: PresenceChanged, gateway: Gateway) -> Self | None:  # type: ignore[override]
        try:
            contact = gateway.presence(change.jid)
        except NotFound:
            return None
        return cls(
            jid=change.jid,
            name=kept_text(contact.name),
            is_online=change.after is Status.ONLINE,
            last_seen=instant_or_never(change.last_seen),
            last_status_change=instant(change.at),
            observed=change.after is not Status.UNKNOWN,
            account=contact.account,
            before=change.before.word,
        )


class TypingChange(BaseModel):
    jid: str
    typing: str = Field(examples=["composing", "recording", "paused"])
    at: datetime

    @classmethod
    def of(cls, fact: events.TypingChanged) -> Self:
        return cls(jid=fact.jid, typing=fact.typing, at=instant(fact.at))


class AddedContact(BaseModel):
    jid: str
    name: str
    account: str
    at: datetime

    @classmethod
    def of(cls, fact: events.ContactAdded) -> Self:
        return cls(jid=fact.jid, name=kept_text(fact.name), account=fact.account, at=instant(fact.at))


class RemovedContact(BaseModel):
    jid: str
    account: str
    at: datetime

    @classmethod
    def of(cls, fact: events.ContactRemoved) -> Self:
        return cls(jid=fact.jid, account=fact.account, at=instant(fact.at))


class SubscriptionChange(BaseModel):
    account: str
    jid: str
    state: str = Field(examples=["pending", "active", "stale", "failed"])
    attempts: int = Field(description="failures in a row")
    detail: str
    at: datetime

    @classmethod
    def of(cls, fact: events.SubscriptionChanged) -> Self:
        return cls(
            account=fact.account,
            jid=fact.jid,
            state=fact.state,
            attempts=fact.attempts,
            detail=fact.detail,
            at=instant(fact.at),
        )


class AccountChange(BaseModel):
    """The account as `GET /api/accounts` has it, without its counts."""

    name: str
    jid: str | None
    before: str = Field(description="the state that it was in")
    state: str = Field(examples=["connected", "transient", "banned"])
    since: datetime | None
    until: datetime | None = Field(description="when a ban ends")
    detail: str
    advice: str
    reconnects: int
    appear: bool

    @classmethod
    def of(cls, fact: events.AccountChanged) -> Self:
        account = fact.after
        return cls(
            name=account.name,
            jid=account.jid,
            before=fact.before.state,
            state=account.state,
            since=instant_or_never(account.since),
            until=instant_or_never(account.until),
            detail=account.detail,
            advice=account.advice,
            reconnects=account.reconnects,
            appear=account.appear,
        )


class JobChange(message_schemas.Job):
    """The job as `GET /api/messages/{id}` has it, without its receipts."""

    before: State | None = Field(description="the state that it was in; null for a new one")

    @classmethod
    def of(cls, fact: events.JobChanged) -> Self:  # type: ignore[override]
        before = None if fact.before is None else fact.before.state
        return cls(**message_schemas.Job.of(fact.after).model_dump(), before=before)


class Call(BaseModel):
    account: str
    caller: str
    call: str
    at: datetime

    @classmethod
    def of(cls, fact: events.CallReported) -> Self:
        return cls(account=fact.account, caller=fact.caller, call=fact.call_id, at=instant(fact.at))


class GroupChange(BaseModel):
    account: str
    group: str
    joined: list[str]
    left: list[str]
    subject: str | None = Field(description="the new one, if it changed")
    at: datetime

    @classmethod
    def of(cls, fact: events.GroupReported) -> Self:
        joined, left = [str(jid) for jid in fact.joined], [str(jid) for jid in fact.left]
        return cls(
            account=fact.account,
            group=fact.group,
            joined=joined,
            left=left,
            subject=fact.subject,
            at=instant(fact.at),
        )


class RefusedEnvelope(BaseModel):
    reason: str = Field(examples=["invalid_destination"])
    at: datetime

    @classmethod
    def of(cls, fact: events.EnvelopeRefused) -> Self:
        return cls(reason=fact.reason, at=instant(fact.at))


class TriedDelivery(BaseModel):
    endpoint: str
    host: str
    type: str = Field(description="the kind of the event that was to be delivered")
    outcome: str = Field(examples=["delivered", "retry", "failed"])
    attempts: int
    status: int | None = Field(description="of the answer; null if none came")
    code: str = Field(description="why no answer came")
    seconds: float
    at: datetime

    @classmethod
    def of(cls, fact: events.DeliveryTried) -> Self:
        return cls(
            endpoint=fact.endpoint,
            host=fact.host,
            type=fact.kind,
            outcome=fact.outcome,
            attempts=fact.attempts,
            status=fact.status,
            code=fact.code,
            seconds=round(fact.seconds, 3),
            at=instant(fact.at),
        )


class EndpointChange(BaseModel):
    endpoint: str
    host: str
    state: str = Field(examples=["working", "failing", "disabled"])
    reason: str
    at: datetime

    @classmethod
    def of(cls, fact: events.EndpointChanged) -> Self:
        return cls(
            endpoint=fact.endpoint, host=fact.host, state=fact.condition, reason=fact.reason, at=instant(fact.at)
        )


class DroppedEvents(BaseModel):
    endpoint: str
    count: int
    at: datetime

    @classmethod
    def of(cls, fact: events.EventsDropped) -> Self:
        return cls(endpoint=fact.endpoint, count=fact.count, at=instant(fact.at))


class UserChange(BaseModel):
    user_id: int | str
    status: Shown
    last_seen: datetime | None
    v: int = Field(description="rises with every change of the status")

    @classmethod
    def of(cls, fact: events.UserChanged) -> Self:
        view = fact.view
        return cls(user_id=view.user, status=view.status, last_seen=instant_or_never(view.last_seen), v=view.v)


class FailedPart(BaseModel):
    part: str
    code: str
    detail: str
    at: datetime

    @classmethod
    def of(cls, fact: events.PartFailed) -> Self:
        return cls(part=fact.part, code=fact.code, detail=fact.detail, at=instant(fact.at))


class RecoveredPart(BaseModel):
    part: str
    at: datetime

    @classmethod
    def of(cls, fact: events.PartRecovered) -> Self:
        return cls(part=fact.part, at=instant(fact.at))


class Contacts(BaseModel):
    """How many contacts are in which presence."""

    online: int
    offline: int
    unknown: int


class Sample(BaseModel):
    """A second of the gateway's life. Seconds are means over what ended in it, null where nothing did."""

    at: datetime
    contacts: Contacts
    accounts: int
    connected: int = Field(description="accounts whose link is up")
    subscriptions: dict[str, int] = Field(examples=[{"active": 40, "queue": 0, "failed": 0, "stale": 0}])
    presence_changes: int
    messages_sent: int
    messages_received: int
    webhook_attempts: int
    requests: int = Field(description="HTTP requests that were answered")
    send_seconds: float | None = Field(description="from when a message was due until WhatsApp had taken it")
    webhook_seconds: float | None
    request_seconds: float | None
    lag_seconds: float = Field(description="how late the event loop was")
    cpu_percent: float = Field(description="of one core")
    memory_bytes: int | None
    clients: int = Field(description="of this stream")

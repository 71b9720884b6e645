# SPDX-License-Identifier: Apache-2.0
"""Every fact that travels through wigwag.

`…Reported` and `…Offered` come in from WhatsApp, `…Changed` go out to the sinks.
Facts are frozen values. They name contacts by jid and never carry a message's text or a secret in their repr.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from wigwag.domain.access import AccessRefused, CallerActed, SignedIn, ToolUsed
from wigwag.domain.account import Account, LinkSignal, Stall
from wigwag.domain.delivery import Job, Receipt
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message
from wigwag.domain.presence import HIDDEN, Presence, PresenceChanged, Signal
from wigwag.domain.subscriptions import State
from wigwag.domain.users import UserId, View


class Typing(StrEnum):
    """What a contact does in the chat with us (WhatsApp's chat state)."""

    COMPOSING = "composing"
    RECORDING = "recording"
    PAUSED = "paused"


# --- in


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceReported:
    """WhatsApp said that a contact is available or not. `last_seen` is in Unix seconds, or HIDDEN."""

    account: str
    jid: Jid
    signal: Signal
    last_seen: float = HIDDEN
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TypingReported:
    """WhatsApp said that a contact types to us, records, or paused."""

    account: str
    jid: Jid
    typing: Typing
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkReported:
    """Something happened to an account's link. `jid` comes with PAIRED, `until` with BANNED."""

    account: str
    signal: LinkSignal
    at: float
    jid: Jid | None = None
    until: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingOffered:
    """WhatsApp offers to pair: show this QR code until it expires; the next one follows by itself."""

    account: str
    qr: str = field(repr=False)
    at: float
    expires: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupReported:
    """People joined or left a group."""

    account: str
    group: Jid
    joined: tuple[Jid, ...] = ()
    left: tuple[Jid, ...] = ()
    subject: str | None = field(default=None, repr=False)  # the new one, if it changed
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReported:
    """Somebody wrote in a chat, or we did from another device."""

    message: Message
    at: float

    @property
    def account(self) -> str:
        return self.message.account


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptReported:
    """A receipt for messages of ours."""

    receipt: Receipt
    at: float

    @property
    def account(self) -> str:
        return self.receipt.account


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSettled:
    """WhatsApp's word on a job came after we had stopped waiting for it: it was sent."""

    account: str
    job_id: str
    message_id: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """WhatsApp did not answer in time what was asked at an instant: the link may be dead."""

    account: str
    what: Stall
    asked: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReported:
    """Somebody calls. wigwag does not answer calls."""

    account: str
    caller: Jid
    call_id: str
    at: float


Report = (
    PresenceReported
    | TypingReported
    | LinkReported
    | PairingOffered
    | GroupReported
    | MessageReported
    | ReceiptReported
    | SendSettled
    | Unanswered
    | CallReported
)

# --- out


@dataclass(frozen=True, slots=True, kw_only=True)
class TypingChanged:
    """A tracked contact began to type or record, or stopped."""

    jid: Jid
    typing: Typing
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAdded:
    """A contact is tracked from now on, through another account, or under another name."""

    jid: Jid
    name: str
    account: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRemoved:
    """A contact is tracked no longer, or somebody was erased; then `account` may be empty."""

    jid: Jid
    account: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged:
    """An account's link state changed."""

    before: Account
    after: Account
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChanged:
    """A subscription was sent (pending), confirmed by its first event (active), went stale, or failed."""

    account: str
    jid: Jid
    state: State
    attempts: int
    at: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChanged:
    """A job was accepted (then there is no `before`), or came into another state."""

    before: Job | None
    after: Job
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """A message is kept that was not known before: of somebody else, or of ours from another device."""

    message: Message
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaProcessed:
    """Media were made ready to be sent (`out`), or downloaded (`in`)."""

    kind: str
    direction: Literal["in", "out"]
    seconds: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeAccepted:
    """An envelope from the queue became a job. `dedup` says by what a second copy of it is known."""

    dedup: Literal["key", "message_id", "none"]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeRefused:
    """An envelope from the queue cannot be sent, and went to the dead letters. `reason` is a stable word."""

    reason: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTried:
    """An attempt was made to deliver an event to a webhook endpoint.

    Args:
        event: the event's id, and `trace` the trace that it belongs to.
        outcome: delivered, retry, or failed for good.
        status: of the answer; None if none came, and then `code` says why.
        seconds: that the attempt took.
    """

    endpoint: str
    host: str
    event: str
    kind: str
    outcome: str
    attempts: int
    status: int | None
    code: str
    seconds: float
    at: float
    trace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointChanged:
    """A webhook endpoint works again, is failing, or was disabled (`reason`: gone, failing, or empty for a wish)."""

    endpoint: str
    host: str
    condition: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsDropped:
    """Too much waits for a webhook endpoint, so events were not queued for it. A replay brings them."""

    endpoint: str
    count: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged:
    """A user is shown differently. `audience`: users who are here and may know as much, the user perhaps among them."""

    view: View
    audience: tuple[UserId, ...]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactsShown:
    """A user who is here may see others, or otherwise, than before: all contacts as they may be seen now."""

    user: UserId
    views: tuple[View, ...]
    at: float


class NodeStep(StrEnum):
    """What can happen to this gateway as a node of the roster."""

    JOINED = "joined"  # it has a lease; `count` is its number
    SYNCED = "synced"  # it knows of all users; `count` is how many there are
    AWAY = "away"  # the roster does not answer
    DEAF = "deaf"  # changes are not heard; `count` is how many
    MISSED = "missed"  # the relay does not have them any more
    FENCED = "fenced"  # its lease had ended, and a write was refused
    LOST = "lost"  # the roster came back empty
    REBUILT = "rebuilt"  # what it remembers was put back; `count` is of how many users


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeChanged:
    """A step of this gateway as a node of the roster."""

    step: NodeStep
    count: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedChanged:
    """A contact on WhatsApp is shown differently. `audience`: the users who are here and may watch it."""

    presence: Presence
    audience: tuple[UserId, ...]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantsShown:
    """A user who is here may watch other contacts than before: all of them, as they are now."""

    user: UserId
    presences: tuple[Presence, ...]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFailed:
    """A part of wigwag could not do its work; it tries again by itself. `code` is that of the error."""

    part: str
    code: str
    detail: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRecovered:
    """A part that failed works again."""

    part: str
    at: float


Fact = (
    PresenceChanged
    | TypingChanged
    | ContactAdded
    | ContactRemoved
    | AccountChanged
    | SubscriptionChanged
    | JobChanged
    | MessageReceived
    | MediaProcessed
    | GroupReported
    | CallReported
    | EnvelopeAccepted
    | EnvelopeRefused
    | DeliveryTried
    | EndpointChanged
    | EventsDropped
    | UserChanged
    | ContactsShown
    | GrantedChanged
    | GrantsShown
    | NodeChanged
    | CallerActed
    | AccessRefused
    | SignedIn
    | ToolUsed
    | PartFailed
    | PartRecovered
)

# SPDX-License-Identifier: Apache-2.0
"""A job's way to its end: which states there are, what moves it, and what WhatsApp's receipts say about it.

The table below is the whole truth. A job that is `sending` when we die and may have left becomes `unconfirmed`:
only a receipt, or a person, can say. Receipts come in any order and move a job forward only.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from wigwag.domain.contents import Content
from wigwag.domain.errors import Conflict
from wigwag.domain.ids import Jid

LADDER = (5.0, 30.0, 120.0, 600.0, 3600.0)  # seconds after the 1st, 2nd, … failure that may pass; then it has failed
NORMAL, HIGHEST = 4, 9  # priorities; 0 is the lowest


class State(StrEnum):
    """How a job stands."""

    ACCEPTED = "accepted"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_S = State
TRANSITIONS: dict[State, frozenset[State]] = {
    _S.ACCEPTED: frozenset({_S.SENDING, _S.FAILED, _S.CANCELLED}),
    _S.SENDING: frozenset({_S.SENT, _S.ACCEPTED, _S.FAILED, _S.UNCONFIRMED}),
    _S.UNCONFIRMED: frozenset({_S.SENT, _S.DELIVERED, _S.READ, _S.PLAYED, _S.ACCEPTED, _S.CANCELLED}),
    _S.SENT: frozenset({_S.DELIVERED, _S.READ, _S.PLAYED}),
    _S.DELIVERED: frozenset({_S.READ, _S.PLAYED}),
    _S.READ: frozenset({_S.PLAYED}),
    _S.PLAYED: frozenset(),
    _S.FAILED: frozenset({_S.ACCEPTED}),
    _S.CANCELLED: frozenset(),
}
ARRIVED = frozenset({_S.SENT, _S.DELIVERED, _S.READ, _S.PLAYED})  # WhatsApp has it
OPEN = frozenset({_S.ACCEPTED, _S.SENDING, _S.UNCONFIRMED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A request to send. Instants are Unix seconds.

    Args:
        id: ours; it never changes.
        place: its place in the order of acceptance; 0 until the ledger gave it one.
        due: when to send it, or to try again.
        attempts: failures that may pass, in a row.
        key: the idempotency key; `fingerprint` tells another message under the same key.
        quote: the message that this one answers or reacts to.
        door: where it came in: rest, amqp.
        answer_to: a queue that wants to know what becomes of it; `correlation` is repeated there.
        trace: the W3C `traceparent` of whoever asked.
        secret: 64 hexadecimal digits that go with the message of the present attempt, encrypted. WhatsApp's library
            writes it down beside the message's id before it sends, so that we can find the id again after a crash.
        message_id: WhatsApp's, once sent, or once it may have been sent.
        code: why it failed, or why it waits, as a stable word; `detail` is for people.
    """

    id: str
    place: int = 0
    account: str
    to: Jid
    content: Content
    state: State = State.ACCEPTED
    since: float
    created: float
    due: float
    attempts: int = 0
    priority: int = NORMAL
    key: str | None = None
    fingerprint: str = ""
    quote: "Quote | None" = None
    mentions: tuple[Jid, ...] = ()
    door: str = "rest"
    user_id: str | None = None
    trace: str | None = None
    answer_to: str | None = None
    correlation: str | None = None
    secret: str = field(default="", repr=False)
    message_id: str | None = None
    code: str = ""
    detail: str = field(default="", repr=False)
    sent_at: float | None = None
    delivered_at: float | None = None
    read_at: float | None = None
    played_at: float | None = None

    @property
    def scheduled(self) -> bool:
        """Whether it was asked to be sent later."""
        return self.state is State.ACCEPTED and not self.attempts and self.due > self.created


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The message that a reply or a reaction is about, as WhatsApp wants it named."""

    message_id: str
    sender: Jid
    from_me: bool
    text: str = field(default="", repr=False)


def move(job: Job, state: State, at: float, **changes: object) -> Job:
    """The job in another state. Raises Conflict where the table has no such way."""
    if state not in TRANSITIONS[job.state]:
        raise Conflict(f"A message that is {job.state} cannot become {state}.")
    return replace(job, state=state, since=at, **changes)  # type: ignore[arg-type]  # checked by the dataclass


def sent(job: Job, message_id: str, at: float) -> Job:
    """WhatsApp took it."""
    return move(job, State.SENT, at, message_id=message_id, sent_at=at, code="", detail="")


def held_up(job: Job, at: float, code: str, detail: str, chance: float) -> Job:
    """It failed for a reason that may pass: one rung up the ladder, or failed for good beyond its end.

    Args:
        chance: from 0 to 1, spreads the wait by a fifth up or down.
    """
    attempts = job.attempts + 1
    if attempts > len(LADDER):
        return move(job, State.FAILED, at, attempts=attempts, code=code, detail=detail)
    wait = LADDER[attempts - 1] * (0.8 + 0.4 * chance)
    waiting = job if job.state is State.ACCEPTED else move(job, State.ACCEPTED, at)
    return replace(waiting, since=at, attempts=attempts, due=at + wait, code=code, detail=detail)


def reopened(job: Job, at: float) -> Job:
    """A person wants it tried again, from the first rung. Raises Conflict for one that is under way or has arrived."""
    if job.state is State.SENDING:
        raise Conflict("This message is being sent at this moment. Look again.")
    return move(job, State.ACCEPTED, at, attempts=0, due=at, code="", detail="")


# --- receipts


class Mark(StrEnum):
    """What a receipt says."""

    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """WhatsApp's word on messages: `reader` got, read or played them. In a group there is one from each member."""

    account: str
    chat: Jid
    reader: Jid
    message_ids: tuple[str, ...]
    mark: Mark
    at: float


_STATE = {Mark.DELIVERED: State.DELIVERED, Mark.READ: State.READ, Mark.PLAYED: State.PLAYED}


def fold(job: Job, mark: Mark, at: float) -> Job:
    """The job after a receipt: of each kind the earliest instant is kept, and the state only goes forward."""
    if job.state is State.UNCONFIRMED:  # it was sent after all
        job = replace(job, sent_at=job.since)
    kept = {Mark.DELIVERED: "delivered_at", Mark.READ: "read_at", Mark.PLAYED: "played_at"}[mark]
    earliest = min(at, at if getattr(job, kept) is None else getattr(job, kept))
    job = replace(job, **{kept: earliest})  # type: ignore[arg-type]  # all three are instants
    state = _STATE[mark]
    return move(job, state, at, code="", detail="") if state in TRANSITIONS[job.state] else job

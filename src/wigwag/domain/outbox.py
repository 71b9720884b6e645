# SPDX-License-Identifier: Apache-2.0
"""Events: facts as the outside is told of them, by webhooks, result queues and streams.

An event has an id that never changes, so that whoever hears it twice can tell. Its data are plain values. Who hears of
it is not decided here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

from wigwag.domain.delivery import Job
from wigwag.domain.events import AccountChanged, CallReported, Fact, GroupReported
from wigwag.domain.messages import Message, MessageKind
from wigwag.domain.presence import PresenceChanged

KINDS = {
    "message.sent": "WhatsApp took a message of ours",
    "message.delivered": "a message of ours reached the recipient's phone",
    "message.read": "the recipient read a message of ours",
    "message.played": "the recipient played a voice note of ours",
    "message.failed": "a message of ours will not be sent",
    "message.unconfirmed": "a message of ours may have been sent, or not",
    "message.cancelled": "a message of ours was taken back before it was sent",
    "message.received": "somebody wrote to us",
    "message.edited": "somebody changed a message",
    "message.deleted": "somebody deleted a message for everyone",
    "message.reaction": "somebody reacted to a message, or took the reaction back",
    "message.vote": "somebody voted in a poll",
    "call.received": "somebody calls",
    "group.changed": "people joined or left a group, or its subject changed",
    "presence.changed": "a contact came online, went offline, or is not observed any more",
    "account.changed": "an account's link to WhatsApp changed",
    "webhook.disabled": "a webhook endpoint failed for so long that nothing is sent to it any more",
    "webhook.test": "somebody tries an endpoint",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. `at` in Unix seconds; `trace` is a W3C traceparent."""

    id: str
    kind: str
    account: str
    at: float
    data: Mapping[str, Any] = field(repr=False)
    trace: str | None = None


def wanted(kind: str, patterns: tuple[str, ...]) -> bool:
    """Whether a kind of event is meant by one of the patterns: `message.sent`, `message.*`, `*`."""
    return any(fnmatchcase(kind, pattern) for pattern in patterns)


def of_job(job: Job) -> list[Event]:
    """What is told of a job in its present state, if anything. Texts are not repeated: who asked has them."""
    kind = f"message.{job.state}"
    if kind not in KINDS:
        return []
    data = {
        "job": job.id,
        "to": job.to,
        "type": job.content.kind.value,
        "state": job.state.value,
        "message": job.message_id,
        "code": job.code or None,
        "detail": job.detail or None,
        "attempts": job.attempts,
        "user_id": job.user_id,
        "key": job.key,
        "correlation": job.correlation,
    }
    at = job.since
    event_id = f"{job.id}.{job.state}.{round(at * 1000)}"
    return [Event(id=event_id, kind=kind, account=job.account, at=at, data=data, trace=job.trace)]


_KINDS = {
    MessageKind.EDIT: "message.edited",
    MessageKind.DELETION: "message.deleted",
    MessageKind.REACTION: "message.reaction",
    MessageKind.VOTE: "message.vote",
}


def of_message(message: Message) -> Event:
    """What is told of a message that came in."""
    data = {
        "message": message.id,
        "chat": message.chat,
        "sender": message.sender,
        "from_me": message.from_me,
        "name": message.name or None,
        "type": message.kind.value,
        "text": message.text or None,
        "target": message.target or None,
        "quoted": message.quoted or None,
        "mimetype": message.mimetype or None,
        "size": message.size or None,
    }
    kind = _KINDS.get(message.kind, "message.received")
    return Event(
        id=f"{message.account}.{message.chat}.{message.id}",
        kind=kind,
        account=message.account,
        at=message.at,
        data=data,
    )


def of_fact(fact: Fact) -> Event | None:
    """What is told of a fact that is no job's and no message's; None if nothing."""
    data: dict[str, Any]
    match fact:
        case PresenceChanged():
            data = {"contact": fact.jid, "before": fact.before.word, "after": fact.after.word}
            return _event("presence.changed", fact.jid, "", fact.at, data)
        case AccountChanged(before=before, after=after) if before.state is not after.state:
            data = {"before": before.state.value, "after": after.state.value, "advice": after.advice}
            return _event("account.changed", after.name, after.name, fact.at, data)
        case GroupReported():
            data = {"group": fact.group, "joined": list(fact.joined), "left": list(fact.left), "subject": fact.subject}
            return _event("group.changed", fact.group, fact.account, fact.at, data)
        case CallReported():
            data = {"caller": fact.caller, "call": fact.call_id}
            return _event("call.received", fact.call_id, fact.account, fact.at, data)
        case _:
            return None


def _event(kind: str, about: str, account: str, at: float, data: Mapping[str, Any]) -> Event:
    # WhatsApp counts in seconds, so two different things may happen to one at the same instant.
    digest = sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]
    event_id = f"{kind}.{account}.{about}.{round(at * 1000)}.{digest}"
    return Event(id=event_id, kind=kind, account=account, at=at, data=data)

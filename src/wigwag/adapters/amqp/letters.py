# SPDX-License-Identifier: Apache-2.0
"""How a dead letter is written and read: the body as it came, its properties, and headers that say what went wrong.

Nothing is sent here.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiormq import spec
from aiormq.abc import DeliveredMessage

from wigwag.domain.deadletters import DeadLetter
from wigwag.domain.delivery import Job
from wigwag.domain.ids import mask

REASON, DETAIL, QUEUE = "x-wigwag-reason", "x-wigwag-detail", "x-wigwag-queue"
AT, JOB, USER = "x-wigwag-at", "x-wigwag-job", "x-wigwag-user-id"
OURS = (REASON, DETAIL, QUEUE, AT, JOB, USER)
BROKERS = ("x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason", "x-delivery-count")

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@-]{0,127}")
_KEPT = (
    *("content_type", "content_encoding", "priority", "correlation_id", "reply_to", "message_id", "timestamp"),
    *("message_type", "app_id"),
)


def refused(message: DeliveredMessage, *, queue: str, reason: str, detail: str, at: float, new_id: str) -> Any:
    """The properties under which a refused message goes to the dead letters. The message keeps its own id."""
    properties = _copied(message, without=OURS + BROKERS)
    properties.message_id = properties.message_id or new_id
    properties.headers |= {REASON: reason, DETAIL: mask(detail), QUEUE: queue, AT: int(at)}
    if user := message.header.properties.user_id:
        properties.headers[USER] = user  # as a property, the broker would take it for a false claim of ours
    return properties


def failed(job: Job, queue: str) -> Any:
    """The properties of the dead letter that tells of a failed job. Written twice it has the same id."""
    headers: dict[str, Any] = {
        REASON: job.code,
        DETAIL: mask(job.detail),
        QUEUE: queue,
        AT: int(job.since),
        JOB: job.id,
    }
    if job.trace:
        headers["traceparent"] = job.trace
    return spec.Basic.Properties(
        content_type="application/json",
        message_id=f"{job.id}.{int(job.since)}",
        correlation_id=job.correlation,
        reply_to=job.answer_to,
        headers=headers,
    )


def again(message: DeliveredMessage) -> Any:
    """The properties of a letter that is put back into its queue: those it first came with, and the id it got here."""
    return _copied(message, without=OURS + BROKERS)


def read(message: DeliveredMessage) -> DeadLetter:
    """What a message in the queue of the dead letters says."""
    properties, headers = message.header.properties, _headers(message)
    death = _last_death(headers)
    at = headers.get(AT)
    return DeadLetter(
        id=_id(properties.message_id, message.body),
        reason=str(headers.get(REASON) or death.get("reason") or "unknown"),
        detail=str(headers.get(DETAIL) or ""),
        queue=str(headers.get(QUEUE) or death.get("queue") or ""),
        at=float(at) if isinstance(at, int) else None,
        job=str(headers[JOB]) if JOB in headers else None,
        size=len(message.body),
        body=message.body,
    )


def _id(message_id: str | None, body: bytes) -> str:
    """The message's own id where that can stand in a path, or a hash."""
    if message_id and _PLAIN.fullmatch(message_id):
        return message_id
    return hashlib.sha256(message_id.encode() if message_id else body).hexdigest()[:32]


def without_body(letter: DeadLetter) -> DeadLetter:
    return replace(letter, body=b"")


def _copied(message: DeliveredMessage, without: tuple[str, ...]) -> Any:
    properties = message.header.properties
    headers = {name: value for name, value in _headers(message).items() if name not in without}
    copied = spec.Basic.Properties(headers=headers, **{name: getattr(properties, name) for name in _KEPT})
    try:
        copied.marshal()
    except (TypeError, ValueError):  # some foreign type that the library reads and cannot write
        copied.headers = {}
    return copied


def _headers(message: DeliveredMessage) -> Mapping[str, Any]:
    return message.header.properties.headers or {}


def _last_death(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the broker says where it was the one to put a message here: in `x-death`, the newest first."""
    deaths = headers.get("x-death")
    return deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}

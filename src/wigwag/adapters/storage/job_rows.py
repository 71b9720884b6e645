# SPDX-License-Identifier: Apache-2.0
"""Jobs as rows of the table `jobs`, and back. What it means is the domain's; how it is found again is decided here.

`stage` and `turn` are derived: they hold the queue in two indexes, so that finding who is next reads nothing else.
"""

import json
from typing import Any

from wigwag.domain.contents import Media, from_json, to_json
from wigwag.domain.delivery import HIGHEST, Job, Quote, State
from wigwag.domain.ids import Jid
from wigwag.domain.texts import kept_text

NEW, AGAIN, SENDING = 0, 1, 2  # stages

_CONTEXT = ("user_id", "trace", "answer_to", "correlation")  # repeated to whoever asked, and never looked for


def job_row(job: Job) -> dict[str, Any]:
    """A new job as a row."""
    content = job.content
    return {
        **course_row(job),
        "place": job.place,
        "id": job.id,
        "account": job.account,
        "created": job.created,
        "idempotency_key": job.key,
        "fingerprint": job.fingerprint,
        "door": job.door,
        "content": json.dumps(to_json(content)),
        "context": _context(job),
        "media": (isinstance(content, Media) and content.media) or None,
    }


def course_row(job: Job) -> dict[str, Any]:
    """What may change in the life of a job."""
    return {
        "recipient": job.to,
        "state": job.state.value,
        "stage": _stage(job),
        "turn": HIGHEST - job.priority,
        "since": job.since,
        "due": job.due,
        "attempts": job.attempts,
        "secret": job.secret,
        "message_id": job.message_id,
        "code": job.code,
        "detail": kept_text(job.detail),
        "sent_at": job.sent_at,
        "delivered_at": job.delivered_at,
        "read_at": job.read_at,
        "played_at": job.played_at,
    }


def job_of(row: Any) -> Job:
    """The job in a row of all columns."""
    kept = row._asdict()
    context = json.loads(kept["context"] or "{}")
    quote = context.pop("quote", None)
    mentions = tuple(context.pop("mentions", ()))
    return Job(
        id=kept["id"],
        place=kept["place"],
        account=kept["account"],
        to=Jid(kept["recipient"]),
        content=from_json(json.loads(kept["content"])),
        state=State(kept["state"]),
        since=kept["since"],
        created=kept["created"],
        due=kept["due"],
        attempts=kept["attempts"],
        priority=HIGHEST - kept["turn"],
        key=kept["idempotency_key"],
        fingerprint=kept["fingerprint"],
        quote=Quote(**quote) if quote else None,
        mentions=mentions,
        door=kept["door"],
        secret=kept["secret"],
        message_id=kept["message_id"],
        code=kept["code"],
        detail=kept["detail"],
        sent_at=kept["sent_at"],
        delivered_at=kept["delivered_at"],
        read_at=kept["read_at"],
        played_at=kept["played_at"],
        **context,
    )


def _stage(job: Job) -> int | None:
    if job.state is State.ACCEPTED:
        return AGAIN if job.attempts else NEW
    return SENDING if job.state is State.SENDING else None


def _context(job: Job) -> str | None:
    context: dict[str, Any] = {name: value for name in _CONTEXT if (value := getattr(job, name)) is not None}
    if job.quote:
        quote = job.quote
        context["quote"] = {
            "message_id": quote.message_id,
            "sender": quote.sender,
            "from_me": quote.from_me,
            "text": quote.text,
        }
    if job.mentions:
        context["mentions"] = job.mentions
    return json.dumps(context) if context else None

# SPDX-License-Identifier: Apache-2.0
"""Facts as spans: the life of a message from its acceptance to the last webhook. No library is known here.

A message's span lasts from its acceptance to its end; below it are its waits, its attempts to leave and its receipts.
No span carries a text, a number or a URL.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from wigwag.domain.delivery import Job, State
from wigwag.domain.events import DeliveryTried, Fact, JobChanged
from wigwag.domain.traces import TraceContext, parse

Kind = Enum("Kind", ["CONSUMER", "CLIENT", "INTERNAL", "PRODUCER"])
Attributes = Mapping[str, str | int]

_ENDS = {State.SENT, State.FAILED, State.CANCELLED}
_RECEIPTS = {State.DELIVERED, State.READ, State.PLAYED}
_TROUBLE = {State.FAILED, State.UNCONFIRMED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that took time, of a trace. Instants are Unix seconds.

    Args:
        parent: the id of the span that it belongs to; None for the first of a trace.
        error: why it failed, as a stable word; empty if it did not.
    """

    name: str
    kind: Kind
    context: TraceContext
    parent: str | None
    start: float
    end: float
    attributes: Attributes
    error: str = ""


def spans(fact: Fact) -> Iterator[Span]:
    """The spans that come to their end with a fact, if whoever began the trace wants it to be recorded."""
    match fact:
        case JobChanged():
            trace = parse(fact.after.trace)
            if trace is not None and trace.sampled:
                yield from _of_job(fact.before, fact.after, trace)
        case DeliveryTried():
            trace = parse(fact.trace)
            if trace is not None and trace.sampled:
                yield _of_delivery(fact, trace)


def _of_job(before: Job | None, after: Job, trace: TraceContext) -> Iterator[Span]:
    message = trace.child(after.id)
    about: dict[str, str | int] = {"wigwag.account": after.account, "wigwag.job": after.id, "wigwag.door": after.door}
    about |= {"messaging.system": "whatsapp", "wigwag.type": after.content.kind.value}
    error = after.code if after.state in _TROUBLE else ""

    def below(name: str, kind: Kind, start: float, **more: str | int) -> Span:
        context = message.child(name, str(start))
        seen = about | {f"wigwag.{key}": value for key, value in more.items()}
        parent, end = message.span_id, max(start, after.since)
        return Span(
            name=name, kind=kind, context=context, parent=parent, start=start, end=end, attributes=seen, error=error
        )

    if before is not None and after.state is State.SENDING:
        yield below("wait", Kind.INTERNAL, min(after.since, max(before.since, before.due)), attempt=after.attempts + 1)
    elif before is not None and before.state is State.SENDING:
        hindered = after.code if after.state is State.ACCEPTED else ""
        yield below("send", Kind.CLIENT, before.since, state=after.state.value, hindered=hindered)
    elif after.state in _RECEIPTS and after.sent_at is not None:
        yield below(f"receipt {after.state}", Kind.CONSUMER, after.sent_at)
    if after.state in _ENDS:
        parent = None if message == trace else trace.span_id  # we began it, or whoever asked
        seen = about | {"wigwag.state": after.state.value}
        yield Span(
            name="message",
            kind=Kind.CONSUMER,
            context=message,
            parent=parent,
            start=after.created,
            end=after.since,
            attributes=seen,
            error=error,
        )


def _of_delivery(fact: DeliveryTried, trace: TraceContext) -> Span:
    """Its id is the one that went to the endpoint."""
    seen: dict[str, str | int] = {"wigwag.endpoint": fact.endpoint, "wigwag.attempt": fact.attempts}
    if fact.status is not None:
        seen["http.response.status_code"] = fact.status
    failed = fact.code or (f"http_{fact.status}" if fact.outcome != "delivered" else "")
    return Span(
        name=f"webhook {fact.kind}",
        kind=Kind.PRODUCER,
        context=trace.child(fact.event, fact.endpoint, str(fact.attempts)),
        parent=trace.span_id,
        start=fact.at - fact.seconds,
        end=fact.at,
        attributes=seen,
        error=failed,
    )

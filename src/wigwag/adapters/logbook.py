# SPDX-License-Identifier: Apache-2.0
"""A sink that writes facts down as log lines: a sentence for people, and a stable `action` for machines.

Numbers are masked here already, not only by the last processor of the log.
"""

import logging
from collections.abc import Callable
from typing import Any

from wigwag.domain.access import AccessRefused, CallerActed, SignedIn, ToolUsed
from wigwag.domain.account import LinkState
from wigwag.domain.delivery import State as JobState
from wigwag.domain.events import (
    AccountChanged,
    CallReported,
    DeliveryTried,
    EndpointChanged,
    EventsDropped,
    Fact,
    JobChanged,
    MessageReceived,
    NodeChanged,
    NodeStep,
    PartFailed,
    PartRecovered,
    SubscriptionChanged,
    TypingChanged,
)
from wigwag.domain.ids import mask
from wigwag.domain.presence import PresenceChanged, Status
from wigwag.domain.subscriptions import State
from wigwag.domain.traces import parse

log = logging.getLogger("wigwag")

SENTENCES = {
    State.PENDING: "Subscribed to presence for contact",
    State.ACTIVE: "Subscription successful",
    State.STALE: "Subscription stale, subscribing again",
    State.FAILED: "Subscription failed",
}
_LEVELS = {
    JobState.SENDING: logging.DEBUG,  # a moment later it is something else
    JobState.FAILED: logging.WARNING,
    JobState.UNCONFIRMED: logging.WARNING,
}
_FREQUENT = {"no_key", "rate", "guessing"}  # whoever floods us does not fill the log too; the metric counts them
_FINE = {LinkState.CONNECTED, LinkState.CONNECTING, LinkState.PAIRING, LinkState.UNPAIRED, LinkState.STOPPED}


def write(fact: Fact) -> None:
    """Write one fact down."""
    writer = _WRITERS.get(type(fact))
    if writer is not None:
        writer(fact)


def sink_failed(name: str, error: Exception) -> None:
    """A sink raised: a bug of ours. The fact is lost for that sink alone."""
    log.error("A sink failed", extra={"action": "sink.failed", "sink": name}, exc_info=error)


def _account(fact: AccountChanged) -> None:
    after = fact.after
    level = logging.INFO if after.state in _FINE else logging.WARNING
    extra = {"account": after.name, "before": fact.before.state, "after": after.state, "detail": mask(after.detail)}
    log.log(level, "Account is %s. %s", after.state, after.advice, extra={"action": "account.changed", **extra})


def _job(fact: JobChanged) -> None:
    job = fact.after
    level = _LEVELS.get(job.state, logging.INFO)
    if not log.isEnabledFor(level):
        return
    extra = {"account": job.account, "job": job.id, "contact": mask(job.to), "state": job.state, "door": job.door}
    if job.code:
        extra |= {"code": job.code, "detail": mask(job.detail)}
    extra |= _trace(job.trace)
    log.log(level, "Message %s", job.state, extra={"action": f"message.{job.state}", **extra})


def _subscription(fact: SubscriptionChanged) -> None:
    level = logging.WARNING if fact.state is State.FAILED else logging.INFO
    extra = {"account": fact.account, "contact": mask(fact.jid), "state": fact.state, "attempts": fact.attempts}
    if fact.detail:
        extra["detail"] = mask(fact.detail)
    log.log(level, SENTENCES[fact.state], extra={"action": f"subscription.{fact.state}", **extra})


def _presence(fact: PresenceChanged) -> None:
    # A lost link makes all its contacts unknown at once, and has a line of its own.
    level = logging.DEBUG if fact.after is Status.UNKNOWN else logging.INFO
    if log.isEnabledFor(level):
        extra = {"contact": mask(fact.jid), "before": fact.before.word, "after": fact.after.word}
        log.log(level, "Presence update", extra={"action": "presence.changed", **extra})


def _typing(fact: TypingChanged) -> None:
    log.debug("Typing", extra={"action": "typing.changed", "contact": mask(fact.jid), "typing": fact.typing})


def _message(fact: MessageReceived) -> None:
    message = fact.message
    extra = {"account": message.account, "chat": mask(message.chat), "kind": message.kind}
    log.info("Message received", extra={"action": "message.received", **extra})


def _call(fact: CallReported) -> None:
    extra = {"account": fact.account, "contact": mask(fact.caller)}
    log.info("Somebody calls", extra={"action": "call.received", **extra})


def _delivery(fact: DeliveryTried) -> None:
    """The host alone: the rest of a URL may be secret."""
    level = {"delivered": logging.DEBUG, "retry": logging.INFO}.get(fact.outcome, logging.WARNING)
    extra = {"endpoint": fact.endpoint, "host": fact.host, "kind": fact.kind, "attempts": fact.attempts}
    extra |= {"status": fact.status, "code": fact.code, "seconds": round(fact.seconds, 3), **_trace(fact.trace)}
    log.log(level, "Webhook delivery: %s", fact.outcome, extra={"action": f"webhook.{fact.outcome}", **extra})


def _endpoint(fact: EndpointChanged) -> None:
    level = logging.INFO if fact.condition == "working" else logging.WARNING
    extra = {"endpoint": fact.endpoint, "host": fact.host, "reason": fact.reason}
    log.log(level, "Webhook endpoint is %s", fact.condition, extra={"action": f"endpoint.{fact.condition}", **extra})


def _dropped(fact: EventsDropped) -> None:
    extra = {"action": "webhook.dropped", "endpoint": fact.endpoint, "count": fact.count}
    log.warning("Too much waits for a webhook endpoint: events were not queued for it", extra=extra)


_NODE = {
    NodeStep.JOINED: (logging.INFO, "This node joined the roster"),
    NodeStep.SYNCED: (logging.INFO, "This node knows of all users"),
    NodeStep.AWAY: (logging.WARNING, "The roster does not answer: users of other nodes are not heard of"),
    NodeStep.DEAF: (logging.WARNING, "Changes of the roster are not heard: it is copied again"),
    NodeStep.MISSED: (logging.WARNING, "Changes of the roster were missed: it is copied again"),
    NodeStep.FENCED: (logging.WARNING, "This node's lease had ended, and a write was refused: it joins again"),
    NodeStep.LOST: (logging.WARNING, "The roster was lost: it is put back from memory"),
    NodeStep.REBUILT: (logging.INFO, "The roster was put back"),
}


def _node(fact: NodeChanged) -> None:
    level, sentence = _NODE[fact.step]
    log.log(level, sentence, extra={"action": f"node.{fact.step}", "count": fact.count})


def _part_failed(fact: PartFailed) -> None:
    extra = {"action": "part.failed", "part": fact.part, "code": fact.code, "detail": mask(fact.detail)}
    log.warning("A part failed and is tried again", extra=extra)


def _part_recovered(fact: PartRecovered) -> None:
    log.info("A part works again", extra={"action": "part.recovered", "part": fact.part})


def _acted(fact: CallerActed) -> None:
    done = fact.entry
    extra = {"caller": done.caller, "operation": done.action, "target": mask(done.target), "status": done.status}
    log.info("A caller acted", extra={"action": "access.acted", **extra})


def _refused(fact: AccessRefused) -> None:
    extra = {"action": "access.refused", "reason": fact.reason, "who": fact.who}
    level = logging.DEBUG if fact.reason in _FREQUENT else logging.WARNING
    log.log(level, "Somebody was turned away", extra=extra)


def _signed_in(fact: SignedIn) -> None:
    log.info("A browser signed in", extra={"action": "access.signed_in", "caller": fact.caller})


def _tool(fact: ToolUsed) -> None:
    extra = {"action": "mcp.tool_used", "tool": fact.tool, "outcome": fact.outcome}
    log.info("A model used a tool", extra=extra)


def _trace(traceparent: str | None) -> dict[str, str]:
    trace = parse(traceparent)
    return {} if trace is None else {"trace_id": trace.trace_id}


_WRITERS: dict[type, Callable[[Any], None]] = {
    PresenceChanged: _presence,
    TypingChanged: _typing,
    AccountChanged: _account,
    SubscriptionChanged: _subscription,
    JobChanged: _job,
    MessageReceived: _message,
    CallReported: _call,
    DeliveryTried: _delivery,
    EndpointChanged: _endpoint,
    EventsDropped: _dropped,
    NodeChanged: _node,
    PartFailed: _part_failed,
    PartRecovered: _part_recovered,
    CallerActed: _acted,
    AccessRefused: _refused,
    SignedIn: _signed_in,
    ToolUsed: _tool,
}

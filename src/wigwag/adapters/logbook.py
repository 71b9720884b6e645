# SPDX-License-Identifier: Apache-2.0
"""A sink that writes facts down as log lines: a sentence for people, and a stable `action` for machines.

Numbers are masked here already, not only by the last processor of the log.
"""

import logging

from wigwag.domain.account import LinkState
from wigwag.domain.events import AccountChanged, Fact, PartFailed, PartRecovered, SubscriptionChanged, TypingChanged
from wigwag.domain.ids import mask
from wigwag.domain.presence import PresenceChanged, Status
from wigwag.domain.subscriptions import State

log = logging.getLogger("wigwag")

SENTENCES = {
    State.PENDING: "Subscribed to presence for contact",
    State.ACTIVE: "Subscription successful",
    State.STALE: "Subscription stale, subscribing again",
    State.FAILED: "Subscription failed",
}
_FINE = {LinkState.CONNECTED, LinkState.CONNECTING, LinkState.PAIRING, LinkState.UNPAIRED, LinkState.STOPPED}


def write(fact: Fact) -> None:
    """Write one fact down."""
    match fact:
        case PresenceChanged():
            # A lost link makes all its contacts unknown at once, and has a line of its own.
            level = logging.DEBUG if fact.after is Status.UNKNOWN else logging.INFO
            if log.isEnabledFor(level):
                extra = {"contact": mask(fact.jid), "before": fact.before.word, "after": fact.after.word}
                log.log(level, "Presence update", extra={"action": "presence.changed", **extra})
        case TypingChanged():
            log.debug("Typing", extra={"action": "typing.changed", "contact": mask(fact.jid), "typing": fact.typing})
        case AccountChanged():
            _account(fact)
        case SubscriptionChanged():
            _subscription(fact)
        case PartFailed():
            extra = {"action": "part.failed", "part": fact.part, "code": fact.code, "detail": mask(fact.detail)}
            log.warning("A part failed and is tried again", extra=extra)
        case PartRecovered():
            log.info("A part works again", extra={"action": "part.recovered", "part": fact.part})


def sink_failed(name: str, error: Exception) -> None:
    """A sink raised: a bug of ours. The fact is lost for that sink alone."""
    log.error("A sink failed", extra={"action": "sink.failed", "sink": name}, exc_info=error)


def _account(fact: AccountChanged) -> None:
    after = fact.after
    level = logging.INFO if after.state in _FINE else logging.WARNING
    extra = {"account": after.name, "before": fact.before.state, "after": after.state, "detail": mask(after.detail)}
    log.log(level, "Account is %s. %s", after.state, after.advice, extra={"action": "account.changed", **extra})


def _subscription(fact: SubscriptionChanged) -> None:
    level = logging.WARNING if fact.state is State.FAILED else logging.INFO
    extra = {"account": fact.account, "contact": mask(fact.jid), "state": fact.state, "attempts": fact.attempts}
    if fact.detail:
        extra["detail"] = mask(fact.detail)
    log.log(level, SENTENCES[fact.state], extra={"action": f"subscription.{fact.state}", **extra})

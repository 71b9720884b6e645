# SPDX-License-Identifier: Apache-2.0
"""Endpoints that want to hear of events, and deliveries to them: what follows from each attempt (Standard Webhooks).

    PENDING ──2xx──▶ DELIVERED      PENDING ──any other answer, or none──▶ PENDING, later ──10th failure──▶ FAILED

A delivery waits by its own schedule, and an endpoint that fails again and again is left alone by its own: then one
delivery at a time probes it, while the others keep their attempts. Nothing is sent from here.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from wigwag.domain.addresses import host_of
from wigwag.domain.errors import InvalidSettings
from wigwag.domain.outbox import KINDS, Event, wanted
from wigwag.domain.signing import Secret

# Seconds before the 2nd, 3rd, … attempt: 75 h 35 min in all (the standard's example).
SCHEDULE = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
SPREAD = 0.1  # by which chance makes a wait longer, at most
LONGEST_RETRY_AFTER = 86_400.0  # seconds; whoever asks for more gets this
HOLDS = 5  # attempts for which a delivery to an ordered endpoint holds up those behind it: 2 h 35 min

BREAKS = 5  # failures in a row after which an endpoint is only probed
PROBE_FIRST, PROBE_MOST = 5.0, 300.0  # seconds between probes; twice as long each time
GIVE_UP = 120 * 3600.0  # seconds of nothing but failures after which an endpoint is disabled

ROTATION = 24 * 3600.0  # seconds for which the secret before still signs
BACKLOG = 100_000  # deliveries that may wait for one endpoint; beyond it, new events are not queued for it
RETENTION = 30 * 24 * 3600.0  # seconds for which deliveries are kept
CONCURRENCY, MOST_CONCURRENCY = 4, 32
KEPT_TRIES = 20

_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"  # RFC 9110
_PATTERN = re.compile(r"[a-z_]*(\.[a-z_]*)*\*?", re.ASCII)


class State(StrEnum):
    """How a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Condition(StrEnum):
    """How an endpoint stands, for people and metrics."""

    WORKING = "working"
    FAILING = "failing"  # only probed
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person chooses of an endpoint; see there."""

    url: str = field(repr=False)
    events: tuple[str, ...] = ("*",)
    accounts: tuple[str, ...] = ()
    description: str = ""
    enabled: bool = True
    ordered: bool = False
    concurrency: int = CONCURRENCY


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Who wants to hear of what. Instants are Unix seconds.

    Args:
        url: may carry a secret in its path or query; only its host is ever logged.
        events: patterns such as `message.*`.
        accounts: of which accounts; empty for all.
        secrets: the newest first, and the one before it while it lives.
        reason: why it is disabled: "gone" (it said 410), "failing" (for five days), "" (a person's wish).
        ordered: one delivery at a time, in the order of events.
        concurrency: deliveries at once, if not ordered.
        failures: in a row; `failing_since` is when the first of them was.
        not_before: nothing is sent to it before this instant.
    """

    id: str
    url: str = field(repr=False)
    events: tuple[str, ...] = ("*",)
    accounts: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = field(repr=False)
    description: str = ""
    enabled: bool = True
    reason: str = ""
    ordered: bool = False
    concurrency: int = CONCURRENCY
    created: float
    failures: int = 0
    failing_since: float | None = None
    not_before: float = 0.0

    def __post_init__(self) -> None:
        host_of(self.url)
        if not self.events:
            raise InvalidSettings("Say which events the endpoint wants, such as message.* or *.")
        for pattern in self.events:
            if not _PATTERN.fullmatch(pattern) or not any(wanted(kind, (pattern,)) for kind in KINDS):
                raise InvalidSettings("There is no such event: use the kinds of docs/WEBHOOKS.md, message.* or *.")
        if not 1 <= self.concurrency <= MOST_CONCURRENCY:
            raise InvalidSettings(f"The concurrency of an endpoint must be between 1 and {MOST_CONCURRENCY}.")

    @property
    def host(self) -> str:
        return host_of(self.url)

    @property
    def condition(self) -> Condition:
        if not self.enabled:
            return Condition.DISABLED
        return Condition.FAILING if self.failures >= BREAKS else Condition.WORKING

    @property
    def slots(self) -> int:
        """Deliveries at once, now."""
        return 1 if self.ordered or self.condition is Condition.FAILING else self.concurrency

    def wants(self, event: Event) -> bool:
        """Whether it is to hear of an event. A test is for the endpoint that it names."""
        if event.kind == "webhook.test":
            return event.data.get("endpoint") == self.id
        mine = not self.accounts or not event.account or event.account in self.accounts
        return mine and wanted(event.kind, self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt. `status` is None if no answer came; then `code` says why in a stable word, `detail` to people."""

    at: float
    status: int | None
    seconds: float
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one endpoint; (endpoint, position) is unique.

    Args:
        position: of the event in the log.
        event: its id. `kind` is the event's.
        attempts: since it was queued, or replayed.
        due: when to try next.
        tries: the latest attempts, oldest first.
    """

    endpoint: str
    position: int
    event: str = field(repr=False)
    kind: str
    state: State = State.PENDING
    attempts: int = 0
    created: float
    due: float
    tries: tuple[Try, ...] = ()

    @property
    def id(self) -> str:
        """What people call it by."""
        return f"{self.endpoint}-{self.position}"


def delivery_key(delivery_id: str) -> tuple[str, int] | None:
    """Endpoint and position of a delivery's id; None if it is none."""
    endpoint, _dash, position = delivery_id.rpartition("-")
    fits = endpoint and position.isascii() and position.isdigit() and len(position) <= 18
    return (endpoint, int(position)) if fits else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an endpoint answered."""

    status: int
    retry_after: str = ""


# --- what follows from an attempt


def delivery_after(delivery: Delivery, tried: Try, chance: float, not_before: float = 0.0) -> Delivery:
    """The delivery after an attempt.

    Args:
        chance: from 0 to 1.
        not_before: what the endpoint asked for, see `asked_to_wait`.
    """
    attempts, tries = delivery.attempts + 1, (*delivery.tries, tried)[-KEPT_TRIES:]
    delivery = replace(delivery, attempts=attempts, tries=tries)
    if succeeded(tried):
        return replace(delivery, state=State.DELIVERED)
    if attempts > len(SCHEDULE) or tried.status == 410:
        return replace(delivery, state=State.FAILED)
    wait = SCHEDULE[attempts - 1] * (1.0 + SPREAD * chance)
    return replace(delivery, due=max(tried.at + wait, not_before))


def endpoint_after(endpoint: Endpoint, tried: Try, not_before: float = 0.0) -> Endpoint:
    """The endpoint after an attempt: a success makes all good, failures first slow it down and then disable it."""
    if succeeded(tried):
        return replace(endpoint, failures=0, failing_since=None, not_before=0.0)
    since = tried.at if endpoint.failing_since is None else endpoint.failing_since
    failures = endpoint.failures + 1
    if failures >= BREAKS:
        not_before = max(not_before, tried.at + min(PROBE_FIRST * 2.0 ** min(failures - BREAKS, 20), PROBE_MOST))
    after = replace(endpoint, failures=failures, failing_since=since, not_before=max(endpoint.not_before, not_before))
    if tried.status == 410:
        return replace(after, enabled=False, reason="gone")
    if tried.at - since >= GIVE_UP:
        return replace(after, enabled=False, reason="failing")
    return after


def succeeded(tried: Try) -> bool:
    return tried.status is not None and 200 <= tried.status < 300


def asked_to_wait(answer: Answer, now: float) -> float:
    """Until when a 429 or 503 asks us to wait (`Retry-After`, in seconds or as a date); 0 if it does not."""
    if answer.status not in (429, 503) or not answer.retry_after:
        return 0.0
    text = answer.retry_after.strip()
    if text.isascii() and text.isdigit():
        return now + min(float(text[:12]), LONGEST_RETRY_AFTER)
    try:
        asked = datetime.strptime(text, _HTTP_DATE).replace(tzinfo=UTC)
    except ValueError:
        return 0.0
    return min(asked.timestamp(), now + LONGEST_RETRY_AFTER)


def reopened(delivery: Delivery, now: float) -> Delivery:
    """The delivery as a person wants it tried again, from the first attempt."""
    return replace(delivery, state=State.PENDING, attempts=0, due=now)


def rotated(endpoint: Endpoint, secret: Secret, now: float, keep: float) -> Endpoint:
    """The endpoint with a new secret; the one before it signs for `keep` seconds more."""
    before = (replace(endpoint.secrets[0], until=now + keep),) if keep > 0 else ()
    return replace(endpoint, secrets=(secret, *before))


def enabled(endpoint: Endpoint) -> Endpoint:
    """The endpoint as a person wants it tried again, with nothing held against it."""
    return replace(endpoint, enabled=True, reason="", failures=0, failing_since=None, not_before=0.0)


def disabled_event(endpoint: Endpoint, at: float) -> Event:
    """What the other endpoints are told of one that was disabled."""
    data = {
        "endpoint": endpoint.id,
        "host": endpoint.host,
        "reason": endpoint.reason,
        "failures": endpoint.failures,
        "failing_since": endpoint.failing_since,
    }
    event_id = f"webhook.disabled.{endpoint.id}.{round(at * 1000)}"
    return Event(id=event_id, kind="webhook.disabled", account="", at=at, data=data)

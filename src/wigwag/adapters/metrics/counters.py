# SPDX-License-Identifier: Apache-2.0
"""What is counted as it happens: a sink for facts, HTTP requests, storage, and how late the event loop is.

A count here costs a microsecond and never blocks. What can be read at any time is in `readings`.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from wigwag.adapters.metrics import names
from wigwag.adapters.metrics.metric import Metric
from wigwag.app.ports import Clock
from wigwag.domain.account import Account, LinkState, Stall
from wigwag.domain.events import (
    AccountChanged,
    Fact,
    NodeChanged,
    NodeStep,
    PartFailed,
    PartRecovered,
    SubscriptionChanged,
    TypingChanged,
)
from wigwag.domain.presence import PresenceChanged, Status

LAG_EVERY = 1.0  # seconds
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
STORAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 8.0)
REQUEST_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FIRST_LINKS = (LinkState.UNPAIRED, LinkState.PAIRING)  # an attempt from here makes a first link, not one again

SYNC = dict.fromkeys((NodeStep.AWAY, NodeStep.DEAF, NodeStep.MISSED, NodeStep.FENCED, NodeStep.LOST), False)
SYNC |= {NodeStep.SYNCED: True}


class Counters:
    """The counters and histograms, in a registry of our own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(metric: Metric) -> Counter:
            return Counter(metric.name, metric.help, metric.labels, registry=registry)

        def histogram(metric: Metric, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(metric.name, metric.help, metric.labels, buckets=buckets, registry=registry)

        presences = counter(names.PRESENCE_EVENTS)
        self._presences = {status: presences.labels(status.word) for status in Status}
        self._typing = counter(names.TYPING_EVENTS)
        self._subscriptions = counter(names.SUBSCRIPTION_EVENTS)
        self._reconnects = counter(names.RECONNECTS)
        self._bans = counter(names.BANS)
        self._stalls = counter(names.STALLS)
        self._failures = counter(names.PART_FAILURES)
        self._recoveries = counter(names.PART_RECOVERIES)
        self._requests = histogram(names.REQUEST_DURATION, REQUEST_BUCKETS)
        self._storage = histogram(names.STORAGE_DURATION, STORAGE_BUCKETS)
        self._storage_failures = counter(names.STORAGE_FAILURES)
        for operation in ("read", "write"):
            self._storage.labels(operation)
            self._storage_failures.labels(operation)
        self._spans = counter(names.TRACE_SPANS)
        steps = counter(names.NODE_STEPS)
        self._steps = {step: steps.labels(step) for step in NodeStep}
        self._synced = Gauge(names.NODE_SYNCED.name, names.NODE_SYNCED.help, registry=registry)
        self._synced.set(1)
        self._lag = histogram(names.LOOP_LAG, LAG_BUCKETS)

    def meet(self, accounts: Iterable[str]) -> None:
        """Show zeros for these accounts: a series that begins at 1 has not increased, says Prometheus."""
        for account in accounts:
            self._bans.labels(account)
            for reason in Stall:
                self._stalls.labels(account, reason)

    def count(self, fact: Fact) -> None:
        """Count one fact."""
        match fact:
            case PresenceChanged():
                self._presences[fact.after].inc()
            case TypingChanged():
                self._typing.labels(fact.typing).inc()
            case SubscriptionChanged():
                self._subscriptions.labels(fact.account, fact.state).inc()
            case AccountChanged():
                self._count_account(fact.before, fact.after)
            case PartFailed():
                self._failures.labels(fact.part, fact.code).inc()
            case PartRecovered():
                self._recoveries.labels(fact.part).inc()
            case NodeChanged():
                self._steps[fact.step].inc()
                if fact.step in SYNC:
                    self._synced.set(SYNC[fact.step])

    def _count_account(self, before: Account, after: Account) -> None:
        reason = reconnect_reason(before, after)
        if reason is not None:
            self._reconnects.labels(after.name, reason).inc()
        if after.state is LinkState.BANNED:
            self._bans.labels(after.name).inc()
        elif after.state is LinkState.DEGRADED is not before.state:
            self._stalls.labels(after.name, after.detail).inc()

    def observe_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request. `route` is the template, never the path, which has a number in it."""
        self._requests.labels(route, method, str(status)).observe(seconds)

    def observe_storage(self, operation: str, seconds: float, answered: bool) -> None:
        """Count one read or write."""
        self._storage.labels(operation).observe(seconds)
        if not answered:
            self._storage_failures.labels(operation).inc()

    def observe_spans(self, outcome: str, count: int) -> None:
        """Count spans that were exported, failed or dropped."""
        self._spans.labels(outcome).inc(count)

    async def watch_lag(self, clock: Clock) -> None:
        """Measure for ever how late we wake."""
        while True:
            asked = clock.now()
            await clock.sleep(LAG_EVERY)
            self._lag.observe(max(0.0, clock.now() - asked - LAG_EVERY))


def reconnect_reason(before: Account, after: Account) -> str | None:
    """Why an attempt to make a link again begins with this change; None if none does."""
    if after.state is LinkState.TRANSIENT:
        return "link_down"  # the library tries again at once
    if after.state is LinkState.CONNECTING and before.state not in _FIRST_LINKS:
        return before.state.value
    return None

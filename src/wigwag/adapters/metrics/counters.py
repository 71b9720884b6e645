# SPDX-License-Identifier: Apache-2.0
"""What is counted as it happens: a sink for facts, HTTP requests, and how late the event loop is.

A count here costs a microsecond and never blocks. What can be read at any time is in `readings`.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

from wigwag.adapters.metrics import names
from wigwag.adapters.metrics.names import Metric
from wigwag.app.ports import Clock
from wigwag.domain.account import Account, LinkState
from wigwag.domain.events import AccountChanged, Fact, PartFailed, PartRecovered, SubscriptionChanged, TypingChanged
from wigwag.domain.presence import PresenceChanged, Status

LAG_EVERY = 1.0  # seconds
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
REQUEST_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FIRST_LINKS = (LinkState.UNPAIRED, LinkState.PAIRING)  # an attempt from here makes a first link, not one again


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
        self._failures = counter(names.PART_FAILURES)
        self._recoveries = counter(names.PART_RECOVERIES)
        self._requests = histogram(names.REQUEST_DURATION, REQUEST_BUCKETS)
        self._lag = histogram(names.LOOP_LAG, LAG_BUCKETS)

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
                reason = reconnect_reason(fact.before, fact.after)
                if reason is not None:
                    self._reconnects.labels(fact.after.name, reason).inc()
            case PartFailed():
                self._failures.labels(fact.part, fact.code).inc()
            case PartRecovered():
                self._recoveries.labels(fact.part).inc()

    def observe_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request. `route` is the template, never the path, which has a number in it."""
        self._requests.labels(route, method, str(status)).observe(seconds)

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

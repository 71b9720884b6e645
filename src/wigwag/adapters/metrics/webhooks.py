# SPDX-License-Identifier: Apache-2.0
"""The series of webhooks: how deliveries go, and how the endpoints stand. Endpoints are named by id, never by URL."""

from collections import Counter as Tally
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from wigwag.adapters.metrics import names
from wigwag.app.gateway import Gateway
from wigwag.domain.events import DeliveryTried, EventsDropped, Fact
from wigwag.domain.webhooks import Condition

OUTCOMES = ("delivered", "retry", "failed")
DURATION_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)


class WebhookCounters:
    """Counts attempts, and events that were not queued."""

    def __init__(self, registry: CollectorRegistry) -> None:
        tried, took, lost = names.WEBHOOK_DELIVERIES, names.WEBHOOK_DURATION, names.WEBHOOK_DROPPED
        self._deliveries = Counter(tried.name, tried.help, tried.labels, registry=registry)
        self._dropped = Counter(lost.name, lost.help, lost.labels, registry=registry)
        self._duration = Histogram(took.name, took.help, took.labels, buckets=DURATION_BUCKETS, registry=registry)
        self._met: set[str] = set()

    def count(self, fact: Fact) -> None:
        """Count one fact."""
        match fact:
            case DeliveryTried():
                self._meet(fact.endpoint)
                self._deliveries.labels(fact.endpoint, fact.outcome).inc()
                self._duration.labels("delivered" if fact.outcome == "delivered" else "failed").observe(fact.seconds)
            case EventsDropped():
                self._dropped.labels(fact.endpoint).inc(fact.count)

    def _meet(self, endpoint: str) -> None:
        """Show zeros for an endpoint: a series that begins at 1 has not increased, says Prometheus."""
        if endpoint not in self._met:
            self._met.add(endpoint)
            self._dropped.labels(endpoint)
            for outcome in OUTCOMES:
                self._deliveries.labels(endpoint, outcome)


class WebhookReadings(Collector):
    """Reads how the endpoints stand, and what waits for them."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Called by the registry at each scrape."""
        waits, stand = names.WEBHOOK_BACKLOG, names.WEBHOOK_ENDPOINTS
        backlog = GaugeMetricFamily(waits.name, waits.help, labels=waits.labels)
        for endpoint, count in self._gateway.webhooks.backlog().items():
            backlog.add_metric((endpoint,), count)
        yield backlog
        tally = Tally(endpoint.condition for endpoint in self._gateway.webhooks.endpoints())
        endpoints = GaugeMetricFamily(stand.name, stand.help, labels=stand.labels)
        for condition in Condition:
            endpoints.add_metric((condition.value,), tally[condition])
        yield endpoints

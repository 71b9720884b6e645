# SPDX-License-Identifier: Apache-2.0
"""The six series of seed 003: what became of envelopes from RabbitMQ, and how many wait there.

A job counts as processed when it came to an end: sent, failed, cancelled, or never taken in (invalid).
"""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from wigwag.adapters.metrics import names
from wigwag.adapters.metrics.metric import Metric
from wigwag.domain.delivery import Job, State
from wigwag.domain.envelopes import DOOR
from wigwag.domain.events import EnvelopeAccepted, EnvelopeRefused, Fact, JobChanged

WORKER = "whatsapp"
INVALID = "invalid"
DURATION_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
_ENDS = {State.SENT, State.FAILED, State.CANCELLED}
_TIMED = {State.SENT, State.FAILED}

Queues = Mapping[Metric, Callable[[], Mapping[str, int]]]
"""Where to read how many messages wait in which queue."""


class WorkerCounters:
    """Counts jobs whose envelopes came from RabbitMQ."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(metric: Metric) -> Counter:
            return Counter(metric.name, metric.help, metric.labels, registry=registry)

        duration = names.WORKER_DURATION
        self._processed = counter(names.WORKER_PROCESSED)
        self._failed = counter(names.WORKER_FAILED)
        self._retried = counter(names.WORKER_RETRIED).labels(WORKER)
        self._accepted = counter(names.ENVELOPES_ACCEPTED)
        self._duration = Histogram(
            duration.name, duration.help, duration.labels, buckets=DURATION_BUCKETS, registry=registry
        ).labels(WORKER)

    def count(self, fact: Fact) -> None:
        """Count one fact."""
        match fact:
            case JobChanged(before=before, after=after) if after.door == DOOR:
                self._count_job(before, after)
            case EnvelopeAccepted():
                self._accepted.labels(fact.dedup).inc()
            case EnvelopeRefused():
                self._processed.labels(WORKER, INVALID).inc()
                self._failed.labels(WORKER, fact.reason).inc()

    def _count_job(self, before: Job | None, after: Job) -> None:
        if before is not None and after.state is State.ACCEPTED:
            self._retried.inc()
        if after.state not in _ENDS:
            return
        self._processed.labels(WORKER, after.state).inc()
        if after.state is State.FAILED:
            self._failed.labels(WORKER, after.code).inc()
        if after.state in _TIMED:
            began = after.created if after.attempts else max(after.created, after.due)
            self._duration.observe(max(0.0, after.since - began))


class QueueReadings(Collector):
    """Reads how many messages wait in which queue, when somebody asks."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Called by the registry at each scrape."""
        for metric in (names.QUEUE_DEPTH, names.QUEUE_DLQ_SIZE):
            family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for queue, count in self._queues[metric]().items() if metric in self._queues else ():
                family.add_metric((queue,), count)
            yield family

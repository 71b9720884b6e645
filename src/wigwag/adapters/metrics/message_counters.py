# SPDX-License-Identifier: Apache-2.0
"""What is counted of messages as it happens, how many jobs are in which state, and how long they wait.

The states are counted by the database every few seconds, so that a scrape never waits for it.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from wigwag.adapters.metrics import names
from wigwag.adapters.metrics.metric import Metric
from wigwag.app.gateway import Gateway
from wigwag.app.ports import Clock
from wigwag.domain.delivery import State
from wigwag.domain.errors import GatewayError, Restricted
from wigwag.domain.events import CallReported, Fact, JobChanged, MediaProcessed, MessageReceived

COUNT_EVERY = 5.0  # seconds
WAIT_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0)
MEDIA_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)


class MessageCounters:
    """The series of messages, in a registry of our own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(metric: Metric) -> Counter:
            return Counter(metric.name, metric.help, metric.labels, registry=registry)

        self._sent = counter(names.MESSAGES_SENT)
        self._failed = counter(names.MESSAGES_FAILED)
        self._received = counter(names.MESSAGES_RECEIVED)
        self._changes = counter(names.JOB_CHANGES)
        self._calls = counter(names.CALLS)
        self._restrictions = counter(names.RESTRICTIONS)
        self._states = Gauge(names.JOBS.name, names.JOBS.help, names.JOBS.labels, registry=registry)
        self._waits = Gauge(names.JOB_WAIT.name, names.JOB_WAIT.help, names.JOB_WAIT.labels, registry=registry)
        self._media = Histogram(
            names.MEDIA_DURATION.name,
            names.MEDIA_DURATION.help,
            names.MEDIA_DURATION.labels,
            buckets=MEDIA_BUCKETS,
            registry=registry,
        )
        self._wait = Histogram(
            names.SEND_DURATION.name,
            names.SEND_DURATION.help,
            names.SEND_DURATION.labels,
            buckets=WAIT_BUCKETS,
            registry=registry,
        )

    def meet(self, accounts: Iterable[str]) -> None:
        """Show zeros for these accounts: a series that begins at 1 has not increased, says Prometheus."""
        for account in accounts:
            self._restrictions.labels(account)

    def count(self, fact: Fact) -> None:
        """Count one fact."""
        match fact:
            case JobChanged(after=job):
                self._changes.labels(job.account, job.state).inc()
                if job.state is State.SENT:
                    self._sent.labels(job.account, job.content.kind).inc()
                    self._wait.labels(job.account).observe(max(0.0, job.since - max(job.due, job.created)))
                elif job.state is State.FAILED:
                    self._failed.labels(job.account, job.code).inc()
                elif job.state is State.ACCEPTED and job.code == Restricted.code:
                    self._restrictions.labels(job.account).inc()
            case MessageReceived(message=message):
                self._received.labels(message.account, message.kind).inc()
            case MediaProcessed():
                self._media.labels(fact.kind, fact.direction).observe(fact.seconds)
            case CallReported():
                self._calls.labels(fact.account).inc()

    async def watch_jobs(self, gateway: Gateway, clock: Clock) -> None:
        """Have the jobs counted, for ever. While the database does not answer, there are no figures."""
        while True:
            try:
                counts = await gateway.messages.job_counts()
                accounts = {account.name for account in gateway.accounts()} | {name for name, _ in counts}
                due = {account: await gateway.messages.earliest_due(account) for account in accounts}
            except GatewayError:
                counts, due = {}, {}
            now = clock.now()
            self._states.clear()
            self._waits.clear()
            for account, since in due.items():
                self._waits.labels(account).set(0.0 if since is None else max(0.0, now - since))
                for state in State:
                    self._states.labels(account, state).set(counts.get((account, state), 0))
            await clock.sleep(COUNT_EVERY)

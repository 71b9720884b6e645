# SPDX-License-Identifier: Apache-2.0
"""All metrics together, as the text that Prometheus reads."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import generate_latest as plain_text
from prometheus_client.openmetrics.exposition import generate_latest as open_metrics_text

from wigwag.adapters.metrics.access import AccessCounters
from wigwag.adapters.metrics.contacts import ContactSeries, Labels, named
from wigwag.adapters.metrics.counters import Counters
from wigwag.adapters.metrics.message_counters import MessageCounters
from wigwag.adapters.metrics.process import ProcessReadings
from wigwag.adapters.metrics.readiness import Readiness, Ready
from wigwag.adapters.metrics.readings import Figures, Readings
from wigwag.adapters.metrics.webhooks import WebhookCounters, WebhookReadings
from wigwag.adapters.metrics.worker import QueueReadings, Queues, WorkerCounters
from wigwag.app.gateway import Gateway
from wigwag.app.ports import Clock
from wigwag.domain.book import Book
from wigwag.domain.events import Fact

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_END = b"# EOF\n"


async def _nobody() -> Mapping[str, bool]:
    return {}


class Metrics:
    """What `/metrics` says.

    Args:
        labels: how contacts are named: `named` (seed 000), or `hashed(key)`.
        figures: where to read metrics of other rooms, such as `names.RECORDER_BACKLOG`.
        queues: where to read `names.QUEUE_DEPTH` and `names.QUEUE_DLQ_SIZE`, by the name of the queue.
        sinks: how many facts each sink of the fan-out failed to take.
        ready: asks the parts whether they work.
        data: the directory whose disk is of interest.
    """

    def __init__(  # noqa: PLR0913  wired by keyword, once
        self,
        book: Book,
        gateway: Gateway,
        clock: Clock,
        *,
        version: str,
        labels: Labels = named,
        figures: Figures | None = None,
        queues: Queues | None = None,
        sinks: Mapping[str, int] | None = None,
        ready: Ready = _nobody,
        data: Path = Path(),
    ) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # twice the series, and nobody asks for them
        self._gateway, self._clock = gateway, clock
        self._registry = CollectorRegistry()
        self._registry.register(Readings(gateway, clock, version, figures or {}, sinks or {}))
        self._registry.register(QueueReadings(queues or {}))
        self._counters, self._messages = Counters(self._registry), MessageCounters(self._registry)
        self._registry.register(WebhookReadings(gateway))
        self._worker = WorkerCounters(self._registry)
        self._webhooks = WebhookCounters(self._registry)
        self._access = AccessCounters(self._registry)
        self._contacts = ContactSeries(book, labels)
        self._readiness = Readiness(self._registry, ready)
        self._registry.register(ProcessReadings(clock, data))
        ProcessCollector(registry=self._registry)

    def sink(self, fact: Fact) -> None:
        """Count what happened."""
        self._counters.count(fact)
        self._messages.count(fact)
        self._worker.count(fact)
        self._webhooks.count(fact)
        self._access.count(fact)

    def observe_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered HTTP request. `route` is its template, never its path."""
        self._counters.observe_request(route, method, status, seconds)

    def observe_storage(self, operation: str, seconds: float, answered: bool) -> None:
        """Count a `read` or `write` of the database, and whether it answered."""
        self._counters.observe_storage(operation, seconds, answered)

    def observe_spans(self, outcome: str, count: int) -> None:
        """Count spans by what became of them: exported, failed, dropped."""
        self._counters.observe_spans(outcome, count)

    async def run(self) -> None:
        """Measure the event loop's lag, have the jobs counted and the parts asked, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._counters.watch_lag(self._clock), name="metrics: lag")
            tasks.create_task(self._messages.watch_jobs(self._gateway, self._clock), name="metrics: jobs")
            tasks.create_task(self._readiness.watch(self._clock), name="metrics: ready")

    async def exposition(self, accept: str) -> tuple[str, AsyncIterator[bytes]]:
        """The content type and the text in chunks, in the format that an Accept header asks for."""
        open_metrics = "application/openmetrics-text" in accept
        return OPEN_METRICS if open_metrics else PLAIN, self._text(open_metrics=open_metrics)

    async def _text(self, *, open_metrics: bool) -> AsyncIterator[bytes]:
        yield self._fixed(open_metrics=open_metrics)
        await asyncio.sleep(0)
        async for chunk in self._contacts.exposition(open_metrics=open_metrics):
            yield chunk
        if open_metrics:
            yield _END

    def _fixed(self, *, open_metrics: bool) -> bytes:
        """Everything but the contacts."""
        accounts = [account.name for account in self._gateway.accounts()]
        self._counters.meet(accounts)
        self._messages.meet(accounts)
        if not open_metrics:
            return plain_text(self._registry)
        text: bytes = open_metrics_text(self._registry)  # type: ignore[no-untyped-call]
        return text.removesuffix(_END)

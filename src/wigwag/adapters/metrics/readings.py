# SPDX-License-Identifier: Apache-2.0
"""What is read when somebody asks: links, subscriptions, contacts, the process.

Nothing is kept between two scrapes but the processor time at the last one.
"""

import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from wigwag.adapters.metrics import names
from wigwag.adapters.metrics.names import Metric
from wigwag.app.gateway import Gateway
from wigwag.app.ports import Clock
from wigwag.domain.account import LinkState
from wigwag.domain.subscriptions import State

Samples = Iterable[tuple[tuple[str, ...], float]]
"""Label values and value of each sample."""

Figures = Mapping[Metric, Callable[[], float]]
"""Where to read a metric without labels that lives in another room."""

SHORTEST = 1.0  # seconds over which processor use is worth a figure


class Readings(Collector):
    """Reads everything that the gateway knows, and `figures`."""

    def __init__(self, gateway: Gateway, clock: Clock, version: str, figures: Figures) -> None:
        self._gateway, self._clock, self._figures = gateway, clock, figures
        self._build = (version, platform.python_version())
        self._began = self._measured = clock.now()
        self._processor, self._usage = _processor_seconds(), 0.0

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Called by the registry at each scrape."""
        for metric, samples in self._all():
            family = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            read = family(metric.name, metric.help, labels=metric.labels)
            for labels, value in samples:
                read.add_metric(labels, value)
            yield read

    def _all(self) -> Iterator[tuple[Metric, Samples]]:
        yield from self._contacts()
        yield from self._subscriptions()
        yield from self._links()
        for metric, figure in self._figures.items():
            yield metric, [((), figure())]
        yield names.BUILD_INFO, [(self._build, 1.0)]
        yield names.UPTIME, [((), self._clock.now() - self._began)]
        yield names.CPU_USAGE, [((), self._processor_percent())]
        if (resident := _resident_bytes()) is not None:
            yield names.MEMORY_USAGE, [((), resident)]

    def _contacts(self) -> Iterator[tuple[Metric, Samples]]:
        counts = self._gateway.presence_counts()
        unknown = counts.total - counts.observed
        yield names.CONTACTS, [(("online",), counts.online), (("offline",), counts.offline), (("unknown",), unknown)]

    def _subscriptions(self) -> Iterator[tuple[Metric, Samples]]:
        plans = self._gateway.plans()
        yield (
            names.SUBSCRIPTIONS,
            [((name, state), plan.counts[state]) for name, plan in plans.items() for state in State],
        )
        yield names.SUBSCRIPTION_QUEUE, [((name,), plan.stats().queue_length) for name, plan in plans.items()]
        yield names.SUBSCRIPTION_PACE, [((), self._gateway.pace().per_minute)]

    def _links(self) -> Iterator[tuple[Metric, Samples]]:
        accounts = self._gateway.accounts()
        yield names.CONNECTION_STATUS, [((account.name,), account.connected) for account in accounts]
        yield names.LINK_STATE, [((a.name, state), a.state is state) for a in accounts for state in LinkState]
        until = {(a.name,): self._gateway.restricted_until(a.name) for a in accounts}
        yield names.RESTRICTED_UNTIL, [(labels, at) for labels, at in until.items() if at is not None]

    def _processor_percent(self) -> float:
        now = self._clock.now()
        if now - self._measured >= SHORTEST:
            used = _processor_seconds()
            self._usage = 100.0 * (used - self._processor) / (now - self._measured)
            self._processor, self._measured = used, now
        return self._usage


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system


def _resident_bytes() -> int | None:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")

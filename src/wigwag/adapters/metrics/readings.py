# SPDX-License-Identifier: Apache-2.0
"""What is read when somebody asks: links, subscriptions, contacts, and figures of other rooms. Nothing is kept."""

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from wigwag.adapters.metrics import names
from wigwag.adapters.metrics.metric import Metric
from wigwag.app.gateway import Gateway
from wigwag.app.ports import Clock
from wigwag.domain.account import LinkState
from wigwag.domain.errors import GatewayError
from wigwag.domain.subscriptions import State

Samples = Iterable[tuple[tuple[str, ...], float]]
"""Label values and value of each sample."""

Figures = Mapping[Metric, Callable[[], float | Mapping[str, float]]]
"""Where to read a metric that lives in another room: a value, or values by its one label. No sample if it raises."""


class Readings(Collector):
    """Reads everything that the gateway knows, `figures`, and the failures of `sinks`."""

    def __init__(
        self, gateway: Gateway, clock: Clock, version: str, figures: Figures, sinks: Mapping[str, int]
    ) -> None:
        self._gateway, self._clock, self._figures, self._sinks = gateway, clock, figures, sinks
        self._build = (version, platform.python_version())
        self._began = clock.now()

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
            yield metric, _read(figure)
        yield names.SINK_FAILURES, [((sink,), count) for sink, count in self._sinks.items()]
        yield names.BUILD_INFO, [(self._build, 1.0)]
        yield names.UPTIME, [((), self._clock.now() - self._began)]

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
        instants = {
            names.RESTRICTED_UNTIL: {a.name: self._gateway.restricted_until(a.name) for a in accounts},
            names.BANNED_UNTIL: {a.name: a.until for a in accounts if a.state is LinkState.BANNED},
            names.HEARD: {a.name: self._gateway.heard_at(a.name) for a in accounts},
        }
        for metric, known in instants.items():
            yield metric, [((name,), at) for name, at in known.items() if at is not None]


def _read(figure: Callable[[], float | Mapping[str, float]]) -> Samples:
    try:
        value = figure()
    except GatewayError:  # it cannot be known now
        return []
    return [((label,), one) for label, one in value.items()] if isinstance(value, Mapping) else [((), value)]

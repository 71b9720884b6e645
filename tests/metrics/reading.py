# SPDX-License-Identifier: Apache-2.0
"""Reads an exposition back with prometheus_client's own parsers."""

from collections.abc import Iterable

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_plain

from wigwag.adapters.metrics import Metrics

OPEN_METRICS = "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Scrape:
    """A scraper: what `/metrics` says now."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics

    async def text(self, accept: str = "") -> str:
        _content_type, chunks = await self.metrics.exposition(accept)
        return b"".join([chunk async for chunk in chunks]).decode()

    async def samples(self, accept: str = "") -> Samples:
        """Values by name and labels. A series that comes twice is an error."""
        return self.read(await self.text(accept), accept)

    def read(self, text: str, accept: str = "") -> Samples:
        read = read_open_metrics if accept else read_plain
        found: Samples = {}
        for family in read(text):
            for sample in family.samples:
                key = series(sample.name, **sample.labels)
                assert key not in found, key
                found[key] = sample.value
        return found

    async def value(self, metric: str, /, **labels: str) -> float | None:
        return (await self.samples()).get(series(metric, **labels))


def series(metric: str, /, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return metric, tuple(sorted(labels.items()))


def named(samples: Samples, names: Iterable[str]) -> Samples:
    """Those samples whose metric has one of the names."""
    wanted = set(names)
    return {key: value for key, value in samples.items() if key[0] in wanted}

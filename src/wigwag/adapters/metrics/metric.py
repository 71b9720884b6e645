# SPDX-License-Identifier: Apache-2.0
"""What a metric is: a family of series with a name, a kind, labels and a meaning. Which there are is in `names`."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A family of series."""

    name: str
    kind: Kind
    labels: tuple[str, ...] = ()
    help: str

    @property
    def family(self) -> str:
        """Its name in OpenMetrics, where the family of a counter goes without `_total`."""
        return self.name.removesuffix("_total") if self.kind == "counter" else self.name


def counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name=name, kind="counter", labels=labels, help=meaning)


def gauge(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name=name, kind="gauge", labels=labels, help=meaning)


def histogram(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name=name, kind="histogram", labels=labels, help=meaning)

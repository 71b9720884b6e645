# SPDX-License-Identifier: Apache-2.0
"""Every expression that rules and dashboards ask of Prometheus, and which metrics they name."""

import re
from collections.abc import Iterator

from tests.deploy.alerting import rules
from wigwag.adapters.grafana import BOARDS
from wigwag.adapters.metrics import names

OURS = re.compile(r"\b(?:whatsapp|wigwag|worker|queue|process)_[a-z_]+\b")
STRINGS_AND_LABELS = re.compile(r'"[^"]*"|\b(?:by|on|without|ignoring)\s*\([^)]*\)')
OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")
IN_GRAFANA = {"$__rate_interval": "10s", "$__range": "1m", "$instance": ".*", "$account": ".*"}


def asked() -> Iterator[tuple[str, str]]:
    """Where, and what: the expressions of all dashboards, as Grafana would fill them in. Those of logs are left out."""
    for board in BOARDS:
        for panel in board.panels:
            for query in panel.queries if panel.kind != "logs" else ():
                expr = query.expr
                for variable, value in IN_GRAFANA.items():
                    expr = expr.replace(variable, value)
                yield f"{board.name}: {panel.title}: {query.legend}", expr


def metrics_of(expr: str) -> set[str]:
    """The metrics of ours that an expression names; what was recorded by a rule is not among them."""
    bare = re.sub(r"\{[^}]*\}", "", STRINGS_AND_LABELS.sub("", expr))
    found = {match.group() for match in OURS.finditer(bare) if ":" not in _around(bare, match)}
    return {_family(name) for name in found}


def _around(text: str, match: "re.Match[str]") -> str:
    return text[max(0, match.start() - 1) : match.end() + 1]


def _family(name: str) -> str:
    histograms = {metric.name for metric in names.FIXED_METRICS if metric.kind == "histogram"}
    return next((name.removesuffix(end) for end in OF_A_HISTOGRAM if name.removesuffix(end) in histograms), name)


def everything() -> dict[str, str]:
    """All expressions of rules and dashboards, by where they are."""
    named = {f"rule {rule.get('alert') or rule['record']}": rule["expr"] for rule in rules()}
    return {**named, **dict(asked())}

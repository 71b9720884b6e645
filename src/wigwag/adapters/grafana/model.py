# SPDX-License-Identifier: Apache-2.0
"""What a dashboard is, and how it looks as the JSON of Grafana 10 and newer. No metric is named here."""

from dataclasses import dataclass
from typing import Any

PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
LOKI = {"type": "loki", "uid": "${logs}"}
WIDTH = 24  # columns of Grafana's grid
SCHEMA = 39

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and what its series are called: `{{label}}` stands for a label's value."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel.

    Args:
        kind: Grafana's name for it: timeseries, stat, table, state-timeline, logs.
        unit: Grafana's name for it.
        words: what the numbers 0 and 1 are called, with good as the second; for states.
        lines: a threshold, above which it is red.
        width: of 24 columns.
        about: what a person should know.
    """

    title: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    unit: str = "short"
    words: tuple[str, str] | None = None
    red_above: float | None = None
    stacked: bool = False
    width: int = 12
    height: int = 8
    about: str = ""

    def as_json(self, number: int, left: int, top: int) -> Json:
        source = LOKI if self.kind == "logs" else PROMETHEUS
        return {
            "id": number,
            "title": self.title,
            "description": self.about,
            "type": self.kind,
            "datasource": source,
            "gridPos": {"x": left, "y": top, "w": self.width, "h": self.height},
            "targets": [self._target(query, "ABCDEFGH"[n], source) for n, query in enumerate(self.queries)],
            "fieldConfig": {"defaults": self._defaults(), "overrides": []},
            "options": self._options(),
            **({"transformations": _AS_TABLE} if self.kind == "table" else {}),
        }

    def _target(self, query: Query, ref: str, source: Json) -> Json:
        once = self.kind in ("stat", "table")
        return {
            "refId": ref,
            "datasource": source,
            "expr": query.expr,
            "legendFormat": query.legend,
            "instant": once,
            "range": not once,
            "format": "table" if self.kind == "table" else "time_series",
        }

    def _defaults(self) -> Json:
        steps: list[Json] = [{"color": "green", "value": None}]
        if self.words:
            steps = [{"color": "red", "value": None}, {"color": "green", "value": 1}]
        elif self.red_above is not None:
            steps.append({"color": "red", "value": self.red_above})
        made: Json = {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}}
        if self.words:
            names = {str(value): {"text": word, "index": value} for value, word in enumerate(self.words)}
            made["mappings"] = [{"type": "value", "options": names}]
        if self.kind == "timeseries":
            drawn: Json = {"fillOpacity": 10, "showPoints": "never"}
            if self.stacked:
                drawn |= {"fillOpacity": 40, "stacking": {"mode": "normal", "group": "A"}}
            made |= {"custom": drawn, "min": 0}
        if self.kind in ("stat", "state-timeline"):
            made["color"] = {"mode": "thresholds"}
        return made

    def _options(self) -> Json:
        match self.kind:
            case "timeseries":
                return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
            case "stat":
                return {"colorMode": "background", "reduceOptions": {"calcs": ["lastNotNull"]}}
            case "logs":
                return {"showTime": True, "wrapLogMessage": True, "sortOrder": "Descending"}
            case _:
                return {}


_AS_TABLE: list[Json] = [
    {"id": "merge", "options": {}},
    {
        "id": "organize",
        "options": {"excludeByName": {"Time": True, "__name__": True, "instance": True, "job": True}},
    },
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A dashboard. `name` is the last part of its uid and the name of its file; panels flow from left to right."""

    name: str
    title: str
    about: str
    panels: tuple[Panel, ...]

    def as_json(self) -> Json:
        """What Grafana imports."""
        return {
            "uid": f"wigwag-{self.name}",
            "title": f"wigwag: {self.title}",
            "description": self.about,
            "tags": ["wigwag"],
            "schemaVersion": SCHEMA,
            "version": 1,
            "editable": True,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "timezone": "browser",
            "links": [
                {"type": "dashboards", "title": "wigwag", "tags": ["wigwag"], "includeVars": True, "keepTime": True}
            ],
            "templating": {"list": _variables(logs=any(panel.kind == "logs" for panel in self.panels))},
            "panels": self._laid_out(),
        }

    def _laid_out(self) -> list[Json]:
        laid: list[Json] = []
        left = top = tallest = 0
        for number, panel in enumerate(self.panels, start=1):
            if left + panel.width > WIDTH:
                left, top, tallest = 0, top + tallest, 0
            laid.append(panel.as_json(number, left, top))
            left, tallest = left + panel.width, max(tallest, panel.height)
        return laid


def _variables(*, logs: bool) -> list[Json]:
    sources = [{"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
    if logs:
        sources.append({"name": "logs", "label": "Loki", "type": "datasource", "query": "loki"})
    return [*sources, _choice("instance", "wigwag_build_info"), _choice("account", "whatsapp_connection_status")]


def _choice(label: str, metric: str) -> Json:
    """A menu of all values of a label, of which several may be chosen."""
    return {
        "name": label,
        "label": label,
        "type": "query",
        "datasource": PROMETHEUS,
        "query": {"query": f"label_values({metric}, {label})", "refId": label},
        "definition": f"label_values({metric}, {label})",
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "sort": 1,
    }

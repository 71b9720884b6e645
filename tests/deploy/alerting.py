# SPDX-License-Identifier: Apache-2.0
"""The rules of deploy/prometheus, and promtool to try them on series that are written down, or were recorded.

Series are written as a gateway exports them; job and instance come here. Values are promtool's: `0` stays so, `0+5`
grows by five each minute; anything with an `x` in it is taken as it is.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
SCRAPED = 'job="wigwag",instance="wigwag:8080"'
LENGTH = 40  # minutes of series
AT = 30  # minutes: when it is asked what fires

Changes = Mapping[str, str]
"""Values by series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Series, and exactly which alerts fire when, in seconds. `every` is the seconds between two samples."""

    name: str
    series: Changes
    firing: Mapping[int, frozenset[str]]
    every: int = 60

    def as_promtool(self) -> dict[str, Any]:
        """The case as promtool reads it."""
        expr = 'max by (alertname) (ALERTS{alertstate="firing"})'
        return {
            "name": self.name,
            "interval": f"{self.every}s",
            "input_series": [{"series": scraped(name), "values": values} for name, values in self.series.items()],
            "promql_expr_test": [
                {
                    "expr": expr,
                    "eval_time": f"{at}s",
                    "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(alerts)],
                }
                for at, alerts in self.firing.items()
            ],
        }


def scraped(series: str) -> str:
    """A series with the labels that a scrape adds."""
    name, _, labels = series.partition("{")
    return f"{name}{{{labels.rstrip('}') + ',' if labels else ''}{SCRAPED}}}"


def lasting(values: str) -> str:
    """Values over the whole length."""
    return values if "x" in values else f"{values}x{LENGTH}"


def rules() -> Iterator[dict[str, Any]]:
    """Every rule, recording and alerting."""
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def alerts() -> dict[str, dict[str, Any]]:
    """The alerting rules by name."""
    found = [rule for rule in rules() if "alert" in rule]
    by_name = {rule["alert"]: rule for rule in found}
    assert len(by_name) == len(found)
    return by_name


def judged(promtool: str, folder: Path, cases: Sequence[Case]) -> str:
    """What promtool has against these cases; "" if nothing."""
    tests = [case.as_promtool() for case in cases]
    return run(promtool, folder, tests)


def told(promtool: str, folder: Path, cases: Sequence[Case]) -> list[tuple[dict[str, str], str]]:
    """Labels and annotations of every alert that fires: promtool says them of alerts that nobody expected."""
    tests = [
        {
            **case.as_promtool(),
            "promql_expr_test": [],
            "alert_rule_test": [
                {"alertname": alert, "eval_time": f"{at}s", "exp_alerts": []}
                for at, alerts in case.firing.items()
                for alert in sorted(alerts)
            ],
        }
        for case in cases
    ]
    got = re.findall(r"^\s*Labels:\{(.*)\}\s*Annotations:\{(.*)\}", run(promtool, folder, tests), re.MULTILINE)
    return [(dict(re.findall(r'(\w+)="(.*?)"', labels)), annotations) for labels, annotations in got]


def run(promtool: str, folder: Path, tests: Sequence[dict[str, Any]]) -> str:
    """Have promtool run its tests over all rules, and return what it complains of."""
    file = folder / "cases.yml"
    whole = {"rule_files": [str(path) for path in RULES], "evaluation_interval": "1m", "tests": list(tests)}
    file.write_text(yaml.safe_dump(whole, sort_keys=False))
    done = subprocess.run([promtool, "test", "rules", file], check=False, capture_output=True, text=True, timeout=120)
    return "" if done.returncode == 0 else done.stdout + done.stderr

# SPDX-License-Identifier: Apache-2.0
"""Rules and dashboards name nothing that is not exported, and deploy/grafana is what this version prints."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.deploy.alerting import ROOT
from tests.deploy.expressions import asked, everything, metrics_of
from wigwag.adapters.grafana import BOARDS
from wigwag.adapters.metrics import names
from wigwag.cli import app

EXPORTED = {metric.name for metric in (*names.CONTACT_METRICS, *names.FIXED_METRICS)} | set(names.STANDARD)
WANTED = {  # seed 002, "Planned Dashboard Panels", and seed 000, "Sample Dashboard Panels"
    "overview": ("Connection", "Uptime of the links", "Messages sent", "Messages received", "Error rate"),
    "performance": ("Requests", "Webhook deliveries", "Media", "Requests a second"),
    "resources": ("Processor", "Memory", "Data disk", "Network"),
    "errors": ("Error rate", "Failed messages, by reason", "Webhook failures", "Recent errors in the log"),
    "presence": ("Online", "Status changes a minute", "Contacts"),
    "messages": ("Sent, by type", "Received, by type"),
}


def missing(exported: set[str]) -> dict[str, set[str]]:
    """Metrics that somebody asks for and nobody exports, by where they are asked for."""
    asking = {where: metrics_of(expr) - exported for where, expr in everything().items()}
    return {where: names for where, names in asking.items() if names}


def test_what_rules_and_dashboards_name_is_exported() -> None:
    assert missing(EXPORTED) == {}


@pytest.mark.parametrize("gone", ["queue_dlq_size", "wigwag_storage_duration_seconds", "whatsapp_contact_online"])
def test_a_metric_that_is_no_longer_exported_is_missed(gone: str) -> None:
    assert {gone} in missing(EXPORTED - {gone}).values()


@pytest.mark.parametrize(
    ("expr", "metrics"),
    [
        ("sum by (queue_name) (queue_depth) > 0", {"queue_depth"}),
        ('rate(wigwag_send_duration_seconds_bucket{le="whatsapp_x"}[5m])', {"wigwag_send_duration_seconds"}),
        ("instance:wigwag_requests:rate5m * on (process_id) worker_jobs_retried_total", {"worker_jobs_retried_total"}),
    ],
)
def test_names_are_read_out_of_expressions(expr: str, metrics: set[str]) -> None:
    assert metrics_of(expr) == metrics


def test_every_panel_that_was_asked_for_is_there() -> None:
    there = {board.name: {panel.title for panel in board.panels} for board in BOARDS}
    assert {name: set(titles) - there[name] for name, titles in WANTED.items()} == {name: set() for name in WANTED}
    assert there.keys() == WANTED.keys()


def test_the_files_of_grafana_are_what_this_version_exports(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["dashboards", "export", str(tmp_path / "new")])
    assert done.exit_code == 0
    kept = {path.name: path.read_text() for path in (ROOT / "deploy" / "grafana" / "dashboards").iterdir()}
    new = {path.name: path.read_text() for path in (tmp_path / "new").iterdir()}
    assert new == kept, "run: wigwag dashboards export deploy/grafana/dashboards"


def test_a_dashboard_hangs_together() -> None:
    """Panels do not overlap, each has its number, and each variable that is used is one."""
    for board in BOARDS:
        made = board.as_json()
        variables = {f"${variable['name']}" for variable in made["templating"]["list"]}
        text = json.dumps(made)
        assert {"$instance", "$account"} <= variables
        assert ("${logs}" in text) is ("$logs" in variables)
        taken = [
            (x, y)
            for panel in made["panels"]
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        ]
        assert len(taken) == len(set(taken))
        assert max(x for x, _ in taken) < 24
        assert [panel["id"] for panel in made["panels"]] == list(range(1, len(made["panels"]) + 1))
    assert len(dict(asked())) > 50

# SPDX-License-Identifier: Apache-2.0
"""Alertmanager understands its configuration, and every alert goes to whom it should."""

import subprocess

import pytest

from tests.deploy.alerting import ROOT

CONFIG = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"


def test_amtool_has_nothing_against_it(amtool: str) -> None:
    checked = subprocess.run([amtool, "check-config", CONFIG], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(("severity", "receiver"), [("critical", "on-call"), ("warning", "team"), ("info", "nobody")])
def test_whom_an_alert_reaches(severity: str, receiver: str, amtool: str) -> None:
    command = [amtool, "config", "routes", "test", f"--config.file={CONFIG}", f"severity={severity}"]
    routed = subprocess.run(command, check=True, capture_output=True, text=True)
    assert routed.stdout.strip() == receiver

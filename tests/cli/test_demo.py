# SPDX-License-Identifier: Apache-2.0
"""The demo as a person runs it: a process of its own, the real client library, the simulator, and Ctrl-C at the end."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import guard
from tests.cli.conftest import Command
from wigwag.cli.demo_world import CAST, CIRCLES

PATIENCE = 90.0  # seconds, as a safety net: the client's keys take time on a busy machine


@pytest.fixture
def demo(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "wigwag", "demo", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()
    if (tmp_path / "wigwag.log").exists():
        guard.read(tmp_path / "wigwag.log")


def _until(process: "subprocess.Popen[str]", words: str) -> str:
    """The first line with these words; what came before is checked to be ours."""
    assert process.stdout
    for line in process.stdout:
        assert "Login event" not in line
        if words in line:
            return line
    raise AssertionError(f"the demo ended without {words!r}: {process.stderr and process.stderr.read()}")


@pytest.mark.slow
def test_the_demo_pairs_tracks_and_stops(demo: "subprocess.Popen[str]", tmp_path: Path, wigwag: Command) -> None:
    found = re.search(r"gateway on (\S+),", _until(demo, "✓ gateway on"))
    assert found
    url = found[1]
    _until(demo, "✓ paired")
    _until(demo, "✓ tracking them and 2 groups")
    _until(demo, ", 0 not observed   40 subscribed")

    contacts = json.loads(wigwag("watch", "--once", "--json", WIGWAG_URL=url).stdout)
    assert {contact["name"] for contact in contacts} == {person.name for person in CAST}
    assert {contact["state"] for contact in contacts} == {"online", "offline"}
    groups = json.loads(wigwag("groups", "--json", WIGWAG_URL=url).stdout)
    assert {(group["name"], group["tracked"]) for group in groups} == {(circle.subject, True) for circle in CIRCLES}
    assert "40 subscriptions" in wigwag("subscriptions", WIGWAG_URL=url).stdout

    told = wigwag("send", CAST[0].phone, "Hello!", "--wait", WIGWAG_URL=url)
    assert (told.exit_code, told.stdout.split()[-1]) == (0, "read")
    _until(demo, "messages sent: 1, read: 1; received: ")
    chat = json.loads(wigwag("messages", "chat", CAST[0].phone, "--json", WIGWAG_URL=url).stdout)["messages"]
    assert {("text", "Hello!"), ("reaction", "👍")} <= {(each["type"], each["text"]) for each in chat}

    demo.send_signal(signal.SIGINT)
    _, complaints = demo.communicate(timeout=PATIENCE)
    assert (demo.returncode, complaints) == (0, "")
    log = (tmp_path / "wigwag.log").read_text()
    assert "Successfully paired" in log
    assert "wigwag.simulator.presence" in log
    assert wigwag("watch", WIGWAG_URL=url).exit_code == 3

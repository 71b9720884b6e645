# SPDX-License-Identifier: Apache-2.0
"""A paired session moves to another machine without a new code, and an old copy of it never runs again."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.processes import Process, free_port, pair, wait, wigwag
from wigwag.adapters.sessions.files import read

pytestmark = pytest.mark.chaos

ACCOUNT, ANNA = "15550001111", "15550100001"


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Process]:
    with wigwag("simulate", log=tmp_path / "simulator.log") as running:
        running.put(f"/sim/contacts/{ANNA}", {"name": "Anna"})
        yield running


def run(*line: str) -> "subprocess.CompletedProcess[str]":
    """A verb that ends by itself."""
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return subprocess.run(
        [sys.executable, "-m", "wigwag", *line],
        env=environment | {"WIGWAG_BACKUP_PASSPHRASE": "correct horse"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def use(gateway: Process, session: Path) -> None:
    """We write to Anna, and so the keys of the session go on."""
    before = read(session).generation
    gateway.post("/api/messages", {"to": ANNA, "text": "hello"})
    wait(lambda: read(session).generation > before, gateway)


def connected(gateway: Process) -> bool:
    return bool(gateway.get("/api/accounts/default")["state"] == "connected")


@pytest.fixture
def backup(simulator: Process, tmp_path: Path) -> Path:
    """Made of a paired gateway while it runs; then the machine is lost."""
    here, file = tmp_path / "here", tmp_path / "wigwag.backup"
    with wigwag(*serve(here, simulator), log=tmp_path / "here.log") as gateway:
        pair(gateway, simulator, ACCOUNT)
        gateway.post("/api/subscriptions", {"contacts": [{"phone": ANNA, "name": "Anna"}], "priority": 1})
        use(gateway, here / "whatsapp.db")
        saved = run("backup", str(file), "--data", str(here))
        assert (saved.returncode, saved.stderr) == (0, "")
        assert connected(gateway)
        assert {path.stat().st_mode & 0o777 for path in here.glob("*.db")} == {0o600}
        gateway.kill()
    return file


def serve(home: Path, simulator: Process) -> tuple[str, ...]:
    return ("serve", "--data", str(home), "--simulator", simulator.url)


def test_a_backup_made_while_it_runs_goes_on_elsewhere_without_a_new_code(
    backup: Path, simulator: Process, tmp_path: Path
) -> None:
    home, log = tmp_path / "there", tmp_path / "there.log"
    restored = run("restore", str(backup), "--data", str(home))
    assert restored.returncode == 0
    assert "no other machine runs it any more" in restored.stderr
    with wigwag(*serve(home, simulator), log=log) as gateway:
        wait(lambda: connected(gateway), gateway)
        assert [each["name"] for each in gateway.get("/api/presence")] == ["Anna"]
        use(gateway, home / "whatsapp.db")
        refused = run("restore", str(backup), "--data", str(home), "--force")
        assert refused.returncode == 4
        assert "Another wigwag" in refused.stderr
    assert "Successfully paired" not in log.read_text()


def test_an_older_session_is_refused_by_hand_and_from_a_backup_until_that_is_accepted(
    backup: Path, simulator: Process, tmp_path: Path
) -> None:
    home, log = tmp_path / "there", tmp_path / "there.log"
    session = home / "whatsapp.db"
    assert run("restore", str(backup), "--data", str(home)).returncode == 0
    old = shutil.copy(session, tmp_path / "old.db")
    with wigwag(*serve(home, simulator), log=log) as gateway:
        wait(lambda: connected(gateway), gateway)
        use(gateway, session)
        assert gateway.stop() == 0
    assert Path(f"{session}-wal").stat().st_size == 0  # so that the file is whole by itself
    shutil.copy(old, session)
    by_hand = run(*serve(home, simulator), "--port", str(free_port()))
    assert by_hand.returncode == 1
    assert "whatsapp.db is an old copy of the session of default" in by_hand.stderr
    assert "wigwag pair default" in by_hand.stderr
    again = ("restore", str(backup), "--data", str(home), "--force")
    refused = run(*again)
    assert refused.returncode == 4
    assert "--accept-ratchet-rollback" in refused.stderr
    assert run(*again, "--accept-ratchet-rollback").returncode == 0
    with wigwag(*serve(home, simulator), log=log) as gateway:
        wait(lambda: connected(gateway), gateway)


def test_a_second_gateway_on_the_same_sessions_is_refused(simulator: Process, tmp_path: Path) -> None:
    line = serve(tmp_path / "data", simulator)
    with wigwag(*line, log=tmp_path / "gateway.log") as gateway:
        refused = run(*line, "--port", str(free_port()))
        assert refused.returncode == 1
        assert refused.stderr.splitlines()[-1].startswith(f"wigwag: Another wigwag (process {gateway.popen.pid}) uses")
        assert gateway.get("/livez")

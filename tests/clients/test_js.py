# SPDX-License-Identifier: Apache-2.0
"""The JavaScript package: its own tests, and its client and the official one against a gateway that runs."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.demo import demo
from tests.servers import unavailable

HERE = Path(__file__).parents[2] / "clients" / "js"
OLDEST_NODE = 20  # for its tests; the package itself takes 18
PATIENCE = 240.0  # seconds, as a safety net: npm installs, and a machine may be busy
SECRET = "a secret that is as long as it has to be"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """The packages of the lock; later runs find them in their folder."""
    node = shutil.which("node") and subprocess.run(["node", "--version"], check=True, capture_output=True, text=True)
    if not (shutil.which("npm") and node and int(node.stdout[1:].partition(".")[0]) >= OLDEST_NODE):
        unavailable(f"The JavaScript package needs npm and Node {OLDEST_NODE} or newer.")
    lock, found = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if found.exists() and found.stat().st_mtime >= lock.stat().st_mtime:
        return
    made = _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    if made.returncode:
        unavailable(f"npm could not install what the JavaScript package needs: {made.stderr[-300:]}")


def test_its_lock_names_no_registry() -> None:
    assert '"resolved"' not in (HERE / "package-lock.json").read_text()


def test_its_own_tests_pass() -> None:
    _passes("npm", "test")


def test_it_can_be_built_and_so_can_the_example(tmp_path: Path) -> None:
    _passes("npm", "run", "build", "--", "--outDir", str(tmp_path / "dist"))
    made = {path.name for path in (tmp_path / "dist").iterdir()}
    assert {"index.js", "index.d.ts", "react.js", "react.d.ts"} <= made
    _passes("node_modules/.bin/esbuild", "example/main.tsx", "--bundle", f"--outfile={tmp_path / 'main.js'}")


@pytest.mark.parametrize(
    ("settings", "asks"),
    [
        ({"WIGWAG_REALTIME_AUTH": "trusted"}, {}),
        ({"WIGWAG_REALTIME_AUTH": "jwt", "WIGWAG_REALTIME_JWT_SECRET": SECRET}, {"TOKEN_SECRET": SECRET}),
    ],
    ids=["trusted", "jwt"],
)
def test_clients_and_a_running_gateway_agree(
    settings: Mapping[str, str], asks: Mapping[str, str], tmp_path: Path
) -> None:
    with demo(tmp_path, settings) as url:
        _passes("npm", "run", "test:gateway", GATEWAY_URL=url, **asks)


def _passes(*command: str, **variables: str) -> None:
    ran = _run(*command, **variables)
    assert ran.returncode == 0, f"{ran.stdout[-6000:]}{ran.stderr[-2000:]}"


def _run(*command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name != "TOKEN_SECRET"} | variables
    return subprocess.run(
        command, check=False, cwd=HERE, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )

# SPDX-License-Identifier: Apache-2.0
"""The pages of console/: their own tests, their size, and how they come into the package."""

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.servers import unavailable
from wigwag.adapters.console import BUILT, Files
from wigwag.adapters.rest.stream.kinds import NAMES

ROOT = Path(__file__).parents[2]
CONSOLE = ROOT / "console"
LARGEST = 180 * 1024  # bytes of script, packed
PATIENCE = 240.0  # seconds, as a safety net: npm installs, and a machine may be busy

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """The console as this tree makes it; later runs find it built."""
    if _run("scripts/console", "must", folder=ROOT).returncode:
        unavailable("The console needs npm and Node 20.19 or newer to be built.")


def test_their_own_tests_pass() -> None:
    ran = _run("npm", "test")
    assert ran.returncode == 0, f"{ran.stdout[-6000:]}{ran.stderr[-2000:]}"


def test_the_script_is_small() -> None:
    packed = [path.stat().st_size for path in BUILT.rglob("*.js.gz")]
    assert 0 < sum(packed) <= LARGEST


def test_nothing_in_them_is_inline_or_from_elsewhere() -> None:
    page = Files().page.bodies[""].decode()
    assert re.findall(r"<script(?![^>]* src=\"/)[^>]*>", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|(?:src|href)=\"(?!/)", page) == []
    sheets = "".join(path.read_text() for path in BUILT.rglob("*.css"))
    assert re.findall(r"@import|url\((?!/)", sheets) == []


def test_a_second_build_of_the_same_is_none() -> None:
    before = (BUILT / "index.html").stat().st_mtime_ns
    assert _run("scripts/console", folder=ROOT).returncode == 0
    assert (BUILT / "index.html").stat().st_mtime_ns == before


def test_they_hear_of_events_that_there_are() -> None:
    source = (CONSOLE / "src" / "live" / "stream.ts").read_text()
    kinds = re.findall(r"'(\w+\.\w+)'", source.partition("KINDS = [")[2].partition("]")[0])
    assert kinds
    assert set(kinds) <= set(NAMES)


def test_a_wheel_brings_them(tmp_path: Path) -> None:
    """Whoever installs the package needs no Node."""
    build = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", f"--wheel-dir={tmp_path}", str(ROOT))
    ran = _run(str(ROOT / ".venv" / "bin" / "python"), *build, folder=ROOT)
    assert ran.returncode == 0, ran.stderr[-3000:]
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    inside = {str(path.relative_to(ROOT / "src")) for path in BUILT.rglob("*") if path.is_file()}
    assert "wigwag/adapters/console/built/index.html" in inside
    assert inside <= set(names)


def test_without_node_the_script_says_so_and_nothing_fails(tmp_path: Path) -> None:
    """In a copy of the tree, which has nothing built."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "console").mkdir()
    (tmp_path / "console" / "package.json").write_text("{}")
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "dirname", "find", "sort", "xargs", "sha256sum", "cat"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    here = {"PATH": str(tmp_path / "bin")}
    ran = _run(str(tmp_path / "scripts" / "console"), folder=tmp_path, **here)
    assert (ran.returncode, "needs npm and Node" in ran.stderr) == (0, True)
    assert _run(str(tmp_path / "scripts" / "console"), "must", folder=tmp_path, **here).returncode == 1


def _run(*command: str, folder: Path = CONSOLE, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )

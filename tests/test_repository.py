# SPDX-License-Identifier: Apache-2.0
"""The repository tells the truth about itself: locks, version, and what the documents point at.

What the code may do is in `test_floors.py`; what it does is tested beside its rooms.
"""

import importlib.metadata
import json
import re
import subprocess
import time
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from starlette.routing import Route
from typer.main import get_command

import wigwag
from tests import lines, servers
from tests.floors import modules
from tests.guard import ACTIONS, actions
from wigwag.adapters.metrics.page import describe
from wigwag.adapters.rest import (
    accounts,
    chats,
    deadletters,
    events,
    findings,
    health,
    keys,
    media,
    messages,
    presence,
    session,
    subscriptions,
    system,
    templates,
    users,
    webhooks,
)
from wigwag.cli import app
from wigwag.simulator import admin
from wigwag.simulator.controls import Controls
from wigwag.simulator.limits import Limits

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-dev.lock"]
PACKAGE_LOCKS = [path for path in ROOT.glob("*/**/package-lock.json") if "node_modules" not in path.parts]
PACKAGES = {"package.json", "package-lock.json"}  # a package of npm has versions of its own
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
OLDEST_PYTHON = "3.11.2"  # Debian 12's

MAKE_VERBS = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
CLI_VERBS = set(vars(get_command(app))["commands"])
SPEAK_OF_VARIABLES = (
    *ROOT.glob("src/wigwag/config/*.py"),
    ROOT / "src/wigwag/cli/client.py",
    ROOT / "tests/servers.py",
)
VARIABLES = "".join(path.read_text() for path in SPEAK_OF_VARIABLES)
VARIABLES += "".join(server.variable for server in servers.KINDS)

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:src|tests|docs|scripts|bench|\.ci)/[\w./-]+)`")
ROUTE = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[\w/{}-]+)")
# Cut in two, or this file would be found.
LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE = re.compile(r"(?<![\w.~])/(root|home|work|Users)/\w")


def written() -> list[Path]:
    """Return every text file that people write here; what tools make is left out."""
    folders = [ROOT / name for name in ("src", "tests", "docs", "scripts", "bench", "clients", "console", ".ci")]
    kinds = {".py", ".md", ".toml", ".yml", ".yaml", ".json", ".html", ".js", ".mjs", ".ts", ".tsx", ".css", ""}
    found = [path for folder in folders for path in folder.rglob("*") if path.suffix in kinds and path.is_file()]
    found = [path for path in found if "node_modules" not in path.parts]
    return [*found, ROOT / "Makefile", ROOT / "pyproject.toml", *ROOT.glob("*.md")]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_pins_with_hashes_and_names_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"://|file:|@ |--index|--find-links|--trusted", text)
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [entry for entry in entries if not re.match(r"[a-z0-9-]+==\S+ \\\n", entry)] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", PACKAGE_LOCKS, ids=lambda path: path.parent.name)
def test_a_package_lock_pins_with_hashes_and_names_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    packages = {name: package for name, package in json.loads(text)["packages"].items() if name}
    assert packages
    assert [name for name, package in packages.items() if "integrity" not in package] == []


def test_no_package_is_pinned_twice_and_none_that_is_asked_for_is_missing() -> None:
    pinned = [name for lock in LOCKS for name in re.findall(r"^([a-z0-9-]+)==", lock.read_text(), re.MULTILINE)]
    asked = [*PROJECT["dependencies"], *(name for more in PROJECT["optional-dependencies"].values() for name in more)]
    assert len(pinned) == len(set(pinned))
    assert {canonicalize_name(Requirement(line).name) for line in asked} <= set(pinned)


def test_every_pinned_package_takes_the_oldest_python_in_use() -> None:
    """A lock made with a newer patch release can hold packages that a fresh Debian refuses."""
    pinned = {name for lock in LOCKS for name in re.findall(r"^([a-z0-9-]+)==", lock.read_text(), re.MULTILINE)}
    refusing = [
        distribution.name
        for distribution in importlib.metadata.distributions()
        if canonicalize_name(distribution.name) in pinned
        and OLDEST_PYTHON not in SpecifierSet(str(distribution.metadata.json.get("requires_python", "")))
    ]
    assert refusing == []


def test_the_version_is_written_in_one_place() -> None:
    """The changelog tells its story, and nothing else repeats it."""
    exempt = {ROOT / "src/wigwag/__init__.py", ROOT / "CHANGELOG.md"}
    repeats = re.compile(rf"(?<![\d.]){re.escape(wigwag.__version__)}(?![\d.])")
    found = [
        str(path.relative_to(ROOT))
        for path in written()
        if path not in exempt and path.name not in PACKAGES and repeats.search(path.read_text())
    ]
    assert found == []
    assert f"## [{wigwag.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("pattern", [LEFTOVER, MACHINE], ids=["marks of unfinished work", "paths of one machine"])
def test_no_file_holds(pattern: re.Pattern[str]) -> None:
    found = [str(path.relative_to(ROOT)) for path in written() if pattern.search(path.read_text())]
    assert found == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_points_at_exists(document: Path) -> None:
    text = document.read_text()
    links = [target.partition("#")[0] for target in LINK.findall(text) if "://" not in target and target[0] != "#"]
    missing = [target for target in links if not (document.parent / target).exists()]
    missing += [path for path in PATH.findall(text) if not (ROOT / path).exists()]
    missing += [f"make {verb}" for verb in re.findall(r"(?:`|\$ )make ([a-z]+)", text) if verb not in MAKE_VERBS]
    missing += [
        f"wigwag {verb}" for verb in re.findall(r"(?:`|\$ |bin/)wigwag ([a-z]+)", text) if verb not in CLI_VERBS
    ]
    missing += [name for name in re.findall(r"\b(?:WIGWAG|WHATSAPP)_[A-Z_]+\b", text) if name not in VARIABLES]
    missing += [f"{verb} {path}" for verb, path in ROUTE.findall(text) if (verb, path) not in routes()]
    assert missing == []


@cache
def routes() -> set[tuple[str, str]]:
    """Every route of the HTTP API and of the simulator's, as (method, path)."""
    rooms = [accounts, chats, deadletters, events, health, keys, media, messages, presence, subscriptions, system]
    rooms += [findings, session, templates, users, webhooks]
    served = [route for room in rooms for route in room.router.routes]
    served += admin.routes(Controls(now=time.time, seed=0, limits=Limits()))
    return {(verb, route.path) for route in served if isinstance(route, Route) for verb in route.methods or ()}


def test_the_alert_rules_in_the_documents_are_rules(promtool: str, tmp_path: Path) -> None:
    blocks = [
        block for path in DOCUMENTS for block in re.findall(r"```yaml\n(groups:.*?)```", path.read_text(), re.DOTALL)
    ]
    assert blocks
    for block in blocks:
        rules = tmp_path / "rules.yml"
        rules.write_text(block)
        checked = subprocess.run([promtool, "check", "rules", rules], check=False, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr


def test_ci_runs_the_command_of_the_readme() -> None:
    assert re.search(r"^make test$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert "make test" in (ROOT / "README.md").read_text()


def test_every_line_of_the_log_has_an_action_and_each_is_explained_in_the_docs() -> None:
    """And none is explained that is never said. Add a row to docs/LOGS.md, or take one away."""
    sources = {name: text for name, text in modules(ROOT / "src" / "wigwag").items() if ".simulator" not in name}
    assert [line for name, source in sources.items() for line in lines.bare(name, source)] == []
    assert {word for source in sources.values() for word in lines.words(source)} == actions().keys()
    table = ACTIONS.read_text()
    assert [word for word in actions() if table.count(f"| `{word}` |") > 1] == []


def test_the_page_of_metrics_is_their_table() -> None:
    """If not, run: python -m wigwag.adapters.metrics > docs/METRICS.md."""
    assert (ROOT / "docs" / "METRICS.md").read_text() == describe()

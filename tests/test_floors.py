# SPDX-License-Identifier: Apache-2.0
"""The house stands on its floors, and the checker that says so is itself tried on planted offences."""

from pathlib import Path

import pytest

from tests import floors

ROOT = Path(__file__).parents[1]
OURS = floors.modules(ROOT / "src" / "wigwag")
TESTS = floors.modules(ROOT / "tests")
CHECKS = [
    pytest.param(floors.misplaced_imports, OURS, id="imports go down only, and a library has one room"),
    pytest.param(floors.impurities, OURS, id="the domain neither waits nor looks at a clock"),
    pytest.param(floors.misshapes, OURS | TESTS, id="modules and functions stay small and say what they are"),
    pytest.param(floors.lazy_tests, TESTS, id="tests use fakes and events, not mocks and sleeps"),
]

SPDX = "# SPDX-License-Identifier: Apache-2.0\n"
LONG_FUNCTION = "def endless():\n" + "    work()\n" * 60


@pytest.mark.parametrize(("check", "sources"), CHECKS)
def test_the_house_keeps_its_rules(check: floors.Check, sources: dict[str, str]) -> None:
    assert sources
    assert [offence for module, source in sources.items() for offence in check(module, source)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("wigwag.domain.presence", "from wigwag.app.ports import Clock"),
        ("wigwag.domain.presence", "from wigwag.config import Settings"),
        ("wigwag.domain.presence", "import asyncio"),
        ("wigwag.domain.presence", "from logging import getLogger"),
        ("wigwag.domain.presence", "import time, random"),
        ("wigwag.domain.presence", "from . import ids"),
        ("wigwag.domain.presence", "def late():\n    import structlog"),
        ("wigwag.app.tracker", "from wigwag.adapters.storage import tables"),
        ("wigwag.app.tracker", "from wigwag import compose"),
        ("wigwag.app.tracker", "from wigwag.logs import log"),
        ("wigwag.app.tracker", "import sqlalchemy as sa"),
        ("wigwag.adapters.rest.routes", "from wigwag.adapters.storage import tables"),
        ("wigwag.adapters.rest.routes", "from wigwag import adapters"),
        ("wigwag.adapters.rest.routes", "from wigwag.app.tracker import Tracker"),
        ("wigwag.adapters.rest.routes", "from wigwag.app import tracker"),
        ("wigwag.adapters.rest.routes", "from wigwag import app"),
        ("wigwag.adapters.rest.routes", "from wigwag.compose import run"),
        ("wigwag.adapters.rest.routes", "import neonize.client"),
        ("wigwag.adapters.rest", "from sqlalchemy.ext.asyncio import create_async_engine"),
        ("wigwag.adapters.metrics", "from wigwag.simulator.server import serve"),
        ("wigwag.compose", "from wigwag.cli import main"),
        ("wigwag.compose", "import fastapi"),
        ("wigwag.cli.watch", "import a_library_nobody_named"),
        ("wigwag.config", "from wigwag.app.ports import Clock"),
        ("wigwag.logs", "import wigwag.adapters.rest"),
        ("wigwag", "import neonize"),
        ("wigwag.simulator.server", "from wigwag.domain.ids import Jid"),
        ("wigwag.simulator.server", "import wigwag"),
    ],
)
def test_a_misplaced_import_is_named(module: str, source: str) -> None:
    offences = list(floors.misplaced_imports(module, source))
    assert offences
    assert all(offence.startswith(module) for offence in offences)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("wigwag.domain.presence", "from collections.abc import Iterator\nfrom wigwag.domain import ids"),
        (
            "wigwag.app.tracker",
            "import asyncio\nfrom wigwag.domain.presence import advance\nfrom wigwag.app import ports",
        ),
        ("wigwag.adapters.rest.routes", "from fastapi import APIRouter\nfrom wigwag.app.gateway import Gateway"),
        (
            "wigwag.adapters.rest.routes",
            "from wigwag.adapters.rest.schemas import Presence\nfrom wigwag.logs import log",
        ),
        ("wigwag.adapters.storage.engine", "import json\nimport sqlalchemy"),
        (
            "wigwag.compose",
            "from wigwag.adapters import rest, storage\nfrom wigwag.simulator import server\nimport uvicorn",
        ),
        ("wigwag.cli.watch", "import rich\nfrom wigwag import __version__"),
        ("wigwag.simulator.server", "import cryptography\nfrom wigwag.simulator import wire"),
    ],
)
def test_an_import_in_its_place_passes(module: str, source: str) -> None:
    assert list(floors.misplaced_imports(module, source)) == []


@pytest.mark.parametrize("source", ["async def f(): ...", "at = datetime.now(UTC)", "day = date.today()"])
def test_the_domain_may_not_wait_or_look_at_a_clock(source: str) -> None:
    assert list(floors.impurities("wigwag.domain.presence", source))
    assert not list(floors.impurities("wigwag.app.tracker", source))


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ('"""Says what it is."""\n', "first line"),
        (SPDX + "x = 1\n", "docstring"),
        (SPDX + '"""Long."""\n' + "\n" * 400, "402 lines"),
        (SPDX + '"""Long inside."""\n' + LONG_FUNCTION, "endless has 61 lines"),
    ],
)
def test_a_module_out_of_shape_is_named(source: str, complaint: str) -> None:
    (offence,) = floors.misshapes("wigwag.somewhere", source)
    assert complaint in offence


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("tests.domain.test_presence", "from unittest.mock import Mock"),
        ("tests.app.test_tracker", "def test_it(monkeypatch): ..."),
        ("tests.app.test_tracker", "import unittest.mock as m\nfrom unittest.mock import patch"),
        ("tests.rest.test_routes", "import time\ntime.sleep(0.1)"),
        ("tests.rest.test_routes", "async def f():\n    await asyncio.sleep(delay=1)"),
    ],
)
def test_a_lazy_test_is_named(module: str, source: str) -> None:
    assert list(floors.lazy_tests(module, source))


def test_letting_others_run_is_no_sleep() -> None:
    assert list(floors.lazy_tests("tests.app.test_tracker", "async def f():\n    await asyncio.sleep(0)")) == []

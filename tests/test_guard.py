# SPDX-License-Identifier: Apache-2.0
"""The guard finds what a test wrote into a log, names the test, and does so in each process of pytest-xdist, too."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import guard

NUMBER = "4915" + "112345678"  # in no source as a whole, but with the beginning of one that a test puts together
CARELESS = """
import logging
from pathlib import Path
from tests import guard
log = logging.getLogger("wigwag.careless")

def test_with_nothing_to_hide():
    log.info("Fine", extra={"action": "gateway.ready"})

def test_whose_gateway_prints_a_number(tmp_path):
    log = tmp_path / "gateway.log"
    log.write_text("Paired +49151123450" + "01")
    guard.read(log)

def test_that_passes_a_number_off_as_something_else():
    log.info("Fine", extra={"action": "gateway.ready", "trace_id": "49151123450" + "01"})

def test_that_makes_up_an_action():
    log.debug("Fine", extra={"action": "gateway.dances"})

def test_that_quotes_a_secret():
    log.info("No: %s", "can" + "ary", extra={"action": "gateway.ready"})
"""
CONFTEST = "from tests.guard import pytest_runtest_makereport, pytest_runtest_setup\n"


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_careless_test_fails_and_is_named(tmp_path: Path, processes: str) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_careless.py").write_text(CARELESS)
    command = [sys.executable, "-m", "pytest", "-q", "-n", processes, "-p", "no:cacheprovider", str(tmp_path)]
    command += ["-c", str(tmp_path / "none.ini"), "--rootdir", str(tmp_path)]
    (tmp_path / "none.ini").write_text(f"[pytest]\npythonpath = {guard.TESTS.parent}\n")
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    told = ran.stdout
    assert ran.returncode == 1, told
    assert "5 passed, 4 errors" in told
    for test, found in (
        ("test_whose_gateway_prints_a_number", "the number"),
        ("test_that_passes_a_number_off_as_something_else", "the number"),
        ("test_that_makes_up_an_action", "the action 'gateway.dances'"),
        ("test_that_quotes_a_secret", f"the words {'can' + 'ary'!r}"),
    ):
        assert f"test_careless.py::{test} wrote into a log:\n  {found}" in told
    assert "test_with_nothing_to_hide wrote" not in told


def test_the_guard_knows_the_numbers_the_secrets_and_the_texts_of_the_tests() -> None:
    known = guard.fixtures()
    assert "919876543210" in known.numbers
    assert "1800000000" not in known.numbers, "the virtual clock is nobody's number"
    assert NUMBER.startswith(known.prefixes)
    assert {"can" + "ary", "a text that belongs to two people"} <= known.words

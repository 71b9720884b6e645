# SPDX-License-Identifier: Apache-2.0
"""Watches over all that the suite writes: no number, secret or text of any test reaches a log, nor an unknown action.

Its hooks are in conftest. Whatever a test logs is formatted as in production and kept; all that a gateway in another
process wrote is read by whoever ran it (`read`). When the test ends, this is searched for every number, secret and text
that stands in the source of any test. So each process of pytest-xdist finds what its own tests wrote. What a verb says
to the person who called it is no log.
"""

import json
import logging
import re
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from wigwag import logs

TESTS = Path(__file__).parent
ACTIONS = TESTS.parent / "docs" / "LOGS.md"
SENTENCE = 12  # letters from which on a text of a corpus is nobody else's
QUOTED = r"""\s*[:=]\s*f?["']([^"'{}\\]{%d,})["']"""
_SECRET = re.compile(r"""(?:secret|password|passphrase|token|api_key)\w*["']?""" + QUOTED % 10, re.IGNORECASE)
_TEXT = re.compile(r"""\b(?:text|text_message|caption)["']?""" + QUOTED % 10, re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])\+?([1-9][0-9]{9,14})(?![\w.])")
_PREFIX = re.compile(r"(?<![\w.])\+?([1-9][0-9]{6,13})\{")  # a number that a test puts together
_DIGITS = re.compile(r"[0-9]{7,}")
_KNOWN = re.compile(r"\b(?:trace_id|traceparent)\W{1,5}[0-9a-f-]{32,55}")
_INSTANTS = re.compile(r"1[78]0{4,}[0-9]*")  # of the virtual clock
_COMMON = {"wigwag", "application/json", "sha256", "invalid_token", "unauthenticated", "hmac-mismatch"}  # no secrets


class Fixtures(NamedTuple):
    """What must not be written anywhere."""

    numbers: frozenset[str]
    prefixes: tuple[str, ...]
    words: frozenset[str]


@cache
def fixtures() -> Fixtures:
    """Every number, secret and text in the source of the tests."""
    source = "\n".join(path.read_text() for path in TESTS.rglob("*.py") if "node_modules" not in path.parts)
    numbers = {found for found in _NUMBER.findall(source) if not _INSTANTS.fullmatch(found)}
    words = {*_SECRET.findall(source), *_TEXT.findall(source), "canary"} - _COMMON
    said = [line for corpus in (TESTS / "corpus").glob("*.txt") for line in corpus.read_text().splitlines()]
    words |= {line for line in said if len(line) >= SENTENCE and not line.startswith("#")}
    return Fixtures(frozenset(numbers), tuple(set(_PREFIX.findall(source))), frozenset(words))


@cache
def actions() -> dict[str, frozenset[str]]:
    """The words of docs/LOGS.md, and at which levels they are said."""
    rows = re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| ([a-z, ]+) \|", ACTIONS.read_text(), re.MULTILINE)
    return {word: frozenset(levels.split(", ")) for word, levels in rows}


def leaks(written: str) -> Iterator[str]:
    """Each number, secret and text of a test in what was written."""
    known = fixtures()
    for digits in set(_DIGITS.findall(_KNOWN.sub("", written))):
        if digits in known.numbers or digits.startswith(known.prefixes):
            yield f"the number {digits}"
    yield from (f"the words {word!r}" for word in known.words if word in written)


def undocumented(line: str) -> Iterator[str]:
    """An action, in a line of wigwag in production, that docs/LOGS.md does not have, or not at its level."""
    said = json.loads(line)
    if not said["logger"].startswith("wigwag") or "simulator" in said["logger"]:
        return
    if said["level"] not in actions().get(said.get("action", ""), ()):
        yield f"the action {said.get('action')!r} at the level {said['level']} of {said['logger']}: {said['event']!r}"


class Guard(logging.Handler):
    """Keeps all that is logged in this process until it was searched."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.formatter(production=True))
        self.lines: list[str] = []
        self.read = ""  # from other processes

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def search(self) -> list[str]:
        """What is wrong with all that was written since the last search."""
        lines, read = self.lines, self.read
        self.lines, self.read = [], ""
        found = {*leaks("\n".join([*lines, read]))}
        found |= {wrong for line in lines for wrong in undocumented(line)}
        found |= {wrong for line in read.splitlines() if line.startswith('{"') for wrong in undocumented(line)}
        return sorted(found)


guard = Guard()


def read(log: Path) -> None:
    """Have all searched that a gateway in another process wrote."""
    guard.read += log.read_text(errors="replace")


def pytest_runtest_setup() -> None:
    """Hear everything, also what is said in detail; whoever set up logging anew has sent us away."""
    logging.getLogger("wigwag").setLevel(logging.DEBUG)
    if guard not in logging.getLogger().handlers:
        logging.getLogger().addHandler(guard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that wrote what nobody may read has failed."""
    report = yield
    if call.when == "teardown":
        found = guard.search()
        if found and report.passed:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} wrote into a log:\n" + "\n".join(f"  {each}" for each in found)
    return report

# SPDX-License-Identifier: Apache-2.0
"""What the guides tell an operator to type exists: verbs, their sub-verbs, and their options."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from tests.deploy.alerting import ROOT
from wigwag.cli import app

GUIDES = [ROOT / "docs" / name for name in ("OPERATIONS.md", "RUNBOOKS.md")]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_every_command_in_a_guide_is_one(guide: Path) -> None:
    typed = re.findall(r"(?:`|\$ )wigwag ([^`\n]+)", guide.read_text())
    assert typed
    assert [line for line in typed if not understood(line)] == []


def test_a_command_that_is_none_is_noticed() -> None:
    assert not understood("messages list")
    assert not understood("messages --stat failed")


def understood(line: str) -> bool:
    """Whether verbs and options of a line are there; words in capitals stand for values."""
    command = get_command(app)
    for word in line.split("#", maxsplit=1)[0].split():
        if word.startswith("--"):
            if word not in {name for parameter in command.params for name in parameter.opts}:
                return False
        elif "commands" in vars(command) and not word.isupper():
            if word not in vars(command)["commands"]:
                return takes_value(command, line, word)
            command = vars(command)["commands"][word]
    return True


def takes_value(command: object, line: str, word: str) -> bool:
    """Whether the word is what an option before it was given."""
    before = line.split()[line.split().index(word) - 1]
    return before.startswith("--")

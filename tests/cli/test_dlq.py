# SPDX-License-Identifier: Apache-2.0
"""`wigwag dlq`: what an operator sees of dead letters, and does about them."""

import json
from collections.abc import Sequence

import pytest

from tests.cli.conftest import Command, House
from tests.letters import LETTER, Letters


@pytest.fixture
def letters(house: House) -> Letters:
    letters = Letters()
    house.trial.core.gateway.attach(letters)
    return letters


def test_letters_are_listed_without_what_they_say(house: House, letters: Letters, wigwag: Command) -> None:
    _heads, row = wigwag("dlq", "list", WIGWAG_URL=house.url).stdout.splitlines()
    assert row.split()[0] == "a"
    assert "text_too_long" in row
    assert "hi" not in row.split()
    assert json.loads(wigwag("dlq", "list", "--json", "--reason", "x", WIGWAG_URL=house.url).stdout)[0]["id"] == "a"
    assert letters.asked[-1] == ("list", 100, "x")
    letters.kept = []
    assert wigwag("dlq", "list", WIGWAG_URL=house.url).stdout == "There are no dead letters.\n"


def test_one_letter_is_shown_whole(house: House, letters: Letters, wigwag: Command) -> None:
    shown = wigwag("dlq", "show", "a", WIGWAG_URL=house.url).stdout
    assert shown.splitlines()[-1] == LETTER.body.decode()
    assert wigwag("dlq", "show", "b", WIGWAG_URL=house.url).exit_code == 4


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        (["replay", "a"], [("replay", "a")]),
        (["replay", "--all"], [("replay_all", None)]),
        (["replay", "--reason", "x"], [("replay_all", "x")]),
        (["drop", "a", "a"], [("drop", "a"), ("drop", "a")]),
        (["drop", "--all"], [("drop_all", None)]),
        (["drop", "--reason", "x"], [("drop_all", "x")]),
    ],
)
def test_letters_are_replayed_and_dropped(
    line: Sequence[str], asked: list[tuple[str, str]], house: House, letters: Letters, wigwag: Command
) -> None:
    result = wigwag("dlq", *line, WIGWAG_URL=house.url)
    assert (result.exit_code, letters.asked) == (0, asked)
    assert f"{len(asked)} dead letter" in result.stdout


@pytest.mark.parametrize("line", [["drop"], ["replay", "a", "--all"], ["drop", "--all", "--reason", "x"]])
def test_nothing_is_done_to_letters_that_nobody_named(
    line: Sequence[str], house: House, letters: Letters, wigwag: Command
) -> None:
    assert wigwag("dlq", *line, WIGWAG_URL=house.url).exit_code == 2
    assert letters.asked == []


def test_without_a_broker_it_is_said_so(house: House, wigwag: Command) -> None:
    result = wigwag("dlq", "list", WIGWAG_URL=house.url)
    assert (result.exit_code, "RABBITMQ_URL" in result.stderr) == (4, True)

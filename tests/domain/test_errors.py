# SPDX-License-Identifier: Apache-2.0
"""Errors: each has its own code, says a sentence, and stands in the tree that the module's docstring draws."""

import inspect
import re

import pytest

from wigwag.domain import errors
from wigwag.domain.errors import GatewayError


def _tree(root: type[GatewayError]) -> list[type[GatewayError]]:
    return [root, *(error for child in root.__subclasses__() for error in _tree(child))]


ERRORS = [error for error in _tree(GatewayError) if error.__module__ == errors.__name__]
RETRYABLE = {"not_linked", "unavailable", "store_unavailable", "broker_unavailable"} | {
    "roster_unavailable",
    "fenced",
    "roster_lost",
    "missed",
}


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_its_own_code_and_sentence(error: type[GatewayError]) -> None:
    assert "code" in vars(error)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
    assert error.__doc__
    assert re.fullmatch(r"[A-Z].*\.", error.__doc__)
    assert str(error()) == error.__doc__
    assert str(error("Do that instead.")) == "Do that instead."


@pytest.mark.parametrize("error", ERRORS)
def test_only_what_passes_by_itself_is_worth_another_try(error: type[GatewayError]) -> None:
    assert error.retryable is (error.code in RETRYABLE)


def test_no_two_errors_share_a_code() -> None:
    assert len({error.code for error in ERRORS}) == len(ERRORS)


def test_everything_that_can_be_raised_is_in_the_tree() -> None:
    raisable = {kind for _name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)}
    assert raisable == set(ERRORS)


def test_the_docstring_draws_the_whole_tree() -> None:
    assert errors.__doc__
    drawing = errors.__doc__.partition("GatewayError\n")[2].partition("\n\n")[0]
    drawn = {word: star == "*" for word, star in re.findall(r"([A-Z]\w+)(\*?)", drawing)}
    assert drawn.keys() == {error.__name__ for error in ERRORS} - {"GatewayError"}
    assert all(error.retryable for error in ERRORS if drawn.get(error.__name__))

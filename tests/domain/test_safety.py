# SPDX-License-Identifier: Apache-2.0
"""Content checks: every payload of the corpus is refused with its kind, and not one honest line is."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain import safety
from wigwag.domain.safety import attack

CORPUS = Path(__file__).parents[1] / "corpus"
MARKS = {r"\0": "\0", r"\t": "\t", r"\n": "\n"}
LONGEST = 4096

# What the patterns look for, cut to pieces: repeated and joined, it drives each of them as far as it can go.
PIECES = [
    *(
        "'",
        '"',
        "`",
        "' or ",
        "' or '",
        "or 1",
        "1=",
        " ",
        "\t",
        ")",
        "(",
        "') ",
        "--",
        "#",
        "/*",
        "*/",
        "/**/",
        ";",
        "; ",
    ),
    *(
        "'; select ",
        "select ",
        "from ",
        "union ",
        "union(",
        "all ",
        "drop table",
        "<",
        "<script",
        "<script>",
        "<img ",
        ">",
    ),
    *(
        " on",
        " onload",
        "onerror =",
        "javascript:",
        "j a v a",
        "=javascript:",
        "data:",
        "&#",
        "&lt;",
        "%3c",
        "%25",
        "\\x",
    ),
    *("{{", "constructor", "style=", "expression", "alert(", "a", "0", ".", ",", "é", "\0", "\uff1c", "']", "'-alert("),
]


def honest_lines() -> list[str]:
    lines = (CORPUS / "honest.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("## ")]


@cache
def payloads() -> tuple[tuple[str, str], ...]:
    """Return (kind, payload) of each line below a heading."""
    kind, found = "", []
    for line in (CORPUS / "attacks.txt").read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            kind = heading[1]
        elif line and kind:
            for mark, character in MARKS.items():
                line = line.replace(mark, character)  # noqa: PLW2901 - each mark in turn
            found.append((kind, line))
    return tuple(found)


def test_the_corpus_is_as_large_as_was_promised() -> None:
    assert len(set(honest_lines())) == len(honest_lines()) >= 550
    assert len(set(payloads())) == len(payloads()) >= 150


def test_no_honest_line_is_refused() -> None:
    assert [line for line in honest_lines() if attack(line)] == []


@pytest.mark.parametrize(("kind", "payload"), payloads())
def test_an_attack_is_refused_with_its_kind(kind: str, payload: str) -> None:
    assert attack(payload) == kind


@given(first=st.sampled_from(honest_lines()), second=st.sampled_from(honest_lines()))
def test_an_honest_line_stays_honest_with_white_space_around_it(first: str, second: str) -> None:
    assert attack(f"\n  {first}\r\n\t") is None
    assert attack(second.replace(" ", "\u00a0")) is None


@given(
    payload=st.sampled_from(payloads()), upper=st.booleans(), spaces=st.sampled_from(["  ", "\t", "\r\n", "\u2003 "])
)
def test_letter_case_and_white_space_hide_nothing(payload: tuple[str, str], upper: bool, spaces: str) -> None:
    kind, text = payload
    loud = text.replace(r"\x", r"\X").upper() if upper else text.lower()
    assert attack(loud.replace(" ", spaces)) == kind


def plain_payloads() -> list[tuple[str, str]]:
    return [(kind, text) for kind, text in payloads() if text.isascii() and not re.search(r"[%&+\\]", text)]


@given(payload=st.sampled_from(plain_payloads()), rounds=st.integers(1, 2))
def test_percent_encoding_hides_nothing(payload: tuple[str, str], rounds: int) -> None:
    kind, text = payload
    for _ in range(rounds):
        text = "".join(character if character.isalnum() else f"%{ord(character):02X}" for character in text)
    assert attack(text) == kind


@given(payload=st.sampled_from(plain_payloads()), form=st.sampled_from(["&#{};", "&#x{:x};", "&#{:07}"]))
def test_entities_hide_nothing(payload: tuple[str, str], form: str) -> None:
    kind, text = payload
    assert attack("".join(form.format(ord(character)) for character in text)) == kind


@given(payload=st.sampled_from(payloads()), where=st.data())
def test_invisible_characters_hide_nothing(payload: tuple[str, str], where: st.DataObject) -> None:
    kind, text = payload
    at = where.draw(st.integers(0, len(text)))
    assert attack(f"{text[:at]}\u200b{text[at:]}") == kind


@given(st.text(st.characters(categories=["L", "N"], include_characters=" .,!?"), max_size=200))
def test_words_without_quotes_or_brackets_always_pass(text: str) -> None:
    assert attack(f"Dear reader {text}") is None


@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text: str) -> None:
    assert attack(text) in {None, "sql", "xss"}


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4))
def test_the_longest_texts_made_to_be_slow_get_an_answer(pieces: list[str]) -> None:
    """A pattern that goes back and forth would never come to the end of these."""
    text = "".join(pieces)
    assert attack((text * LONGEST)[:LONGEST]) in {None, "sql", "xss"}


def patterns() -> list[re.Pattern[str]]:
    named = [value for value in vars(safety).values() if isinstance(value, re.Pattern)]
    return [*named, *safety._XSS, *safety._TAUTOLOGY]


def loops(parsed: object, depth: int = 0) -> Iterator[tuple[int, int]]:
    """Yield (depth, most) of each loop in what `re` made of a pattern; one that runs at most 9 times is none."""
    for operation, argument in parsed:  # type: ignore[attr-defined]
        if str(operation) in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            _, most, inside = argument
            deeper = depth + (int(most) > 9)
            if int(most) > 9:
                yield deeper, int(most)
            yield from loops(inside, deeper)
        elif str(operation) == "BRANCH":
            for branch in argument[1]:
                yield from loops(branch, depth)
        elif str(operation) == "SUBPATTERN":
            yield from loops(argument[-1], depth)
        elif str(operation) in {"ASSERT", "ASSERT_NOT"}:
            yield from loops(argument[1], depth)


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.pattern[:40])
def test_no_loop_of_a_pattern_stands_in_another(pattern: re.Pattern[str]) -> None:
    """Nested loops are what makes matching exponential."""
    parsed = import_module("re._parser").parse(pattern.pattern)
    assert [depth for depth, _ in loops(parsed) if depth > 1] == []

# SPDX-License-Identifier: Apache-2.0
"""Texts from outside: whatever people call themselves, every store can hold what is kept of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.texts import LONGEST, kept_text

ANY_TEXT = st.text(st.characters(exclude_categories=[]) | st.sampled_from("\0\ud83d\udc4b\n👋"), max_size=300)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("John Doe", "John Doe"),
        ("Zoë 👋🏽 محمد", "Zoë 👋🏽 محمد"),
        ("two\nlines\t", "two\nlines\t"),
        ("nul\0nul", "nul?nul"),
        ("half \ud83d an emoji", "half ? an emoji"),
        ("x" * 256, "x" * 255),
        ("👋" * 256, "👋" * 255),
    ],
)
def test_a_text_is_kept_as_it_is_but_for_what_no_store_can_hold(text: str, kept: str) -> None:
    assert kept_text(text) == kept


@given(ANY_TEXT)
def test_a_kept_text_is_short_storable_and_stays_the_same(text: str) -> None:
    kept = kept_text(text)
    assert len(kept) <= LONGEST
    assert "\0" not in kept
    assert kept.encode().decode() == kept
    assert kept_text(kept) == kept

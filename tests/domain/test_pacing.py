# SPDX-License-Identifier: Apache-2.0
"""Pace and backoff: the figures of the seed, and settings that would hurt are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.errors import InvalidSettings
from wigwag.domain.pacing import PRESETS, Pace, backoff


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (100, 60), (10_000, 60)]
)
def test_backoff_doubles_up_to_an_hour(attempts: int, minutes: int) -> None:
    assert backoff(attempts) == minutes * 60.0


@pytest.mark.parametrize(
    ("preset", "batch", "gap", "rest", "per_minute"),
    [
        ("small", 30, 0.2, 3.0, 200),
        ("medium", 20, 0.2, 5.0, 133),
        ("large", 15, 0.2, 8.0, 82),
        ("careful", 10, 0.2, 10.0, 50),
    ],
)
def test_the_presets_are_those_of_the_seed(preset: str, batch: int, gap: float, rest: float, per_minute: int) -> None:
    pace = PRESETS[preset]
    assert pace == Pace(batch=batch, gap=gap, rest=rest)
    assert round(pace.per_minute) == per_minute


def test_there_are_four_presets_and_medium_is_the_default() -> None:
    assert list(PRESETS) == ["small", "medium", "large", "careful"]
    assert PRESETS["medium"] == Pace()


@pytest.mark.parametrize(("batch", "gap", "rest"), [(1, 0.0, 0.0), (1000, 60.0, 3600.0), (20, 0.0, 5.0)])
def test_the_bounds_themselves_are_allowed(batch: int, gap: float, rest: float) -> None:
    assert Pace(batch=batch, gap=gap, rest=rest).per_minute > 0


def test_no_delay_at_all_is_an_endless_pace() -> None:
    assert Pace(gap=0.0, rest=0.0).per_minute == float("inf")


@pytest.mark.parametrize(
    ("batch", "gap", "rest", "advice"),
    [
        (0, 0.2, 5.0, "batch size"),
        (-1, 0.2, 5.0, "batch size"),
        (1001, 0.2, 5.0, "batch size"),
        (20, -0.1, 5.0, "delay"),
        (20, 60.1, 5.0, "delay"),
        (20, 0.2, -1.0, "delay"),
        (20, 0.2, 3600.1, "delay"),
        (20, float("nan"), 5.0, "delay"),
        (20, 0.2, float("nan"), "delay"),
        (20, float("inf"), 5.0, "delay"),
    ],
)
def test_a_pace_out_of_bounds_is_refused(batch: int, gap: float, rest: float, advice: str) -> None:
    with pytest.raises(InvalidSettings, match=advice):
        Pace(batch=batch, gap=gap, rest=rest)


@given(st.integers(1, 10_000))
def test_backoff_never_shrinks(attempts: int) -> None:
    assert 120.0 <= backoff(attempts) <= backoff(attempts + 1) <= 3600.0

# SPDX-License-Identifier: Apache-2.0
"""The plan's pace: the timeline of the seed, never a burst, and upcoming batches."""

from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.driving import EXACT, HOUR, MINUTE, drive, in_order, person, plan_of
from wigwag.domain.pacing import PRESETS, Pace


@pytest.mark.parametrize(
    ("preset", "begins", "ends"),
    [
        ("small", [0, 9, 18, 27], 20 - 0.2 + 9),
        ("medium", [0, 9, 18, 27, 36], 39.8),
        ("large", [0, 11, 22, 33, 44, 55, 66], 68 - 0.2),
        ("careful", [0, 12, 24, 36, 48, 60, 72, 84, 96, 108], 109.8),
    ],
)
def test_the_timeline_of_100_contacts(preset: str, begins: list[float], ends: float) -> None:
    pace = PRESETS[preset]
    plan = plan_of(100, pace)
    plan.link_up(0.0)
    taken = drive(plan, 0.0, HOUR)
    assert [at for at, _jid in taken[:: pace.batch]] == pytest.approx(begins)
    assert taken[-1][0] == pytest.approx(ends)
    assert [jid for _at, jid in taken] == in_order(plan)
    assert all(plan.get(one).priority <= plan.get(other).priority for (_, one), (_, other) in pairwise(taken))  # type: ignore[union-attr]


def test_at_the_defaults_a_minute_holds_140_subscribes_at_most() -> None:
    plan = plan_of(1000)
    plan.link_up(0.0)
    times = [at for at, _jid in drive(plan, 0.0, HOUR)]
    assert len(times) == 1000
    assert max(_in_a_minute(times)) == 140


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["cut", "oversleep", "work"]), st.floats(0.0, 30.0)), min_size=1, max_size=40)
)
def test_no_flapping_link_and_no_late_caller_gets_more_into_a_minute(steps: list[tuple[str, float]]) -> None:
    plan, now, times = plan_of(300), 1.7e9, []
    plan.link_up(now)
    for step, seconds in steps:
        if step == "cut":
            plan.link_down()
            plan.link_up(now)
        elif step == "oversleep":
            now += seconds
        until = now + seconds
        times += [at for at, _jid in drive(plan, now, until)]
        now = until
    assert max(_in_a_minute(times), default=0) <= 140
    assert all(later - sooner >= 0.2 - 1e-6 for sooner, later in pairwise(times))


def _in_a_minute(times: list[float]) -> list[int]:
    """How many of some instants lie in the minute that begins with each."""
    return [bisect_left(times, at + MINUTE - 1e-6) - n for n, at in enumerate(times)]


@pytest.mark.parametrize("late", [0.01, 0.25, 1.0, 4.75, 5.0, 100.0])
def test_who_oversleeps_does_not_catch_up(late: float) -> None:
    plan = plan_of(100, EXACT)
    plan.link_up(0.0)
    first = drive(plan, 0.0, 1.0)
    taken = drive(plan, 1.25 + late, HOUR)
    assert taken[0][0] == 1.25 + late
    gaps = [later - sooner for (sooner, _), (later, _) in pairwise(taken)]
    assert min(gaps) == pytest.approx(EXACT.gap)
    left_of_batch = 20 if late >= EXACT.rest else 20 - len(first)
    rests = [n for n, gap in enumerate(gaps, 1) if gap > EXACT.gap + 1.0]
    assert rests[0] == left_of_batch


@pytest.mark.parametrize(("idle", "batch"), [(0.25, 15), (5.0, 15), (5.25, 20), (3600.0, 20)])
def test_a_queue_that_ran_dry_for_a_rest_begins_a_new_batch(idle: float, batch: int) -> None:
    plan = plan_of(5, EXACT)
    plan.link_up(0.0)
    last = drive(plan, 0.0, HOUR)[-1][0]
    for n in range(100, 140):
        plan.want(person(n), 1)
    upcoming = plan.upcoming(last + idle)
    taken = drive(plan, last + idle, last + idle + 20.0)
    assert upcoming == ([person(n) for n in range(100, 120)] if batch == 20 else [person(100)])
    assert [at for at, _jid in taken][:batch][-1] == last + idle + (batch - 1) * EXACT.gap
    assert taken[batch][0] - taken[batch - 1][0] == EXACT.gap + EXACT.rest


def test_a_new_pace_holds_from_the_next_subscribe() -> None:
    plan = plan_of(100, EXACT)
    plan.link_up(0.0)
    assert len(drive(plan, 0.0, 2.25)) == 10
    plan.pace = Pace(batch=5, gap=1.0, rest=10.0)
    assert [at for at, _jid in drive(plan, 2.25, 20.0)] == [13.25, 14.25, 15.25, 16.25, 17.25]


def test_upcoming_names_the_batch_that_begins_now() -> None:
    plan = plan_of(100, EXACT)
    assert plan.upcoming(0.0) == []
    plan.link_up(0.0)
    order = in_order(plan)
    assert plan.upcoming(0.0) == order[:20]
    drive(plan, 0.0, 2.0)
    assert plan.upcoming(2.25) == []
    drive(plan, 2.25, 5.0)
    assert plan.upcoming(9.75) == []
    assert plan.upcoming(10.0) == order[20:40]

# SPDX-License-Identifier: Apache-2.0
"""An account's pace over whole days: never too much in any window, and never in the quiet hours."""

from datetime import UTC, datetime, time, tzinfo
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.errors import InvalidSettings
from wigwag.domain.throttle import COLD_PAUSE, DAY, Quiet, Rate, Throttle, quiet_hours

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0
DUST = 1e-4  # seconds; sums of floats of this size are not exact
BERLIN, KOLKATA, SYDNEY = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Sydney")

RATES = st.builds(
    Rate,
    per_minute=st.floats(0.1, 600),
    burst=st.integers(1, 40),
    jitter=st.floats(0, 1),
)


def went(rate: Rate, since: float, seconds: float, seed: int, most: int = 400) -> list[float]:
    """When messages go, if there are always more; now and then nobody writes for a while."""
    random, throttle, now, taken = Random(seed), Throttle(rate), since, list[float]()
    while len(taken) < most:
        now = throttle.free_at(now)
        if now > since + seconds:
            break
        throttle.take(now, random.random())
        taken.append(now)
        now += random.choice([0.0, 0.0, 0.0, 0.0, rate.gap, 20 * rate.gap]) * random.random()
    return taken


@given(RATES, st.integers())
def test_no_window_of_a_day_has_more_than_the_burst_and_its_share(rate: Rate, seed: int) -> None:
    """Checked for the window between each two messages, which are the tightest ones."""
    taken = went(rate, NOON, DAY, seed)
    for first in range(0, len(taken), 7):
        for last in range(first, len(taken)):
            span = taken[last] - taken[first]
            assert last - first + 1 <= rate.burst + (span + DUST) / rate.gap


@given(RATES)
def test_after_a_rest_the_whole_burst_goes_and_then_one_at_a_time(rate: Rate) -> None:
    """Without jitter."""
    throttle, now = Throttle(rate), NOON
    for _ in range(rate.burst):
        assert throttle.free_at(now) <= now + DUST
        throttle.take(now, 0.0)
    assert throttle.free_at(now) == pytest.approx(now + rate.gap)


@given(RATES, st.floats(0, 1))
def test_jitter_delays_the_next_by_its_part_of_the_gap_at_most(rate: Rate, chance: float) -> None:
    throttle = Throttle(rate)
    throttle.take(NOON, chance)
    delay = throttle.free_at(NOON) - NOON
    earliest = rate.gap if rate.burst == 1 else 0.0
    assert delay == pytest.approx(max(earliest, rate.gap * rate.jitter * chance), abs=1e-6)
    assert delay <= rate.gap + 1e-6


@given(RATES, st.integers(0, 200))
def test_over_long_the_pace_is_the_rate(rate: Rate, seed: int) -> None:
    """It is not slower than the rate either, whatever the jitter."""
    random, throttle, now = Random(seed), Throttle(rate), NOON
    for _ in range(300):
        now = throttle.free_at(now)
        throttle.take(now, random.random())
    assert now - NOON <= (300 - rate.burst) * rate.gap * 1.01 + rate.burst * rate.gap * rate.jitter


def test_without_a_limit_everything_goes_at_once() -> None:
    assert went(Rate(per_minute=0.0), NOON, 0.0, seed=1, most=300) == [NOON] * 300


# --- quiet hours


@pytest.mark.parametrize(
    ("hours", "zone", "now", "until"),
    [
        ("22:00-07:30", UTC, "2026-06-01T21:59:59", None),
        ("22:00-07:30", UTC, "2026-06-01T22:00:00", "2026-06-02T07:30:00"),
        ("22:00-07:30", UTC, "2026-06-01T23:59:59", "2026-06-02T07:30:00"),
        ("22:00-07:30", UTC, "2026-06-02T00:00:00", "2026-06-02T07:30:00"),
        ("22:00-07:30", UTC, "2026-06-02T07:29:59", "2026-06-02T07:30:00"),
        ("22:00-07:30", UTC, "2026-06-02T07:30:00", None),
        ("12:00-14:00", UTC, "2026-06-01T13:00:00", "2026-06-01T14:00:00"),
        ("12:00-14:00", UTC, "2026-06-01T11:59:59", None),
        ("12:00-14:00", UTC, "2026-06-01T14:00:00", None),
        ("00:00-06:00", UTC, "2026-06-01T00:00:00", "2026-06-01T06:00:00"),
        ("22:00-00:00", UTC, "2026-06-01T23:00:00", "2026-06-02T00:00:00"),
        ("22:00-07:00", KOLKATA, "2026-06-01T17:00:00", "2026-06-02T01:30:00"),
        # Berlin changes its clocks on 2026-03-29 at 01:00 UTC and on 2026-10-25 at 01:00 UTC.
        ("22:00-07:00", BERLIN, "2026-03-28T22:00:00", "2026-03-29T05:00:00"),
        ("22:00-07:00", BERLIN, "2026-10-24T21:00:00", "2026-10-25T06:00:00"),
        ("22:00-02:30", BERLIN, "2026-10-25T00:10:00", "2026-10-25T00:30:00"),  # the first 02:10
        ("22:00-02:30", BERLIN, "2026-10-25T01:10:00", "2026-10-25T01:30:00"),  # the second 02:10
        ("22:00-02:30", BERLIN, "2026-10-25T00:40:00", None),
    ],
)
def test_quiet_hours_end(hours: str, zone: tzinfo, now: str, until: str | None) -> None:
    """Instants in the table are UTC."""
    instant, expected = (datetime.fromisoformat(f"{text}+00:00").timestamp() for text in (now, until or now))
    quiet = quiet_hours(hours, zone)
    assert quiet is not None
    assert quiet.until(instant) == expected


MOMENTS = st.times().map(lambda found: found.replace(second=0, microsecond=0))
ZONES = st.sampled_from([UTC, BERLIN, KOLKATA, SYDNEY])


def is_quiet(quiet: Quiet, now: float) -> bool:
    clock = datetime.fromtimestamp(now, quiet.zone).time()
    if quiet.start < quiet.end:
        return quiet.start <= clock < quiet.end
    return clock >= quiet.start or clock < quiet.end


@given(MOMENTS, MOMENTS, ZONES, st.integers(int(NOON), int(NOON + 366 * DAY)))
def test_whoever_waits_for_the_end_of_the_quiet_waits_through_quiet_alone(
    start: time, end: time, zone: tzinfo, now: int
) -> None:
    """But for the hour that a change of clocks leaves out or repeats: there it may be an hour too much, never less."""
    if start == end:
        return
    quiet = Quiet(start=start, end=end, zone=zone)
    until = quiet.until(now)
    assert until >= now
    assert not is_quiet(quiet, until)
    if not is_quiet(quiet, now):
        assert until == now
    assert all(is_quiet(quiet, instant) for instant in range(now, int(until - HOUR), 60) if until > now)
    assert until - now <= DAY + HOUR


@given(RATES, MOMENTS, MOMENTS, ZONES, st.integers())
def test_nothing_goes_in_the_quiet_hours(rate: Rate, start: time, end: time, zone: tzinfo, seed: int) -> None:
    if start == end:
        return
    quiet = Quiet(start=start, end=end, zone=zone)
    slow = Rate(per_minute=rate.per_minute / 30, burst=rate.burst, jitter=rate.jitter, quiet=quiet)
    assert not [at for at in went(slow, NOON, 3 * DAY, seed) if is_quiet(quiet, at)]


def test_what_went_never_went_back_in_time() -> None:
    taken = went(Rate(quiet=quiet_hours("22:00-07:30", UTC)), NOON, DAY, seed=5)
    assert all(first <= second for first, second in pairwise(taken))


@pytest.mark.parametrize(
    "text", ["22-7", "22:00", "24:00-07:00", "22:60-07:00", "22:00-22:00", "22:00 - 07:00", "٢٢:00-07:00", "a"]
)
def test_quiet_hours_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(InvalidSettings):
        quiet_hours(text, UTC)


def test_no_quiet_hours_are_none() -> None:
    assert quiet_hours("", UTC) is None


@pytest.mark.parametrize(
    ("fits", "breaks"),
    [
        ({"per_minute": 0.0}, {"per_minute": -0.1}),
        ({"per_minute": 100_000.0}, {"per_minute": 100_001.0}),
        ({"burst": 1}, {"burst": 0}),
        ({"burst": 10_000}, {"burst": 10_001}),
        ({"jitter": 0.0}, {"jitter": -0.1}),
        ({"jitter": 1.0}, {"jitter": 1.1}),
        ({}, {"per_minute": float("nan")}),
    ],
)
def test_a_rate_has_limits(fits: dict[str, float], breaks: dict[str, float]) -> None:
    Rate(**fits)  # type: ignore[arg-type]  # a table of different types
    with pytest.raises(InvalidSettings):
        Rate(**breaks)  # type: ignore[arg-type]


# --- strangers


def test_a_refusal_pauses_strangers_for_a_day_and_nobody_else() -> None:
    throttle = Throttle(Rate())
    throttle.refuse_strangers(NOON)
    assert throttle.cold_until == NOON + COLD_PAUSE == NOON + DAY
    assert throttle.free_at(NOON) == NOON


def test_the_pause_is_given_back_after_a_restart() -> None:
    assert Throttle(Rate(), cold_until=NOON + 5.0).cold_until == NOON + 5.0

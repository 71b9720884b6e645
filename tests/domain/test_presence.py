# SPDX-License-Identifier: Apache-2.0
"""Presence rules: what a signal does to a status, what counts as a change, and what last seen may claim."""

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.presence import AFTER, HIDDEN, Signal, Status, counts, last_seen_after

U, OFF, ON = Status.UNKNOWN, Status.OFFLINE, Status.ONLINE
LOST, UNAVAILABLE, AVAILABLE = Signal.LOST, Signal.UNAVAILABLE, Signal.AVAILABLE
INSTANTS = st.floats(1.0, 4e9)
REPORTED = INSTANTS | st.just(HIDDEN)


@pytest.mark.parametrize(("signal", "status"), [(LOST, U), (UNAVAILABLE, OFF), (AVAILABLE, ON)])
def test_a_signal_leads_to_one_status_from_anywhere(signal: Signal, status: Status) -> None:
    assert AFTER[signal] is status


def test_statuses_have_words() -> None:
    assert [status.word for status in Status] == ["unknown", "offline", "online"]


@pytest.mark.parametrize(
    ("before", "after", "observed_before", "snapshot", "counted"),
    [
        # between known states: always, unless it answers our own question
        (OFF, ON, True, False, True),
        (ON, OFF, True, False, True),
        (OFF, ON, True, True, False),
        (ON, OFF, True, True, False),
        # out of the unknown: only to online, and only when we had observed the contact before
        (U, ON, True, False, True),
        (U, ON, False, False, False),
        (U, OFF, True, False, False),
        (U, OFF, False, False, False),
        (U, ON, True, True, False),
        (U, OFF, True, True, False),
        # into the unknown: never, because it is we who stopped to hear
        (ON, U, True, False, False),
        (OFF, U, True, False, False),
        (ON, U, True, True, False),
    ],
)
def test_what_counts_as_a_status_change(
    before: Status, after: Status, observed_before: bool, snapshot: bool, counted: bool
) -> None:
    assert counts(before, after, observed_before, snapshot) is counted


@pytest.mark.parametrize(
    ("known", "signal", "reported", "at", "seen"),
    [
        (HIDDEN, AVAILABLE, HIDDEN, 100.0, 100.0),  # we see them now
        (50.0, AVAILABLE, HIDDEN, 100.0, 100.0),
        (50.0, AVAILABLE, 70.0, 100.0, 100.0),  # being there beats what is reported
        (HIDDEN, UNAVAILABLE, 70.0, 100.0, 70.0),  # no longer hidden
        (50.0, UNAVAILABLE, 70.0, 100.0, 70.0),
        (70.0, UNAVAILABLE, 50.0, 100.0, 70.0),  # older than known
        (50.0, UNAVAILABLE, 170.0, 100.0, 100.0),  # reported in the future
        (50.0, UNAVAILABLE, HIDDEN, 100.0, HIDDEN),  # they hide it now
        (HIDDEN, UNAVAILABLE, HIDDEN, 100.0, HIDDEN),
        (50.0, LOST, HIDDEN, 100.0, 50.0),  # our link says nothing about them
        (50.0, LOST, 70.0, 100.0, 50.0),
        (HIDDEN, LOST, 70.0, 100.0, HIDDEN),
    ],
)
def test_last_seen_after_a_signal(known: float, signal: Signal, reported: float, at: float, seen: float) -> None:
    assert last_seen_after(known, signal, reported, at) == pytest.approx(seen, nan_ok=True)


@given(st.lists(st.tuples(st.sampled_from(Signal), REPORTED, INSTANTS)))
def test_last_seen_never_goes_back_and_never_lies_in_the_future(signals: list[tuple[Signal, float, float]]) -> None:
    seen, latest = HIDDEN, 0.0
    for signal, reported, at in signals:
        before, latest = seen, max(latest, at)
        seen = last_seen_after(before, signal, reported, at)
        assert isnan(seen) or isnan(before) or seen >= before
        assert isnan(seen) or seen <= latest


@given(known=REPORTED, reported=REPORTED, at=INSTANTS)
def test_a_contact_who_is_here_is_never_hidden(known: float, reported: float, at: float) -> None:
    assert last_seen_after(known, AVAILABLE, reported, at) >= at


@given(known=REPORTED, at=INSTANTS)
def test_hiding_last_seen_takes_effect_at_once(known: float, at: float) -> None:
    assert isnan(last_seen_after(known, UNAVAILABLE, HIDDEN, at))

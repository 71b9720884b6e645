# SPDX-License-Identifier: Apache-2.0
"""History: status changes become intervals that nest, never overlap, and tell offline from not observed."""

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.book import Book
from wigwag.domain.history import Interval, Kind, OpenIntervals
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, PresenceChanged, Signal, Status

JOHN, JANE = Jid("15550000001@s.whatsapp.net"), Jid("15550000002@s.whatsapp.net")
U, OFF, ON = Status.UNKNOWN, Status.OFFLINE, Status.ONLINE
ONLINE, OBSERVED = Kind.ONLINE, Kind.OBSERVED
Told = tuple[Kind, float, float | None]


def change(before: Status, after: Status, at: float, jid: Jid = JOHN) -> PresenceChanged:
    return PresenceChanged(jid, before, after, at, None, counted=False)


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        ([U, OFF], [(OBSERVED, 1, None)]),
        ([U, ON], [(ONLINE, 1, None), (OBSERVED, 1, None)]),
        ([U, OFF, ON], [(OBSERVED, 1, None), (ONLINE, 2, None)]),
        ([U, ON, OFF], [(ONLINE, 1, None), (OBSERVED, 1, None), (ONLINE, 1, 2)]),
        ([U, OFF, U], [(OBSERVED, 1, None), (OBSERVED, 1, 2)]),
        ([U, ON, U], [(ONLINE, 1, None), (OBSERVED, 1, None), (ONLINE, 1, 2), (OBSERVED, 1, 2)]),
        ([U, OFF, U, OFF], [(OBSERVED, 1, None), (OBSERVED, 1, 2), (OBSERVED, 3, None)]),
    ],
)
def test_what_changes_tell(statuses: list[Status], told: list[Told]) -> None:
    intervals = OpenIntervals()
    steps = [change(before, after, float(at)) for at, (before, after) in enumerate(pairwise(statuses), 1)]
    folded = [interval for step in steps for interval in intervals.fold(step)]
    assert folded == [Interval(jid=JOHN, kind=kind, start=start, end=end) for kind, start, end in told]


@pytest.mark.parametrize("before", [OFF, ON])
def test_what_began_before_us_has_no_interval_to_end(before: Status) -> None:
    assert OpenIntervals().fold(change(before, U, 1.0)) == []


def test_nothing_of_a_forgotten_contact_is_closed_later() -> None:
    intervals = OpenIntervals()
    intervals.fold(change(U, ON, 1.0))
    intervals.fold(change(U, ON, 1.0, JANE))
    intervals.forget(JOHN)
    assert intervals.fold(change(ON, U, 2.0)) == []
    assert len(intervals.fold(change(ON, U, 2.0, JANE))) == 2


def test_an_interval_ends_once() -> None:
    intervals = OpenIntervals()
    intervals.fold(change(U, OFF, 1.0))
    assert len(intervals.fold(change(OFF, U, 2.0))) == 1
    assert intervals.fold(change(OFF, U, 3.0)) == []


def test_an_interval_never_ends_before_it_starts() -> None:
    intervals = OpenIntervals()
    intervals.fold(change(U, OFF, 5.0))
    assert intervals.fold(change(OFF, U, 4.0)) == [Interval(jid=JOHN, kind=OBSERVED, start=5.0, end=5.0)]


STEPS = st.lists(
    st.tuples(
        st.sampled_from([JOHN, JANE]), st.sampled_from(["lose", Signal.AVAILABLE, Signal.UNAVAILABLE]), st.floats(1, 50)
    )
)


@given(STEPS)
def test_whatever_is_reported_in_whatever_order_intervals_nest_and_never_overlap(
    steps: list[tuple[Jid, Signal | str, float]],
) -> None:
    book, intervals = Book(), OpenIntervals()
    for jid in (JOHN, JANE):
        book.put(Presence(jid=jid, name="", account="default"))
    opened, closed = set[tuple[Jid, Kind, float]](), defaultdict[tuple[Jid, Kind], list[tuple[float, float]]](list)
    for jid, what, at in steps:
        news = book.report(jid, what, at, account="default") if isinstance(what, Signal) else book.lose(jid, at)
        for interval in intervals.fold(news) if news else []:
            if interval.end is None:
                opened.add((jid, interval.kind, interval.start))
            else:
                opened.remove((jid, interval.kind, interval.start))  # a close matches its opening
                closed[jid, interval.kind].append((interval.start, interval.end))
    for jid in (JOHN, JANE):
        known = book.get(jid)
        assert known
        assert {kind for other, kind, _start in opened if other == jid} == {
            OFF: {OBSERVED},
            ON: {OBSERVED, ONLINE},
            U: set[Kind](),
        }[known.status]
        for other, kind, start in opened:
            closed[other, kind] += [(start, float("inf"))] if other == jid else []
        for kind in Kind:
            assert all(one[1] <= other[0] for one, other in pairwise(closed[jid, kind]))
        assert all(
            any(start <= begin and end <= stop for start, stop in closed[jid, OBSERVED])
            for begin, end in closed[jid, ONLINE]
        )

# SPDX-License-Identifier: Apache-2.0
"""How much one client may take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.adapters.realtime import Limits
from wigwag.adapters.realtime.door import CROWD, FULL
from wigwag.adapters.realtime.limits import Bucket, Budgets, Occupancy, neighbourhood

STEPS = st.lists(st.tuples(st.floats(0, 2), st.floats(0, 10)), max_size=60)


@given(steps=STEPS)
def test_nobody_takes_more_than_the_burst_and_what_came_since(steps: list[tuple[float, float]]) -> None:
    bucket, now, taken = Bucket(20.0, 0.0), 0.0, 0.0
    for pause, amount in steps:
        now += pause
        if bucket.take(amount, rate=5.0, burst=20.0, now=now):
            taken += amount
        assert taken <= 20.0 + 5.0 * now + 1e-6


def test_whoever_waits_may_take_again_but_never_more_than_the_burst() -> None:
    bucket = Bucket(2.0, 0.0)
    taken = [bucket.take(1, rate=1.0, burst=2.0, now=now) for now in (0, 0, 0, 1, 1, 100, 100, 100)]
    assert taken == [True, True, False, True, False, True, True, False]


def test_while_the_clock_stands_still_nothing_comes_back() -> None:
    bucket = Bucket(1.0, 10.0)
    assert [bucket.take(1, rate=1.0, burst=1.0, now=10.0) for _ in range(3)] == [True, False, False]


def test_a_user_who_rests_needs_no_bucket_and_has_a_full_one() -> None:
    budgets = Budgets(rate=1.0, burst=10.0)
    assert [budgets.take(user, 6, now=0.0) for user in ("anna", "anna", "ben")] == [True, False, True]
    budgets.forget(5.9)
    assert (len(budgets), budgets.take("anna", 10, now=5.9)) == (2, False)
    budgets.forget(6.0)
    assert (len(budgets), budgets.take("anna", 10, now=6.0)) == (0, True)


def test_there_is_an_end_to_all_connections_and_to_those_of_one_address() -> None:
    occupancy = Occupancy(Limits(connections=3, per_address=2))
    answers = [occupancy.enter(address) for address in ("10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3")]
    assert answers == [None, None, CROWD, None, FULL]
    occupancy.leave("10.0.0.1")
    assert occupancy.total == 2
    assert occupancy.enter("10.0.0.1") is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("", "", True),
        ("proxy", "other", False),
    ],
)
def test_an_ipv6_client_has_as_many_addresses_as_it_likes(one: str, other: str, same: bool) -> None:
    assert (neighbourhood(one) == neighbourhood(other)) is same

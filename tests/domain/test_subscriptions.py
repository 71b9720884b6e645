# SPDX-License-Identifier: Apache-2.0
"""The plan in examples: links that come and go, the backoff and the stale rule of the seed, and who is dropped."""

import pytest

from tests.domain.driving import EXACT, HOUR, JOHN, MINUTE, drive, in_order, person, plan_of
from wigwag.domain.pacing import Pace
from wigwag.domain.subscriptions import FIRST_EVENT, STALE_AFTER, Plan, State, Stats


def subscribed(at: float = 0.0, stale_after: float = STALE_AFTER) -> Plan:
    """A plan whose one contact was subscribed at an instant, and is active."""
    plan = Plan(Pace(), stale_after=stale_after)
    plan.want(JOHN, 2)
    plan.link_up(at)
    plan.take(at)
    plan.hear(JOHN)
    return plan


# --- the link


def test_without_a_link_nobody_is_subscribed() -> None:
    plan = plan_of(3)
    assert plan.take(0.0) is None
    assert plan.next_wake() is None
    assert plan.rotation_at() is None


def test_a_link_cut_20_times_brings_all_back_in_priority_order_each_time() -> None:
    plan = plan_of(100)
    for cut in range(20):
        plan.link_up(cut * HOUR)
        taken = drive(plan, cut * HOUR, cut * HOUR + MINUTE)
        assert [jid for _at, jid in taken] == in_order(plan)
        assert plan.counts[State.ACTIVE] == 100
        plan.link_down()
        assert plan.counts[State.QUEUED] == 100
        assert plan.hear(taken[0][1]) is False
        assert plan.counts[State.QUEUED] == 100


def test_the_first_event_after_a_subscribe_is_a_snapshot_and_the_next_is_not() -> None:
    plan = Plan(Pace())
    assert plan.hear(JOHN) is False
    plan.want(JOHN, 1)
    assert plan.hear(JOHN) is False
    plan.link_up(0.0)
    plan.take(0.0)
    assert [plan.hear(JOHN), plan.hear(JOHN)] == [True, False]


# --- failures


@pytest.mark.parametrize("silent", [True, False], ids=["no event in two minutes", "could not be sent"])
def test_failures_wait_2_4_8_16_32_60_60_minutes(silent: bool) -> None:
    plan, now, waits = Plan(Pace()), 0.0, []
    plan.want(JOHN, 1)
    plan.link_up(now)
    for _failure in range(7):
        assert plan.take(now) == JOHN
        if silent:
            assert plan.next_wake() == now + FIRST_EVENT
            assert plan.expire(now + FIRST_EVENT - 0.001) == []
            now += FIRST_EVENT
            assert plan.expire(now) == [JOHN]
        else:
            plan.fail(JOHN, now)
        due = plan.next_wake()
        assert due is not None
        plan.expire(due - 0.001)
        assert plan.take(due - 0.001) is None
        waits.append(due - now)
        now = due
        assert plan.expire(now) == []
    assert waits == [minutes * MINUTE for minutes in (2, 4, 8, 16, 32, 60, 60)]


def test_an_event_forgives_all_failures() -> None:
    plan = Plan(Pace())
    plan.want(JOHN, 1)
    plan.restore(JOHN, 1, attempts=5, due=0.0)
    plan.link_up(0.0)
    assert drive(plan, 0.0, 1.0) == [(0.0, JOHN)]
    plan.link_down()
    plan.link_up(10.0)
    plan.take(10.0)
    plan.fail(JOHN, 10.0)
    assert plan.next_wake() == 10.0 + 2 * MINUTE


def test_a_late_event_is_welcome_but_no_snapshot() -> None:
    plan = Plan(Pace())
    plan.want(JOHN, 1)
    plan.link_up(0.0)
    plan.take(0.0)
    assert plan.expire(FIRST_EVENT) == [JOHN]
    assert plan.hear(JOHN) is False
    assert plan.get(JOHN).state is State.ACTIVE  # type: ignore[union-attr]
    assert plan.next_wake() is None


def test_a_backoff_outlives_the_link_and_a_restart() -> None:
    plan = Plan(EXACT)
    plan.restore(JOHN, 1, attempts=3, due=500.0)
    plan.restore(person(1), 3, attempts=0, due=0.0)
    assert plan.take_changed() == []
    for at in (0.0, 100.0, 200.0):
        plan.link_up(at)
        assert drive(plan, at, at + 50.0) == [(at, person(1))]
    assert drive(plan, 250.0, 500.0, answered=False) == [(500.0, JOHN)]
    plan.fail(JOHN, 500.0)
    assert plan.next_wake() == 500.0 + 16 * MINUTE


def test_what_did_not_happen_to_a_pending_contact_is_no_failure() -> None:
    plan = subscribed()
    plan.fail(JOHN, 1.0)
    plan.fail(person(1), 1.0)
    assert plan.get(JOHN).attempts == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("state", ["queued", "pending", "failed", "stale", "active"])
def test_a_dropped_contact_never_comes_back_and_holds_up_nobody(state: str) -> None:
    plan = Plan(Pace(), stale_after=10.0)
    plan.want(JOHN, 1)
    if state != "queued":
        plan.link_up(0.0)
        plan.take(0.0)
    if state == "failed":
        plan.fail(JOHN, 0.0)
    if state in ("stale", "active"):
        plan.hear(JOHN)
    if state == "stale":
        plan.check([JOHN], 100.0, lambda _jid: 0.0)
    assert plan.get(JOHN).state == state  # type: ignore[union-attr]
    plan.drop(JOHN)
    plan.drop(JOHN)
    assert plan.next_wake() is None
    assert plan.take_changed() == []
    assert plan.check([JOHN], 1e6, lambda _jid: 0.0) == []
    plan.link_up(1e6)
    assert plan.expire(2e6) == []
    assert plan.take(2e6) is None
    assert plan.stats() == Stats(total_subscriptions=0, active=0, stale=0, failed=0, queue_length=0)


def test_who_comes_back_after_a_drop_starts_afresh_at_the_end_of_the_queue() -> None:
    plan = plan_of(0)
    for n in (0, 1):
        plan.want(person(n), 1)
    plan.drop(person(0))
    plan.want(person(0), 1)
    plan.link_up(0.0)
    assert [jid for _at, jid in drive(plan, 0.0, 10.0)] == [person(1), person(0)]


# --- staleness


@pytest.mark.parametrize(
    ("subscribed_ago", "heard_ago", "stale"),
    [
        (25 * HOUR, 25 * HOUR, True),
        (24 * HOUR, 24 * HOUR, True),
        (25 * HOUR, 23 * HOUR, False),  # subscribed long ago, but heard of
        (23 * HOUR, 25 * HOUR, False),  # silent for long, but just subscribed
        (23 * HOUR, 23 * HOUR, False),
        (25 * HOUR, 1e6, True),  # never heard of
        (24 * HOUR - 1, 1e6, False),
    ],
)
def test_stale_means_silent_for_a_day_and_subscribed_a_day_ago(
    subscribed_ago: float, heard_ago: float, stale: bool
) -> None:
    now = 1e6
    plan = subscribed(now - subscribed_ago)
    assert plan.check([JOHN, person(1)], now, lambda _jid: now - heard_ago) == ([JOHN] if stale else [])
    assert plan.take(now) == (JOHN if stale else None)


def test_a_stale_contact_waits_to_be_subscribed_and_an_event_makes_it_active_again() -> None:
    plan = subscribed(stale_after=10.0)
    plan.check([JOHN], 10.0, lambda _jid: 0.0)
    assert plan.stats() == Stats(total_subscriptions=1, active=0, stale=1, failed=0, queue_length=1)
    assert plan.check([JOHN], 10.0, lambda _jid: 0.0) == []
    assert plan.hear(JOHN) is False
    assert plan.stats() == Stats(total_subscriptions=1, active=1, stale=0, failed=0, queue_length=0)
    assert plan.take(20.0) is None


def test_figures_of_several_plans_add_up() -> None:
    one = Stats(total_subscriptions=1, active=2, stale=3, failed=4, queue_length=5)
    two = Stats(total_subscriptions=10, active=20, stale=30, failed=40, queue_length=50)
    assert one + two == Stats(total_subscriptions=11, active=22, stale=33, failed=44, queue_length=55)


@pytest.mark.parametrize("state", [State.QUEUED, State.STALE])
def test_who_becomes_more_urgent_while_waiting_comes_sooner(state: State) -> None:
    plan = Plan(Pace(), stale_after=10.0)
    for n in (0, 1):
        plan.want(person(n), 2)
    plan.link_up(0.0)
    if state is State.STALE:
        drive(plan, 0.0, 1.0)
        plan.check([person(0), person(1)], 100.0, lambda _jid: 0.0)
    plan.want(person(1), 1)
    assert [s.state for s in plan.subscriptions()] == [state, state]
    assert [jid for _at, jid in drive(plan, 100.0, 101.0)] == [person(1), person(0)]

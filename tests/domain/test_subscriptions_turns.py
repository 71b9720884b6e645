# SPDX-License-Identifier: Apache-2.0
"""The plan under a cap: urgency first, then turns, and nobody waits for ever."""

import pytest

from tests.domain.driving import EXACT, HOUR, JOHN, MINUTE, drive, person
from wigwag.domain.ids import Jid
from wigwag.domain.pacing import Pace
from wigwag.domain.subscriptions import ROTATE_AFTER, ROTATE_SOONER, Plan


def _turn(plan: Plan, now: float) -> tuple[set[Jid], float | None]:
    """Who gets a place on one link, and when it should end."""
    plan.link_up(now)
    taken = drive(plan, now, now + 10 * HOUR)
    return {jid for _at, jid in taken}, plan.rotation_at()


def test_with_50_places_120_contacts_of_one_priority_all_get_their_turn() -> None:
    plan, now = Plan(Pace(), cap=50), 0.0
    everybody = {person(n) for n in range(120)}
    for jid in sorted(everybody):
        plan.want(jid, 2)
    links = []
    for _link in range(12):
        placed, rotation = _turn(plan, now)
        assert len(placed) == 50
        assert rotation == now + ROTATE_AFTER
        links.append(placed)
        plan.rotate()
        now = rotation
    assert all(set.union(*links[n : n + 3]) == everybody for n in range(10))


def test_newcomers_get_their_turn_without_taking_that_of_others() -> None:
    plan, now = Plan(Pace(), cap=50), 0.0
    links = []
    for link in range(10):
        for n in range(80 if link == 0 else 0):
            plan.want(person(n), 2)
        for n in range(50 if link == 5 else 0):
            plan.want(person(100 + n), 2)
        placed, rotation = _turn(plan, now)
        assert rotation is not None
        links.append(placed)
        plan.rotate()
        now = rotation
    assert links[5] == {person(100 + n) for n in range(50)}
    assert links[6] | links[7] >= {person(n) for n in range(80)}


def test_a_more_urgent_one_waits_5_minutes_at_most() -> None:
    plan = Plan(Pace(), cap=2)
    for n in range(3):
        plan.want(person(n), 3)
    assert _turn(plan, 0.0)[1] == ROTATE_AFTER
    plan.want(JOHN, 1)
    assert plan.rotation_at() == plan.next_wake() == ROTATE_SOONER
    plan.rotate()
    placed, rotation = _turn(plan, ROTATE_SOONER)
    assert JOHN in placed
    assert rotation == ROTATE_SOONER + ROTATE_AFTER


@pytest.mark.parametrize(("becomes", "rotation"), [(3, ROTATE_SOONER), (2, ROTATE_AFTER), (1, ROTATE_AFTER)])
def test_urgency_is_compared_as_it_is_now(becomes: int, rotation: float) -> None:
    plan = Plan(Pace(), cap=1)
    plan.want(JOHN, 1)
    plan.want(person(1), 2)
    _turn(plan, 0.0)
    plan.want(JOHN, becomes)
    assert plan.rotation_at() == rotation


def test_a_link_that_is_cut_often_still_lets_others_have_their_turn() -> None:
    plan = Plan(Pace(), cap=1)
    plan.want(JOHN, 2)
    plan.want(person(1), 2)
    for at in (0.0, 0.5 * HOUR, 0.9 * HOUR):
        assert _turn(plan, at) == ({JOHN}, ROTATE_AFTER)
    plan.rotate()
    assert _turn(plan, HOUR) == ({person(1)}, HOUR + ROTATE_AFTER)


def test_a_full_cap_wakes_nobody_before_its_rotation_and_looks_nobody_up() -> None:
    plan = Plan(EXACT, cap=20)
    for n in range(60):
        plan.want(person(n), 2)
    assert len(_turn(plan, 0.0)[0]) == 20
    assert plan.upcoming(1000.0) == []
    assert plan.next_wake() == ROTATE_AFTER


def test_who_has_a_place_needs_no_second_one() -> None:
    plan = Plan(Pace(), cap=1)
    plan.want(JOHN, 1)
    plan.want(person(1), 2)
    plan.link_up(0.0)
    plan.take(0.0)
    plan.fail(JOHN, 0.0)
    assert plan.take(2 * MINUTE) is None
    plan.expire(2 * MINUTE)
    assert plan.take(2 * MINUTE) == JOHN


def test_a_dropped_contact_keeps_its_place_until_the_next_link() -> None:
    plan = Plan(Pace(), cap=1)
    plan.want(JOHN, 1)
    plan.want(person(1), 1)
    _turn(plan, 0.0)
    plan.drop(JOHN)
    assert plan.rotation_at() == ROTATE_AFTER
    plan.rotate()
    assert _turn(plan, HOUR) == ({person(1)}, None)

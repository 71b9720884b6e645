# SPDX-License-Identifier: Apache-2.0
"""Users: what is shown of them, from any number of devices, and who may know."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.errors import InvalidUser
from wigwag.domain.users import (
    GRACE,
    Audience,
    Choice,
    Privacy,
    Shown,
    Sight,
    UserPresence,
    View,
    aggregate,
    choose,
    enter,
    expire,
    leave,
    retell,
    sight,
    user_id,
    view,
)

NOW = 1_800_000_000.0
ALICE = UserPresence(user=1)


@pytest.mark.parametrize(("devices", "choice"), list(product([0, 1, 2, 9], Choice)))
def test_the_aggregate_is_the_table(devices: int, choice: Choice) -> None:
    told = {Choice.ONLINE: Shown.ONLINE, Choice.AWAY: Shown.AWAY, Choice.BUSY: Shown.BUSY}
    assert aggregate(devices, choice) is (told.get(choice, Shown.OFFLINE) if devices else Shown.OFFLINE)


def test_the_seeds_multi_device_table() -> None:
    """Phone opens, laptop opens, phone closes, laptop closes."""
    steps = [ALICE]
    steps.append(enter(steps[-1], "phone", NOW))
    steps.append(enter(steps[-1], "laptop", NOW + 1))
    steps.append(leave(steps[-1], "phone", NOW + 2, goodbye=True))
    steps.append(leave(steps[-1], "laptop", NOW + 3, goodbye=True))
    assert [step.shown for step in steps] == ["offline", "online", "online", "online", "offline"]
    first, last = steps[1].v, steps[-1].v
    assert [step.v for step in steps] == [0, first, first, first, last]
    assert 0 < first < last
    assert steps[-1].last_seen == NOW + 3


def test_a_lost_device_has_its_grace_and_comes_back_unnoticed() -> None:
    lost = leave(enter(ALICE, "phone", NOW), "phone", NOW + 10, goodbye=False)
    assert (lost.shown, lost.deadline) == (Shown.ONLINE, NOW + 10 + GRACE)
    assert expire(lost, NOW + 10 + GRACE - 0.1) is lost
    back = enter(lost, "phone", NOW + 12)
    assert (back.shown, back.v, back.deadline) == (Shown.ONLINE, lost.v, float("inf"))


def test_after_the_grace_the_user_was_last_seen_when_the_device_was_lost() -> None:
    lost = leave(enter(ALICE, "phone", NOW), "phone", NOW + 10, goodbye=False)
    gone = expire(lost, NOW + 10 + GRACE)
    assert (gone.shown, gone.last_seen, dict(gone.devices)) == (Shown.OFFLINE, NOW + 10, {})
    assert gone.v > lost.v


def test_v_goes_on_after_a_crash_that_lost_some_of_it() -> None:
    before = leave(enter(ALICE, "phone", NOW), "phone", NOW + 1, goodbye=True)
    assert enter(ALICE, "phone", NOW + 2).v > before.v


def test_a_choice_ends_with_the_last_device_but_for_invisible() -> None:
    away = choose(enter(ALICE, "phone", NOW), Choice.AWAY, NOW + 1)
    assert enter(leave(away, "phone", NOW + 2, goodbye=True), "phone", NOW + 3).shown is Shown.ONLINE
    hidden = choose(enter(ALICE, "phone", NOW), Choice.INVISIBLE, NOW + 1)
    assert enter(leave(hidden, "phone", NOW + 2, goodbye=True), "phone", NOW + 3).shown is Shown.OFFLINE


def test_whoever_is_invisible_was_last_seen_before() -> None:
    hidden = choose(enter(ALICE, "phone", NOW), Choice.INVISIBLE, NOW + 1)
    gone = leave(enter(hidden, "laptop", NOW + 50), "laptop", NOW + 60, goodbye=True)
    assert (gone.shown, gone.last_seen) == (Shown.OFFLINE, NOW + 1)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["enter", "goodbye", "lose", "expire", *Choice]), st.sampled_from("abc"), st.floats(0, 20)
    ),
    max_size=40,
)


@given(STEPS)
def test_v_and_last_seen_never_fall_and_the_aggregate_holds(steps: list[tuple[str, str, float]]) -> None:
    presence, now = ALICE, NOW
    for what, device, passed in steps:
        now, before = now + passed, presence
        match what:
            case "enter":
                presence = enter(presence, device, now)
            case "goodbye" | "lose":
                presence = leave(presence, device, now, goodbye=what == "goodbye")
            case "expire":
                presence = expire(presence, now)
            case _:
                presence = choose(presence, Choice(what), now)
        assert presence.v >= before.v
        assert (presence.v > before.v) is (presence.shown is not before.shown)
        assert (presence.last_seen or 0) >= (before.last_seen or 0)
        assert (presence.last_seen or 0) <= now
        if presence.devices:
            assert presence.shown is aggregate(len(presence.devices), presence.choice)
        else:
            assert presence.shown is Shown.OFFLINE


@pytest.mark.parametrize(("status", "seen", "contact"), list(product(Audience, Audience, [True, False])))
def test_nobody_sees_more_than_the_privacy_lets_them(status: Audience, seen: Audience, contact: bool) -> None:
    online = enter(ALICE, "phone", NOW)
    shown = view(online, sight(Privacy(status=status, last_seen=seen), contact=contact))
    allowed = {Audience.EVERYONE, Audience.CONTACTS} if contact else {Audience.EVERYONE}
    assert (shown.status is Shown.ONLINE) is (status in allowed)
    assert (shown.last_seen is not None) is (seen in allowed)
    if status not in allowed and seen not in allowed:
        assert shown == View(user=1)  # as somebody who does not exist


PRIVACIES = [Privacy(status=status, last_seen=seen) for status, seen in product(Audience, Audience)]


@pytest.mark.parametrize(("one", "other", "contact"), list(product(PRIVACIES, PRIVACIES, [True, False])))
def test_with_reciprocity_two_see_the_same_of_each_other_and_no_more_than_before(
    one: Privacy, other: Privacy, contact: bool
) -> None:
    mutual = sight(one, contact=contact, asker=other)
    assert mutual == sight(other, contact=contact, asker=one)
    alone = [sight(side, contact=contact) for side in (one, other)]
    assert mutual == Sight(all(each.status for each in alone), all(each.last_seen for each in alone))


def test_who_is_told_anew_gets_a_higher_v_and_nothing_else() -> None:
    online = enter(ALICE, "phone", NOW)
    assert retell(online, NOW - 1) == replace(online, v=online.v + 1)
    assert retell(online, NOW + 1).v == int((NOW + 1) * 1000)


@pytest.mark.parametrize(("value", "meant"), [(7, 7), ("7", 7), ("007", 7), ("anna", "anna"), ("a-1_b@x", "a-1_b@x")])
def test_an_id_has_one_form(value: object, meant: object) -> None:
    assert user_id(value) == meant
    assert user_id(user_id(value)) == meant


@pytest.mark.parametrize("value", [-1, 1 << 63, True, None, 1.5, "", "a b", "ä", "x" * 65, [1], {"id": 1}, "a\n"])
def test_what_is_no_id_is_refused(value: object) -> None:
    with pytest.raises(InvalidUser):
        user_id(value)

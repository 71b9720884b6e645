# SPDX-License-Identifier: Apache-2.0
"""The law of the port LastSeenStore, on every kind of store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wigwag.app.ports import LastSeenStore, User, UserStore
from wigwag.domain.users import Choice, Shown, UserId, UserPresence

NOW = 1_763_637_780.123456
SEEN = UserPresence(user=7, choice=Choice.AWAY, shown=Shown.AWAY, last_seen=NOW, v=3)

ids = count(1000)  # each example has its own user, so that none has to clean up after another
on_one_store = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
presences = st.builds(
    UserPresence,
    user=st.just(0),
    choice=st.sampled_from(Choice),
    shown=st.sampled_from(Shown),
    last_seen=st.none() | st.floats(0.0, 4e9).map(abs),
    v=st.integers(0, 2) | st.just(2**40),
)


def alone(presence: UserPresence) -> UserPresence:
    """As it is loaded: nobody who has no device is shown."""
    return replace(presence, devices={}, shown=Shown.OFFLINE)


async def test_of_a_stranger_nothing_is_kept(last_seen: LastSeenStore) -> None:
    assert await last_seen.load([7, "anna"]) == []
    assert await last_seen.load([]) == []


@on_one_store
@given(saved=st.lists(presences, min_size=1, max_size=6))
async def test_neither_last_seen_nor_v_goes_back_and_the_newest_counts(
    last_seen: LastSeenStore, saved: list[UserPresence]
) -> None:
    user = next(ids)
    for presence in saved:
        await last_seen.save([replace(presence, user=user)], NOW)
    [kept] = await last_seen.load([user])
    highest = max(presence.v for presence in saved)
    newest = [presence for presence in saved if presence.v == highest][-1]
    instants = [presence.last_seen for presence in saved if presence.last_seen is not None]
    assert kept == UserPresence(user=user, choice=newest.choice, last_seen=max(instants, default=None), v=highest)


async def test_the_same_thing_twice_is_the_same_as_once(last_seen: LastSeenStore) -> None:
    for batch in ([SEEN], [SEEN, SEEN], [replace(SEEN, last_seen=NOW - 1, v=2), SEEN]):
        await last_seen.save(batch, NOW)
        assert await last_seen.load([7]) == [alone(SEEN)]


@pytest.mark.parametrize("shown", [Shown.ONLINE, Shown.AWAY, Shown.BUSY])
async def test_who_was_here_when_we_died_was_last_seen_when_we_were_last_alive(
    last_seen: LastSeenStore, next_life: Callable[[], LastSeenStore], shown: Shown
) -> None:
    """And the one after that life does not move it: the user was away all that time."""
    await last_seen.save([replace(SEEN, shown=shown, choice=Choice(shown.value))], NOW)
    await last_seen.save([], NOW + 60)
    gone = UserPresence(user=7, last_seen=NOW + 60, v=4)
    for life in range(1, 3):
        again = next_life()
        await again.settle()
        await again.save([], NOW + 1000 * life)
        assert await again.load([7]) == [gone]


@pytest.mark.parametrize("choice", [Choice.ONLINE, Choice.INVISIBLE])
async def test_who_was_not_to_be_seen_when_we_died_stays_as_before(
    last_seen: LastSeenStore, next_life: Callable[[], LastSeenStore], choice: Choice
) -> None:
    hidden = replace(SEEN, shown=Shown.OFFLINE, choice=choice)
    await last_seen.save([hidden], NOW)
    await last_seen.save([], NOW + 60)
    again = next_life()
    await again.settle()
    assert await again.load([7]) == [hidden]


async def test_what_was_seen_and_what_we_are_told_of_a_user_do_not_touch_each_other(
    last_seen: LastSeenStore, users: UserStore
) -> None:
    """Whichever comes first: somebody nobody told us of is no user, and may become one."""
    told, later = User(id=7, name="Anna", phone_number="1"), User(id=8, name="Bruno")
    await users.put([told])
    await last_seen.save([SEEN, replace(SEEN, user=8)], NOW)
    assert await users.find(None, 9) == [told]
    assert await users.get(8) is None
    await users.put([told, later])
    assert await users.find(None, 9) == [told, later]
    found = await last_seen.load([7, 8])
    assert sorted(found, key=lambda kept: str(kept.user)) == [alone(SEEN), alone(replace(SEEN, user=8))]


async def test_with_a_user_goes_what_was_seen(last_seen: LastSeenStore, users: UserStore) -> None:
    await users.put([User(id=7)])
    await last_seen.save([SEEN, replace(SEEN, user=8)], NOW)
    assert await users.remove(7) is True
    assert await users.remove(8) is False
    assert [found for found in await last_seen.load([7, 8]) if found.v] == []


async def test_five_thousand_are_written_in_one_batch_and_read_again(last_seen: LastSeenStore) -> None:
    """Numbers and words, in any order, while others read."""
    crowd: list[UserId] = [number if number % 2 else f"user-{number}" for number in range(5000)]
    saved = [replace(SEEN, user=user) for user in reversed(crowd)]
    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(last_seen.save(saved, NOW))
            tasks.create_task(last_seen.load(crowd))
    found = await last_seen.load(crowd)
    assert {kept.user for kept in found} == set(crowd)
    assert all(replace(kept, user=7) == alone(SEEN) for kept in found)

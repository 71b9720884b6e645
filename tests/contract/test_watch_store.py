# SPDX-License-Identifier: Apache-2.0
"""The law of the port WatchStore, on every kind of store."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wigwag.app.ports import WatchStore
from wigwag.domain.ids import Jid
from wigwag.domain.subscriptions import State, Subscription
from wigwag.domain.watchlist import Watch, WatchedGroup

JIDS = [Jid(f"{15_550_000_000 + number}@s.whatsapp.net") for number in range(3)]
GROUPS = [Jid("120363041234567890@g.us"), Jid("15550000000-1500000000@g.us")]
NAMES = st.sampled_from(["", "Ané 👩🏽\u200d🚀", "x" * 255])
ACCOUNTS = st.sampled_from(["default", "second"])
PRIORITIES = st.sampled_from([1, 2, 3])
wishes = st.builds(
    Watch,
    jid=st.sampled_from(JIDS),
    source=st.sampled_from(["", *GROUPS]),
    account=ACCOUNTS,
    priority=PRIORITIES,
    name=NAMES,
)
groups = st.builds(WatchedGroup, jid=st.sampled_from(GROUPS), account=ACCOUNTS, priority=PRIORITIES, name=NAMES)
subscriptions = st.builds(
    Subscription,
    jid=st.sampled_from(JIDS),
    priority=PRIORITIES,
    state=st.sampled_from(State),
    attempts=st.integers(0, 9),
    due=st.floats(0.0, 4e9),
)
steps = st.lists(
    st.tuples(st.booleans(), st.lists(wishes, max_size=4), st.lists(groups, max_size=2)), min_size=1, max_size=8
)
on_one_store = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def clear(store: WatchStore) -> None:
    await store.remove(*await store.load())
    await store.save_subscriptions([Subscription(jid=jid, priority=1) for jid in JIDS])


async def test_a_new_store_is_empty(watches: WatchStore) -> None:
    assert await watches.load() == ([], [])
    assert await watches.subscriptions() == []


async def test_nothing_to_put_or_remove_is_fine(watches: WatchStore) -> None:
    await watches.put([])
    await watches.remove([])
    await watches.save_subscriptions([])
    assert await watches.load() == ([], [])


@on_one_store
@given(steps=steps)
async def test_wishes_and_groups_read_like_two_dictionaries(
    watches: WatchStore, steps: list[tuple[bool, list[Watch], list[WatchedGroup]]]
) -> None:
    """A wish is known by contact and source, a group by its jid; what is put again replaces, what is not there goes."""
    await clear(watches)
    wanted: dict[tuple[Jid, str], Watch] = {}
    tracked: dict[Jid, WatchedGroup] = {}
    for put, some, others in steps:
        if put:
            await watches.put(some, others)
            wanted |= {(watch.jid, watch.source): watch for watch in some}
            tracked |= {group.jid: group for group in others}
        else:
            await watches.remove(some, others)
            for watch in some:
                wanted.pop((watch.jid, watch.source), None)
            for group in others:
                tracked.pop(group.jid, None)
    loaded, loaded_groups = await watches.load()
    assert sorted(map(repr, loaded)) == sorted(map(repr, wanted.values()))
    assert sorted(map(repr, loaded_groups)) == sorted(map(repr, tracked.values()))


@on_one_store
@given(rounds=st.lists(st.lists(subscriptions, max_size=4, unique_by=lambda found: found.jid), max_size=4))
async def test_whoever_failed_in_a_row_is_kept_until_heard(
    watches: WatchStore, rounds: list[list[Subscription]]
) -> None:
    """Attempts outlive a restart; only one who waits out a backoff has an instant to wait for."""
    await clear(watches)
    failed: dict[Jid, tuple[Jid, int, float]] = {}
    for changed in rounds:
        await watches.save_subscriptions(changed)
        for found in changed:
            due = found.due if found.state is State.FAILED else 0.0
            failed[found.jid] = (found.jid, found.attempts, due)
    expected = [known for known in failed.values() if known[1]]
    assert sorted(await watches.subscriptions()) == sorted(expected)


async def test_a_backoff_ends_with_the_last_wish_for_a_contact_and_not_before(watches: WatchStore) -> None:
    by_name, by_group = Watch(jid=JIDS[0], account="a"), Watch(jid=JIDS[0], source=GROUPS[0], account="a")
    await watches.put([by_name, by_group, Watch(jid=JIDS[1], account="a")])
    await watches.save_subscriptions(
        [Subscription(jid=jid, priority=1, state=State.FAILED, attempts=3, due=7.5) for jid in JIDS[:2]]
    )
    await watches.remove([by_name])
    assert sorted(await watches.subscriptions()) == [(JIDS[0], 3, 7.5), (JIDS[1], 3, 7.5)]
    await watches.remove([by_group])
    assert await watches.subscriptions() == [(JIDS[1], 3, 7.5)]


async def test_a_subscription_is_kept_as_it_was_when_asked(watches: WatchStore) -> None:
    """The plan goes on changing its subscriptions while the store writes."""
    moving = Subscription(jid=JIDS[0], priority=1, state=State.FAILED, attempts=2, due=5.0)
    saving = asyncio.create_task(watches.save_subscriptions([moving]), name="save")
    await asyncio.sleep(0)
    moving.attempts = 9
    await saving
    assert await watches.subscriptions() == [(JIDS[0], 2, 5.0)]


async def test_ten_thousand_wishes_come_and_go(watches: WatchStore) -> None:
    many = [Watch(jid=Jid(f"{15_551_000_000 + number}@s.whatsapp.net"), account="a") for number in range(10_000)]
    await watches.put(many)
    await watches.save_subscriptions([Subscription(jid=watch.jid, priority=1, attempts=1) for watch in many])
    loaded, _groups = await watches.load()
    assert {watch.jid for watch in loaded} == {watch.jid for watch in many}
    assert len(await watches.subscriptions()) == 10_000
    await watches.remove(many)
    assert await watches.load() == ([], [])
    assert await watches.subscriptions() == []

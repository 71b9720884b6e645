# SPDX-License-Identifier: Apache-2.0
"""The law of the port Roster, in memory and on a real Redis, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from uuid import uuid4

import pytest

from wigwag.adapters.memory.roster import MemoryRoster
from wigwag.adapters.redis import RedisRoster
from wigwag.app.ports import Lease, Roster, Swap
from wigwag.domain.errors import Fenced, Missed, RosterLost
from wigwag.domain.roster import LEASE, RENEW, Entry, key
from wigwag.domain.users import CONNECTED, Audience, Choice, Privacy, Shown, UserId, UserPresence
from wigwag.testing import FakeClock

PATIENCE = 20.0  # seconds until a test gives up waiting; never a measure
FEW = 50  # changes that are kept; Redis trims its stream in steps of 100


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A roster, several ways to it, and how to lose it."""

    clock: FakeClock
    roster: Roster
    other: Roster
    lose: Callable[[], object]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "redis"])
async def shared(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[Shared]:
    """An empty roster of one kind after the other."""
    if request.param == "memory":
        made = MemoryRoster(clock, FEW)
        yield Shared(clock=clock, roster=made, other=made, lose=made.lose)
        return
    url, prefix = request.getfixturevalue("redis"), uuid4().hex
    here, there = (RedisRoster(url, prefix, now=clock.now, kept=FEW) for _ in range(2))

    async def lose() -> None:
        await here._client.delete(*[each async for each in here._client.scan_iter(f"{{{prefix}}}:*")])

    yield Shared(clock=clock, roster=here, other=there, lose=lose)
    await here.close()
    await there.close()


@pytest.fixture
def roster(shared: Shared) -> Roster:
    return shared.roster


def entry(user: UserId, lease: Lease, **known: object) -> Entry:
    """Somebody who is online with one device, which has its socket at a node."""
    presence = UserPresence(
        user=user,
        devices=MappingProxyType({key(lease.number, "phone"): CONNECTED, key(lease.number, "tablet"): 1_800_000_004.5}),
        choice=Choice.BUSY,
        shown=Shown.BUSY,
        last_seen=1_800_000_000.123456,
        v=1_800_000_000_123,
    )
    privacy = Privacy(status=Audience.EVERYONE, last_seen=Audience.NOBODY)
    return replace(Entry(presence=presence, privacy=privacy, by=lease.number), **known)  # type: ignore[arg-type]


async def put(roster: Roster, lease: Lease, wanted: Entry, expected: int = 0) -> Entry:
    """Write an entry where nothing, or that number, is."""
    [done] = await roster.swap(lease, [Swap(user=wanted.presence.user, expected=expected, entry=wanted)])
    assert done.done
    assert done.entry is not None
    return done.entry


async def lose(shared: Shared) -> None:
    lost = shared.lose()
    if asyncio.iscoroutine(lost):
        await lost
    await shared.clock.advance(0.01)  # nothing comes back in the instant in which it was lost


async def test_leases_rise_and_hold_as_long_as_they_are_renewed(shared: Shared) -> None:
    first, second = await shared.roster.join(), await shared.other.join()
    assert first.roster == second.roster
    assert first.number < second.number
    for _ in range(5):
        await shared.clock.advance(LEASE - 0.5)
        tides = [await shared.roster.renew(first), await shared.other.renew(second)]
    assert [tide.live for tide in tides] == [{first.number, second.number}] * 2
    assert tides[0].now == pytest.approx(shared.clock.now())
    assert not tides[0].ended


async def test_a_lease_that_ran_out_is_ended_by_any_other_and_refuses_all_writes(shared: Shared) -> None:
    dead, alive = await shared.roster.join(), await shared.other.join()
    written = await put(shared.roster, dead, entry(7, dead))
    last = shared.clock.now()
    await shared.clock.advance(LEASE - 0.5)
    await shared.other.renew(alive)
    await shared.clock.advance(1.0)
    tide = await shared.other.renew(alive)
    assert tide.live == {alive.number}
    assert tide.ended == {dead.number: pytest.approx(last + RENEW)}
    for late in (shared.roster.renew(dead), shared.roster.put_back(dead, [written])):
        with pytest.raises(Fenced):
            await late
    with pytest.raises(Fenced):
        await put(shared.roster, dead, written, written.seq)
    assert (await shared.roster.snapshot(alive)).entries == {7: written}


async def test_a_lease_that_nobody_ended_yet_can_still_be_renewed(shared: Shared) -> None:
    lease = await shared.roster.join()
    await shared.clock.advance(10 * LEASE)
    assert (await shared.roster.renew(lease)).live == {lease.number}


@pytest.mark.parametrize("user", [7, "anna", (1 << 63) - 1, "!~{}:"])
async def test_what_was_written_is_read_again(user: UserId, shared: Shared) -> None:
    lease = await shared.roster.join()
    for known in ({}, {"refreshed": 3, "gone": True}):
        there = (await shared.roster.snapshot(lease)).entries.get(user)
        written = await put(shared.roster, lease, entry(user, lease, **known), there.seq if there else 0)
        assert (await shared.other.snapshot(lease)).entries == {user: written}
    nobody = UserPresence(user=user, v=1)
    gone = await put(shared.roster, lease, Entry(presence=nobody, privacy=Privacy()), written.seq)
    assert (await shared.other.snapshot(lease)).entries == {user: gone}


async def test_a_swap_is_done_only_if_nothing_changed_and_else_says_what_is_there(shared: Shared) -> None:
    lease = await shared.roster.join()
    written = await put(shared.roster, lease, entry(7, lease))
    wanted = replace(written, refreshed=9)
    swaps = [
        Swap(user=7, expected=0, entry=wanted),
        Swap(user=8, expected=written.seq, entry=entry(8, lease)),
        Swap(user=7, expected=written.seq, entry=wanted),
        Swap(user=7, expected=written.seq, entry=None),
    ]
    first, second, third, fourth = await shared.other.swap(lease, swaps)
    assert (first.done, first.entry) == (False, written)
    assert (second.done, second.entry) == (False, None)
    assert (third.done, third.entry) == (True, replace(wanted, seq=third.seq))
    assert (fourth.done, fourth.entry) == (False, third.entry)
    [removed] = await shared.roster.swap(lease, [Swap(user=7, expected=third.seq, entry=None)])
    assert (removed.done, removed.entry) == (True, None)
    assert (await shared.roster.snapshot(lease)).entries == {}


async def test_of_two_at_once_one_wins(shared: Shared) -> None:
    lease = await shared.roster.join()
    both = (shared.roster, shared.other)
    done = await asyncio.gather(*(each.swap(lease, [Swap(user=7, expected=0, entry=entry(7, lease))]) for each in both))
    assert sorted(each[0].done for each in done) == [False, True]


async def test_the_relay_tells_each_change_once_in_order_and_whoever_waits_hears_at_once(shared: Shared) -> None:
    lease = await shared.roster.join()
    before = (await shared.roster.snapshot(lease)).seq
    waiting = asyncio.create_task(shared.other.changes(before))
    await asyncio.sleep(0)
    written = await put(shared.roster, lease, entry(7, lease))
    async with asyncio.timeout(PATIENCE):
        [heard] = await waiting
    assert (heard.seq, heard.user, heard.entry) == (before + 1, 7, written)
    again = await put(shared.roster, lease, replace(written, refreshed=1), written.seq)
    await shared.roster.swap(lease, [Swap(user=7, expected=again.seq, entry=None)])
    heard_all = await shared.other.changes(before)
    assert [(one.seq - before, one.entry) for one in heard_all] == [(1, written), (2, again), (3, None)]
    assert (await shared.roster.renew(lease)).seq == before + 3
    assert [one.seq for one in await shared.other.changes(before + 2)] == [before + 3]


async def test_a_gap_is_noticed(shared: Shared) -> None:
    lease = await shared.roster.join()
    before = (await shared.roster.snapshot(lease)).seq
    swaps = [Swap(user=user, expected=0, entry=entry(user, lease)) for user in range(300)]
    await shared.roster.swap(lease, swaps)
    with pytest.raises(Missed):
        await shared.other.changes(before)
    assert [one.user for one in await shared.other.changes(before + 290)] == list(range(290, 300))


async def test_a_lost_roster_refuses_all_who_knew_the_old_one(shared: Shared) -> None:
    lease = await shared.roster.join()
    written = await put(shared.roster, lease, entry(7, lease))
    await lose(shared)
    for late in (
        shared.roster.renew(lease),
        shared.roster.snapshot(lease),
        shared.roster.put_back(lease, [written]),
        shared.roster.swap(lease, [Swap(user=7, expected=0, entry=written)]),
    ):
        with pytest.raises(RosterLost):
            await late
    again = await shared.other.join()
    with pytest.raises(RosterLost):
        await shared.roster.renew(lease)
    assert again.number > lease.number


async def test_what_nodes_remember_is_put_back_and_the_youngest_memory_counts(shared: Shared) -> None:
    lease = await shared.roster.join()
    old = await put(shared.roster, lease, entry(7, lease))
    young = await put(shared.roster, lease, replace(old, refreshed=1), old.seq)
    other = await put(shared.roster, lease, entry(8, lease))
    await lose(shared)
    await shared.clock.advance(1.0)
    first, second = await shared.roster.join(), await shared.other.join()
    before = (await shared.roster.snapshot(first)).seq
    assert before > other.seq
    await shared.roster.put_back(first, [old, other])
    await shared.other.put_back(second, [young])
    await shared.roster.put_back(first, [old])
    assert (await shared.roster.snapshot(first)).entries == {7: young, 8: other}
    heard = await shared.other.changes(before)
    assert [(one.user, one.entry) for one in heard] == [(7, old), (8, other), (7, young)]
    tide = await shared.roster.renew(first)
    assert tide.live == {first.number, second.number}
    assert tide.ended == {lease.number: pytest.approx(shared.clock.now())}
    later = await put(shared.roster, first, replace(young, refreshed=2), young.seq)
    assert later.seq > before
    await shared.other.put_back(second, [young])
    assert (await shared.roster.snapshot(first)).entries[7] == later


async def test_ten_thousand_users_are_copied_whole_while_others_write(shared: Shared) -> None:
    lease = await shared.roster.join()
    for start in range(0, 10_000, 500):
        swaps = [Swap(user=user, expected=0, entry=entry(user, lease)) for user in range(start, start + 500)]
        await shared.roster.swap(lease, swaps)
    first = (await shared.roster.snapshot(lease)).entries[0]
    copying = asyncio.create_task(shared.other.snapshot(lease))
    await put(shared.roster, lease, replace(first, refreshed=1), first.seq)
    async with asyncio.timeout(PATIENCE):
        copied = await copying
    assert set(copied.entries) == set(range(10_000))

# SPDX-License-Identifier: Apache-2.0
"""The roster's rules: what an entry should be, given what a node's sockets say and which nodes are no more."""

from dataclasses import replace
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.roster import Entry, Replica, Standing, Wish, follows, foretell, key, merge, owner, reconcile
from wigwag.domain.users import CONNECTED, GRACE, Choice, Privacy, Shown, UserPresence, aggregate

NOW = 1_800_000_000.0
ME, OTHER, DEAD = 30, 20, 10
STANDING = Standing(lease=ME, ended={DEAD: NOW - 5.0})
EMPTY = Entry(presence=UserPresence(user=7), privacy=Privacy())

untils = st.just(CONNECTED) | st.integers(-80, 32).map(lambda quarters: NOW + quarters / 4)  # floats that are exact
names = st.sampled_from("abc")
entries = st.builds(
    lambda devices, choice, seq: Entry(
        presence=UserPresence(
            user=7,
            devices=MappingProxyType(devices),
            choice=choice,
            shown=aggregate(len(devices), choice),
            last_seen=NOW - 30 if devices else None,
            v=5,
        ),
        privacy=Privacy(),
        by=OTHER,
        seq=seq,
    ),
    st.dictionaries(st.builds(key, st.sampled_from([ME, OTHER, DEAD]), names), untils, max_size=5),
    st.sampled_from(Choice),
    st.integers(1, 9),
)
wishes = st.builds(
    Wish,
    devices=st.dictionaries(names, untils, max_size=3),
    left=st.dictionaries(names, st.floats(NOW - 20, NOW), max_size=1),
    choice=st.none() | st.sampled_from(Choice),
)


@given(entries, wishes)
def test_what_is_reconciled_is_what_the_node_wants_and_stays_so(entry: Entry, wish: Wish) -> None:
    wish.left = {name: at for name, at in wish.left.items() if name not in wish.devices}
    after = reconcile(entry, wish, STANDING, NOW)
    assert after is not None
    devices = after.presence.devices
    mine = {name for device in devices if owner(device) == ME for name in [device.partition("/")[2]]}
    here = {name for name, until in wish.devices.items() if until > NOW}
    graces = {d.partition("/")[2] for d, u in entry.presence.devices.items() if owner(d) == ME and NOW < u < CONNECTED}
    assert here <= mine <= here | graces - wish.left.keys()
    others = {d: u for d, u in entry.presence.devices.items() if owner(d) == OTHER and u > NOW}
    assert others.items() <= dict(devices).items()
    assert all(until != CONNECTED for device, until in devices.items() if owner(device) == DEAD)
    assert after.presence.shown is aggregate(len(devices), after.presence.choice)
    assert after.presence.v >= entry.presence.v
    assert (after.presence.last_seen or 0.0) <= NOW
    assert reconcile(after, replace(wish, left={}), STANDING, NOW) == after


def test_the_devices_of_a_dead_node_have_their_grace_from_when_it_may_have_been_alive() -> None:
    there = UserPresence(user=7, devices=MappingProxyType({key(DEAD, "a"): CONNECTED}), shown=Shown.ONLINE, v=5)
    entry = Entry(presence=there, privacy=Privacy(), by=DEAD, seq=1)
    swept = reconcile(entry, Wish(), STANDING, NOW)
    assert swept is not None
    assert (swept.presence.devices[key(DEAD, "a")], swept.presence.v, swept.by) == (NOW - 5.0 + GRACE, 5, ME)
    gone = reconcile(swept, Wish(), STANDING, NOW + 3.0)
    assert gone is not None
    assert (gone.presence.shown, gone.presence.last_seen) == (Shown.OFFLINE, NOW - 5.0)
    assert gone.presence.v > 5


def test_an_entry_goes_when_nobody_is_here_and_the_store_has_it() -> None:
    entry = replace(EMPTY, seq=4, by=ME)
    assert reconcile(entry, Wish(saved=3), STANDING, NOW) == entry
    assert reconcile(entry, Wish(saved=4), STANDING, NOW) is None
    assert reconcile(EMPTY, Wish(), STANDING, NOW) is None


def test_a_deleted_user_has_no_devices_and_comes_back_by_entering() -> None:
    entry = reconcile(EMPTY, Wish(devices={"a": CONNECTED}), STANDING, NOW)
    assert entry is not None
    gone = reconcile(replace(entry, seq=1), Wish(gone=True), STANDING, NOW)
    assert gone is not None
    assert (gone.gone, dict(gone.presence.devices), gone.presence.shown) == (True, {}, Shown.OFFLINE)
    back = reconcile(replace(gone, seq=2), Wish(devices={"b": CONNECTED}), STANDING, NOW)
    assert back is not None
    assert (back.gone, back.presence.shown) == (False, Shown.ONLINE)


def test_a_goodbye_that_was_said_under_a_lost_lease_counts_at_once() -> None:
    there = UserPresence(user=7, devices=MappingProxyType({key(DEAD, "a"): CONNECTED}), shown=Shown.ONLINE, v=5)
    standing = replace(STANDING, former=frozenset({DEAD}))
    after = reconcile(Entry(presence=there, privacy=Privacy(), seq=1), Wish(left={"a": NOW - 1}), standing, NOW)
    assert after is not None
    assert (after.presence.shown, after.presence.last_seen) == (Shown.OFFLINE, NOW - 1)


@given(entries, wishes)
def test_alone_a_node_tells_of_nobody_that_they_went(entry: Entry, wish: Wish) -> None:
    told = foretell(entry, wish, STANDING, NOW)
    assert told.presence.devices.keys() >= entry.presence.devices.keys()
    if wish.choice is None and entry.presence.shown is not Shown.OFFLINE:
        assert told.presence.shown is not Shown.OFFLINE


@given(entries, entries, st.integers(0, 9), st.integers(0, 9), st.none() | st.floats(NOW - 40, NOW))
def test_after_a_merge_the_truth_may_be_told(truth: Entry, told: Entry, v: int, w: int, seen: float | None) -> None:
    told = replace(told, presence=replace(told.presence, v=v, last_seen=seen))
    truth = replace(truth, presence=replace(truth.presence, v=w))
    merged = merge(truth, told, NOW)
    assert follows(merged, told)
    assert merged.presence.v >= truth.presence.v
    assert merged.presence.devices == truth.presence.devices


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.none() | entries), max_size=20))
def test_a_replica_knows_whose_devices_are_whose(puts: list[tuple[int, Entry | None]]) -> None:
    replica, plain = Replica(), dict[int, Entry]()
    for user, entry in puts:
        replica.put(user, entry)
        plain.pop(user, None)
        if entry is not None:
            plain[user] = entry
    assert {user: replica.get(user) for user in replica} == plain
    assert replica.active == sum(bool(entry.presence.devices) for entry in plain.values())
    for lease in (ME, OTHER, DEAD):
        owned = {u for u, e in plain.items() if e.by == lease or any(owner(d) == lease for d in e.presence.devices)}
        assert replica.owned(lease) == owned
        assert (lease in replica.leases()) is bool(owned)

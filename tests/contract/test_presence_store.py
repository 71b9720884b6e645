# SPDX-License-Identifier: Apache-2.0
"""The law of the port PresenceStore, on every kind of store."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wigwag.app.ports import PresenceStore, WatchStore
from wigwag.domain.history import Batch, Interval, Kind
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, Status
from wigwag.domain.subscriptions import State, Subscription
from wigwag.domain.watchlist import Watch

FIRST = 15_550_000_000
JID, OTHER = Jid(f"{FIRST}@s.whatsapp.net"), Jid(f"{FIRST + 1}@s.whatsapp.net")
NOW = 1_763_637_780.123456
ALWAYS = (0.0, 1e11)

instants = st.floats(0.0, 4e9, allow_nan=False).map(abs)
counters = st.integers(0, 2**32 - 1)
texts = st.text(max_size=300) | st.sampled_from(
    ["", "👩🏽\u200d🚀 Ané", "الاسم", "a\0b", "\ud83d", " x ", "'; --", "%s {} \\"]
)
presences = st.builds(
    Presence,
    jid=st.just(JID),
    name=texts,
    account=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True),
    status=st.sampled_from(Status),
    since=instants,
    last_seen=st.none() | instants,
    heard=instants,
    went_online=counters,
    went_offline=counters,
)
people = count(FIRST + 1_000_000)  # each example has its own, so that none has to clean up after another
on_one_store = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def contact(number: int = FIRST, **known: object) -> Presence:
    return replace(Presence(jid=Jid(f"{number}@s.whatsapp.net"), name="", account="default"), **known)  # type: ignore[arg-type]


def online(start: float, end: float | None = None, jid: Jid = JID) -> Interval:
    return Interval(jid=jid, kind=Kind.ONLINE, start=start, end=end)


def batch(presences: Sequence[Presence] = (), intervals: Sequence[Interval] = (), alive_at: float = NOW) -> Batch:
    return Batch(presences=list(presences), intervals=list(intervals), alive_at=alive_at)


async def test_a_new_store_is_empty_and_was_never_alive(presence: PresenceStore) -> None:
    assert await presence.load() == ([], 0.0)
    assert await presence.history(JID, *ALWAYS) == []


@on_one_store
@given(saved=presences)
async def test_what_is_saved_is_loaded_to_the_last_bit(presence: PresenceStore, saved: Presence) -> None:
    await presence.save(batch([saved], alive_at=saved.heard))
    ([loaded], alive_at) = await presence.load()
    assert replace(loaded, name="") == replace(saved, name="")
    assert alive_at == saved.heard
    kept = saved.name[:255].replace("\0", "?")
    assert loaded.name == "".join("?" if "\ud800" <= letter <= "\udfff" else letter for letter in kept)


async def test_a_name_survives_whole_up_to_255_characters_whatever_its_script(presence: PresenceStore) -> None:
    await presence.save(batch([contact(name="🦩" * 255), contact(FIRST + 1, name="🦩" * 256)]))
    loaded, _alive_at = await presence.load()
    assert [found.name for found in loaded] == ["🦩" * 255, "🦩" * 255]


@on_one_store
@given(start=instants, end=instants)
async def test_an_interval_is_kept_to_the_last_bit(presence: PresenceStore, start: float, end: float) -> None:
    jid = Jid(f"{next(people)}@s.whatsapp.net")
    await presence.save(batch([], [online(start, end, jid)]))
    assert await presence.history(jid, *ALWAYS) == [online(start, end, jid)]


@on_one_store
@given(data=st.data(), again=st.lists(st.booleans(), max_size=6))
async def test_batches_saved_once_or_twice_read_like_a_dictionary(
    presence: PresenceStore, data: st.DataObject, again: list[bool]
) -> None:
    """However contacts and intervals repeat within a batch or between batches, the last word counts."""
    jids = [Jid(f"{next(people)}@s.whatsapp.net") for _ in range(3)]
    someone = st.sampled_from(jids)
    contacts = st.lists(st.builds(lambda found, jid: replace(found, jid=jid), presences, someone), max_size=5)
    stretch = st.builds(
        Interval,
        jid=someone,
        kind=st.sampled_from(Kind),
        start=st.integers(1, 4).map(float),
        end=st.none() | st.integers(4, 9).map(float),
    )
    written: dict[Jid, Presence] = {}
    past: dict[tuple[Jid, float, Kind], Interval] = {}
    for twice in again:
        saved = batch(data.draw(contacts), data.draw(st.lists(stretch, max_size=6)))
        for _ in range(1 + twice):
            await presence.save(saved)
        written |= {found.jid: found for found in saved.presences}
        past |= {(found.jid, found.start, found.kind): found for found in saved.intervals}
    for jid in jids:
        expected = [past[key] for key in sorted(past) if key[0] == jid]
        assert await presence.history(jid, *ALWAYS) == expected
    together = await presence.histories(jids[:2], *ALWAYS)
    assert [[each for each in together if each.jid == jid] for jid in jids] == [
        *[await presence.history(jid, *ALWAYS) for jid in jids[:2]],
        [],
    ]
    assert await presence.histories([], *ALWAYS) == []
    loaded = {found.jid: found for found in (await presence.load())[0]}
    assert {jid: replace(loaded[jid], name="") for jid in jids if jid in loaded} == {
        jid: replace(found, name="") for jid, found in written.items()
    }


async def test_what_was_open_when_we_died_ends_when_we_were_last_alive(presence: PresenceStore) -> None:
    observed = Interval(jid=JID, kind=Kind.OBSERVED, start=NOW - 60.0)
    later = online(NOW + 5.0, jid=OTHER)  # a clock that was set back: an interval never ends before it starts
    past = online(NOW - 90.0, NOW - 80.0)
    await presence.save(batch([], [past, observed, online(NOW - 30.0), later], alive_at=NOW))
    await presence.load()
    assert await presence.history(JID, *ALWAYS) == [past, replace(observed, end=NOW), online(NOW - 30.0, NOW)]
    assert await presence.history(OTHER, *ALWAYS) == [replace(later, end=NOW + 5.0)]
    await presence.save(batch(alive_at=NOW + 100.0))
    await presence.load()
    assert (await presence.history(JID, *ALWAYS))[1] == replace(observed, end=NOW)


@pytest.mark.parametrize(
    ("start", "end", "touched"),
    [
        (0.0, 10.0, []),
        (0.0, 10.5, [10.0]),
        (15.0, 16.0, [10.0]),
        (19.5, 30.0, [10.0]),
        (20.0, 30.0, []),
        (20.0, 30.5, [30.0]),
        (30.0, 31.0, [30.0]),
        (31.0, 40.0, []),
        (45.0, 46.0, [40.0]),
        (0.0, 99.0, [10.0, 30.0, 40.0]),
        (15.0, 15.0, []),
        (45.0, 15.0, []),
    ],
)
async def test_history_has_the_intervals_that_touch_a_stretch_whole_and_oldest_first(
    presence: PresenceStore, start: float, end: float, touched: list[float]
) -> None:
    """One from 10 to 20, one that is only the instant 30, and one that lasts since 40."""
    stretches = [online(40.0), online(10.0, 20.0), online(30.0, 30.0), online(10.0, 20.0, OTHER)]
    await presence.save(batch([], stretches))
    found = await presence.history(JID, start, end)
    assert [stretch.start for stretch in found] == touched
    assert set(found) <= set(stretches)


@pytest.mark.parametrize(("before", "forgotten"), [(20.0, 0), (20.5, 1), (31.0, 2), (1e9, 2)])
async def test_forgetting_takes_what_ended_before_and_says_how_many(
    presence: PresenceStore, before: float, forgotten: int
) -> None:
    await presence.save(batch([contact()], [online(10.0, 20.0), online(30.0, 30.0), online(40.0)]))
    assert await presence.forget(before) == forgotten
    assert len(await presence.history(JID, *ALWAYS)) == 3 - forgotten
    assert await presence.forget(before) == 0
    assert len((await presence.load())[0]) == 1


async def test_an_erased_person_leaves_nothing_and_takes_nobody_along(
    presence: PresenceStore, watches: WatchStore
) -> None:
    group = "120363041234567890@g.us"
    await presence.save(batch([contact(), contact(FIRST + 1)], [online(1.0), online(2.0, jid=OTHER)]))
    await watches.put([Watch(jid=jid, source=source, account="a") for jid in (JID, OTHER) for source in ("", group)])
    failed = [Subscription(jid=jid, priority=1, state=State.FAILED, attempts=1, due=NOW) for jid in (JID, OTHER)]
    await watches.save_subscriptions(failed)
    for _ in range(2):
        await presence.erase(JID)
    assert [found.jid for found in (await presence.load())[0]] == [OTHER]
    assert await presence.history(JID, *ALWAYS) == []
    assert len(await presence.history(OTHER, *ALWAYS)) == 1
    assert [watch.jid for watch in (await watches.load())[0]] == [OTHER, OTHER]
    assert await watches.subscriptions() == [(OTHER, 1, NOW)]


async def test_ten_thousand_contacts_come_back_and_their_past_goes(presence: PresenceStore) -> None:
    saved = [contact(FIRST + number, heard=NOW + number) for number in range(10_000)]
    stretches = [online(NOW, NOW + 1.0, found.jid) for found in saved]
    await presence.save(batch(saved, stretches))
    loaded, _alive_at = await presence.load()
    assert sorted(loaded, key=lambda found: found.jid) == saved
    assert await presence.forget(NOW + 2.0) == 10_000
    assert await presence.history(JID, *ALWAYS) == []


async def test_saves_at_the_same_time_do_not_harm_each_other(presence: PresenceStore) -> None:
    saved = [contact(FIRST + number) for number in range(200)]
    halves = [saved[:150], saved[50:][::-1], saved[::2], saved[1::2]]
    async with asyncio.TaskGroup() as tasks:
        for half in halves:
            tasks.create_task(presence.save(batch(half, [online(NOW, jid=found.jid) for found in half])))
            tasks.create_task(presence.history(JID, *ALWAYS))
    loaded, _alive_at = await presence.load()
    assert sorted(loaded, key=lambda found: found.jid) == saved

# SPDX-License-Identifier: Apache-2.0
"""The law of the port EventLog, on every kind of store."""

import asyncio
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.making import NOW, event, job, message
from wigwag.app.ports import EventLog, Ledger, MessageStore

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
on_one_store = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def test_a_new_log_is_empty(log: EventLog) -> None:
    await log.append([])
    assert await log.after(0, 9) == []
    assert await log.last() == 0
    assert await log.get("event-1") is None


@on_one_store
@given(data=st.dictionaries(st.text(max_size=9), plain, max_size=4), trace=st.none() | st.just("00-0af7-b7ad-01"))
async def test_an_event_comes_back_as_it_was_told(log: EventLog, data: dict[str, object], trace: str | None) -> None:
    """Even texts that a database cannot hold are whole in an event's data."""
    told = replace(event(), data=data | {"odd": "\0 \ud83d 🦩"}, trace=trace)
    await log.append([told])
    assert await log.get(told.id) == told
    assert (await log.after(await log.last() - 1, 9))[0][1] == told


async def test_events_come_in_order_from_a_position_on(log: EventLog) -> None:
    told = [event(number=number) for number in range(7)]
    await log.append(told[:3])
    await log.append(told[3:])
    found = await log.after(0, 100)
    assert [each for _position, each in found] == told
    positions = [position for position, _each in found]
    assert positions == sorted(set(positions))
    assert await log.last() == positions[-1]
    assert await log.after(positions[2], 2) == found[3:5]
    assert await log.after(positions[-1], 9) == []


async def test_an_event_is_kept_once_and_as_it_was_first(log: EventLog) -> None:
    first = event(said="first")
    again = replace(first, data={"said": "again"})
    other = event()
    await log.append([first, again])
    await log.append([again, other])
    assert [each for _position, each in await log.after(0, 9)] == [first, other]
    assert (await log.after(0, 9))[-1][0] == await log.last()


async def test_ids_are_told_apart_to_the_last_letter(log: EventLog) -> None:
    ids = ["e", "E", "e ", "x" * 255, "x" * 254 + "y"]
    await log.append([replace(event(), id=name) for name in ids])
    assert [each.id for _position, each in await log.after(0, 9)] == ids


async def test_a_position_is_never_given_twice(log: EventLog) -> None:
    await log.append([event(), event()])
    last = await log.last()
    assert await log.forget(NOW + 1.0) == 2
    assert await log.last() == last
    await log.append([event()])
    assert [position > last for position, _each in await log.after(0, 9)] == [True]


async def test_what_happened_before_is_forgotten(log: EventLog) -> None:
    old, young = [event() for _ in range(6000)], replace(event(), at=NOW + 1.0)
    await log.append([*old, young])
    assert await log.forget(NOW + 1.0) == 6000
    assert [each for _position, each in await log.after(0, 9)] == [young]
    assert await log.get(old[0].id) is None


async def test_all_writers_share_one_order(log: EventLog, ledger: Ledger, messages: MessageStore) -> None:
    """Whoever reads on from where it was misses nothing."""
    told = [event(number=number) for number in range(30)]
    seen: list[tuple[int, object]] = []
    async with asyncio.TaskGroup() as tasks:
        for number in range(0, 30, 3):
            tasks.create_task(log.append([told[number]]))
            tasks.create_task(ledger.accept([job()], [told[number + 1]]))
            tasks.create_task(messages.keep([message()], [told[number + 2]]))
            seen += await log.after(seen[-1][0] if seen else 0, 100)
    seen += await log.after(seen[-1][0] if seen else 0, 100)
    assert seen == await log.after(0, 100)
    assert {each.id for _position, each in await log.after(0, 100)} == {each.id for each in told}

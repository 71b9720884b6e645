# SPDX-License-Identifier: Apache-2.0
"""Webhooks through outages and kills, and what people do with endpoints and deliveries. In virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app.hooking import HOUR, A, B, World, at_work, failing
from wigwag.app.ports import DeliveryFilter
from wigwag.domain.errors import Conflict, InvalidUrl, NotFound
from wigwag.domain.events import PartFailed
from wigwag.domain.webhooks import (
    BREAKS,
    RETENTION,
    Condition,
    State,
    Wish,
)
from wigwag.testing import START


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with at_work() as world:
        yield world


# --- the store, and kills


async def test_while_the_store_is_away_nothing_is_lost_and_it_is_said_once(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    world.postman.gate = asyncio.Event()
    told = await world.tell(3)
    await world.clock.advance(2)
    world.store.away = True
    world.postman.gate.set()
    told += await world.tell(3)
    await world.clock.advance(30)
    assert sorted(world.postman.ids()) == sorted(told[:3])
    assert {fact.part for fact in world.facts.of(PartFailed)} >= {"webhooks"}
    world.store.away = False
    await world.clock.advance(5)
    assert sorted(world.postman.ids()) == sorted(told)
    assert {one.state for one in await world.all(endpoint)} == {State.DELIVERED}


@settings(max_examples=40)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 8), st.sampled_from([0.0, 0.3, 2.0, 6.0, 400.0]), st.booleans()), max_size=12
    ),
    verdicts=st.lists(st.sampled_from([200, 500, 429, 301]), min_size=1, max_size=9),
    ordered=st.booleans(),
)
def test_every_event_is_delivered_at_least_once_whenever_we_are_killed(
    steps: Sequence[tuple[int, float, bool]], verdicts: Sequence[int], ordered: bool
) -> None:
    async def live() -> None:
        async with at_work() as world:
            endpoint = await world.webhooks.add(Wish(url=A, ordered=ordered))
            count = [0]

            def answer(_id: str) -> int:
                count[0] += 1
                return verdicts[count[0] % len(verdicts)]

            world.postman.answers[A] = answer
            told: list[str] = []
            for events, seconds, kill in steps:
                told += await world.tell(events)
                await world.clock.advance(seconds)
                if kill:
                    await world.kill()
                    await world.begin()
            world.postman.answers[A] = lambda _id: 200
            for _ in range(20):
                await world.clock.jump(2 * HOUR)
            assert set(world.postman.ids()) == set(told)
            assert [one.state for one in await world.all(endpoint)] == [State.DELIVERED] * len(told)

    asyncio.run(live())


async def test_the_breaker_and_the_schedule_outlive_a_restart(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    world.postman.answers[A] = lambda _id: 500
    await world.tell(BREAKS)
    await world.clock.advance(20)
    before, count = world.webhooks.endpoint(endpoint.id), len(world.postman.posts)
    assert before.condition is Condition.FAILING
    await world.kill()
    await world.begin()
    assert world.webhooks.endpoint(endpoint.id) == before
    await world.clock.advance(0)
    assert len(world.postman.posts) == count


# --- what people do


async def test_a_test_is_sent_to_its_endpoint_alone_whatever_it_wants(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A, events=("call.received",), accounts=("sales",)))
    await world.webhooks.add(Wish(url=B))
    one = await world.webhooks.test(endpoint.id)
    await world.clock.advance(1.1)
    assert (one.kind, one.endpoint) == ("webhook.test", endpoint.id)
    assert len(world.postman.ids(A)) == 1
    assert world.postman.ids(B) == []


async def test_a_paused_endpoint_keeps_what_waits_and_misses_what_comes(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    world.postman.answers[A] = failing(1)
    waiting = await world.tell()
    await world.clock.advance(1.1)
    await world.webhooks.change(endpoint.id, Wish(url=A, enabled=False))
    missed = await world.tell()
    await world.clock.advance(HOUR)
    assert world.postman.ids() == waiting
    with pytest.raises(Conflict):
        await world.webhooks.test(endpoint.id)
    await world.webhooks.enable(endpoint.id)
    await world.clock.advance(2)
    assert world.postman.ids() == waiting * 2
    assert await world.webhooks.replay_since(endpoint.id, START) == 1
    await world.clock.advance(2)
    assert world.postman.ids() == waiting * 2 + missed


async def test_a_replay_brings_what_failed_and_was_missed_or_everything_if_wanted(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    bad, good = await world.tell(2)
    world.postman.answers[A] = lambda sent: 500 if sent == bad else 200
    await world.clock.advance(80 * HOUR)
    world.postman.answers[A] = lambda _id: 200
    world.postman.posts.clear()
    assert await world.webhooks.replay_since(endpoint.id, world.clock.now()) == 0
    assert await world.webhooks.replay_since(endpoint.id, START) == 1
    await world.clock.advance(2)
    assert world.postman.ids() == [bad]
    assert await world.webhooks.replay_since(endpoint.id, START, delivered=True) == 2
    await world.clock.advance(2)
    assert sorted(world.postman.ids()) == sorted([bad, bad, good])


async def test_one_delivery_is_replayed_with_the_same_id(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    await world.tell()
    await world.clock.advance(2)
    [one] = await world.all(endpoint)
    again = await world.webhooks.replay(one.id)
    assert (again.state, again.attempts) == (State.PENDING, 0)
    await world.clock.advance(2)
    assert len(world.postman.ids()) == 2
    assert len(set(world.postman.ids())) == 1
    delivery, event = await world.webhooks.delivery(one.id)
    assert (len(delivery.tries), event.id) == (2, one.event)


async def test_after_a_rotation_two_secrets_sign_for_a_day(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    rotated = await world.webhooks.rotate(endpoint.id, secret="whsec_" + "A" * 40)
    assert rotated.secrets[0].text == "whsec_" + "A" * 40
    for hours, signatures in [(0, 2), (25, 1)]:
        await world.clock.advance(hours * HOUR)
        await world.tell()
        await world.clock.advance(2)
        assert len(world.postman.posts[-1][3]["webhook-signature"].split()) == signatures


async def test_a_changed_url_is_used_for_what_waits(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    world.postman.answers[A] = lambda _id: 404
    told = await world.tell()
    await world.clock.advance(2)
    await world.webhooks.change(endpoint.id, Wish(url=B))
    await world.clock.advance(10)
    assert world.postman.ids(B) == told


async def test_a_removed_endpoint_is_left_alone_also_by_attempts_under_way(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    world.postman.gate = asyncio.Event()
    await world.tell(9)
    await world.clock.advance(2)
    await world.webhooks.remove(endpoint.id)
    world.postman.gate.set()
    await world.clock.advance(HOUR)
    assert len(world.postman.posts) == 4
    assert await world.store.endpoints() == []
    assert not [task for task in asyncio.all_tasks() if task.get_name() == f"webhook {endpoint.id}"]
    with pytest.raises(NotFound):
        world.webhooks.endpoint(endpoint.id)


async def test_an_event_that_was_erased_is_not_told_any_more(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    world.postman.answers[A] = failing(1)
    await world.tell()
    await world.clock.advance(2)
    await world.log.forget(START + HOUR)
    await world.clock.advance(HOUR)
    assert len(world.postman.posts) == 1
    assert await world.all(endpoint) == []


async def test_old_deliveries_are_forgotten(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    await world.tell()
    await world.clock.advance(2)
    await world.clock.jump(RETENTION - HOUR)
    assert len(await world.all(endpoint)) == 1
    await world.clock.jump(2 * HOUR)
    assert await world.all(endpoint) == []


@pytest.mark.parametrize("name", ["wh_nobody", "", "x-1"])
async def test_what_is_not_there_is_not_found(world: World, name: str) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: world.webhooks.remove(name),
        lambda: world.webhooks.rotate(name),
        lambda: world.webhooks.test(name),
        lambda: world.webhooks.enable(name),
        lambda: world.webhooks.change(name, Wish(url=A)),
        lambda: world.webhooks.replay_since(name, 0.0),
        lambda: world.webhooks.replay(name),
        lambda: world.webhooks.delivery(name),
        lambda: world.webhooks.deliveries(DeliveryFilter(endpoint=name), 1),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            await call()


async def test_a_bad_wish_changes_nothing(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    with pytest.raises(InvalidUrl):
        await world.webhooks.change(endpoint.id, Wish(url="http://user@a.example"))
    with pytest.raises(InvalidUrl):
        await world.webhooks.add(replace(Wish(url=A), url="nope"))
    assert [one.url for one in await world.store.endpoints()] == [A]

# SPDX-License-Identifier: Apache-2.0
"""Webhooks in virtual time: each event once into the queue, at least once to the endpoint, whatever happens between."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.app.hooking import HOUR, NEWS, A, B, World, at_work, failing
from wigwag.domain.errors import InvalidUrl, Unavailable
from wigwag.domain.events import DeliveryTried, EndpointChanged, EventsDropped
from wigwag.domain.outbox import Event
from wigwag.domain.webhooks import (
    BACKLOG,
    GIVE_UP,
    Answer,
    Condition,
    State,
    Wish,
)
from wigwag.testing import START


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with at_work() as world:
        yield world


# --- the usual


async def test_an_event_is_delivered_signed_and_told_of(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    [told] = await world.tell()
    await world.clock.advance(1.1)
    [(_at, url, sent, headers, content)] = world.postman.posts
    assert (url, sent) == (A, told)
    assert headers["webhook-signature"].startswith("v1,")
    assert json.loads(content)["type"] == "message.received"
    [one] = await world.all(endpoint)
    assert (one.state, one.attempts, one.tries[0].status) == (State.DELIVERED, 1, 200)
    [fact] = world.facts.of(DeliveryTried)
    assert (fact.endpoint, fact.host, fact.outcome, fact.status) == (endpoint.id, "a.example", "delivered", 200)
    assert world.webhooks.backlog() == {endpoint.id: 0}


async def test_what_is_written_after_its_fact_is_delivered_within_a_second(world: World) -> None:
    await world.webhooks.add(Wish(url=A))
    world.webhooks.hear(NEWS)
    await world.clock.advance(0.5)
    await world.log.append([Event(id="late", kind="group.changed", account="", at=START, data={})])
    await world.clock.advance(0.7)
    assert len(world.postman.ids()) == 1


async def test_what_nobody_announced_is_delivered_within_a_minute(world: World) -> None:
    await world.webhooks.add(Wish(url=A))
    await world.log.append([Event(id="quiet", kind="group.changed", account="", at=START, data={})])
    await world.clock.advance(61)
    assert len(world.postman.ids()) == 1


async def test_an_endpoint_hears_only_what_it_wants_and_only_from_now_on(world: World) -> None:
    await world.tell(700)
    await world.webhooks.add(Wish(url=A, events=("message.*",), accounts=("sales",)))
    await world.tell(kind="account.changed", account="sales")
    await world.tell(account="default")
    wanted = await world.tell(account="sales")
    await world.clock.advance(2)
    assert world.postman.ids() == wanted
    assert world.webhooks.wanted("message.sent")
    assert not world.webhooks.wanted("account.changed")


async def test_what_happened_before_the_first_endpoint_stays_past_over_a_kill(world: World) -> None:
    await world.tell(3)
    await world.webhooks.add(Wish(url=A))
    await world.kill()
    await world.begin()
    await world.clock.advance(2)
    assert world.postman.posts == []


# --- failing


@pytest.mark.parametrize("first", [301, 400, 404, 500, Unavailable(), InvalidUrl(), "never"])
async def test_a_failure_is_tried_again_by_the_schedule_with_the_same_id(world: World, first: Any) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    world.postman.answers[A] = failing(3, first=first)
    [told] = await world.tell()
    await world.clock.advance(HOUR)
    assert world.postman.ids() == [told] * 4
    gaps = [round(after - before) for before, after in zip(world.postman.times(), world.postman.times()[1:])]  # noqa: B905
    patience = 15 if first == "never" else 0
    assert gaps == [5 + patience, 300 + patience, 1800 + patience]
    [one] = await world.all(endpoint)
    assert (one.state, len(one.tries)) == (State.DELIVERED, 4)
    assert [fact.outcome for fact in world.facts.of(DeliveryTried)] == ["retry", "retry", "retry", "delivered"]


async def test_after_three_days_a_delivery_has_failed_for_good(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    world.postman.answers[A] = lambda _id: 500
    await world.tell()
    await world.clock.advance(80 * HOUR)
    assert len(world.postman.ids()) == 10
    assert world.postman.times()[-1] >= 75 * HOUR
    [one] = await world.all(endpoint)
    assert (one.state, one.attempts) == (State.FAILED, 10)
    assert world.facts.of(DeliveryTried)[-1].outcome == "failed"
    assert world.webhooks.endpoint(endpoint.id).enabled


@pytest.mark.parametrize("status", [429, 503])
async def test_an_asked_wait_is_kept_by_the_whole_endpoint(world: World, status: int) -> None:
    await world.webhooks.add(Wish(url=A, concurrency=1))
    world.postman.answers[A] = failing(1, first=Answer(status=status, retry_after="120"))
    await world.tell(3)
    await world.clock.advance(100)
    assert len(world.postman.ids()) == 1
    await world.clock.advance(100)
    assert len(world.postman.ids()) == 4


async def test_gone_disables_at_once_and_the_others_are_told(world: World) -> None:
    gone = await world.webhooks.add(Wish(url=A, concurrency=1))
    await world.webhooks.add(Wish(url=B, events=("webhook.*",)))
    world.postman.answers[A] = lambda _id: 410
    await world.tell(2)
    await world.clock.advance(5)
    assert len(world.postman.ids(A)) == 1
    [(_at, _url, _id, _headers, content)] = [post for post in world.postman.posts if post[1] == B]
    told = json.loads(content)
    assert told["type"] == "webhook.disabled"
    assert told["data"] | {"failing_since": 0} == {
        "account": None, "endpoint": gone.id, "host": "a.example", "reason": "gone", "failures": 1, "failing_since": 0
    }  # fmt: skip
    assert (await world.store.endpoints())[0].reason == "gone"
    assert world.facts.of(EndpointChanged)[0].condition == "disabled"


async def test_five_days_of_nothing_but_failures_disable_an_endpoint(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    world.postman.answers[A] = lambda _id: 500
    for _hour in range(20):
        await world.tell()
        await world.clock.advance(GIVE_UP / 20)
    await world.tell()
    await world.clock.advance(HOUR)
    found = world.webhooks.endpoint(endpoint.id)
    assert (found.enabled, found.reason) == (False, "failing")
    count = len(world.postman.posts)
    await world.tell()
    await world.clock.advance(24 * HOUR)
    assert len(world.postman.posts) == count


async def test_a_dead_endpoint_is_probed_with_one_delivery_and_the_others_keep_their_attempts(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    world.postman.answers[A] = lambda _id: 500
    await world.tell(200)
    await world.clock.advance(HOUR)
    assert 12 <= len(world.postman.posts) <= 30
    assert world.webhooks.endpoint(endpoint.id).condition is Condition.FAILING
    assert sum(one.attempts == 0 for one in await world.all(endpoint)) >= 170
    world.postman.answers[A] = lambda _id: 200
    await world.clock.advance(HOUR)
    assert world.webhooks.endpoint(endpoint.id).condition is Condition.WORKING
    assert sum(one.state is State.DELIVERED for one in await world.all(endpoint)) >= 190
    assert [fact.condition for fact in world.facts.of(EndpointChanged)] == ["failing", "working"]


async def test_an_endpoint_that_swallows_everything_delays_no_other(world: World) -> None:
    for number in range(20):
        url = f"https://hole{number}.example/"
        await world.webhooks.add(Wish(url=url))
        world.postman.answers[url] = lambda _id: "never"
    await world.webhooks.add(Wish(url=A))
    told = await world.tell(50)
    await world.clock.advance(1.1)
    assert world.postman.ids() == told


# --- how many at once, and in which order


@pytest.mark.parametrize(("wish", "most"), [(Wish(url=A), 4), (Wish(url=A, concurrency=9), 9), (Wish(url=A, ordered=True, concurrency=9), 1)])  # fmt: skip # noqa: E501
async def test_not_more_are_under_way_than_an_endpoint_wants(world: World, wish: Wish, most: int) -> None:
    await world.webhooks.add(wish)
    world.postman.gate = asyncio.Event()
    await world.tell(30)
    await world.clock.advance(2)
    assert world.postman.open == most
    world.postman.gate.set()
    await world.clock.advance(2)
    assert (len(set(world.postman.ids())), world.postman.most_open) == (30, most)


async def test_an_ordered_endpoint_hears_in_order_through_failures(world: World) -> None:
    await world.webhooks.add(Wish(url=A, ordered=True))
    world.postman.answers[A] = failing(3)
    told = await world.tell(20)
    await world.clock.advance(HOUR)
    assert world.postman.ids() == [told[0]] * 3 + told


async def test_an_event_that_an_ordered_endpoint_cannot_take_steps_aside_after_five_attempts(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A, ordered=True))
    bad, *good = await world.tell(5)
    world.postman.answers[A] = lambda sent: 400 if sent == bad else 200
    await world.clock.advance(2.5 * HOUR)
    assert world.postman.ids() == [bad] * 4
    await world.clock.advance(HOUR)
    assert world.postman.ids() == [bad] * 5 + good
    await world.clock.advance(80 * HOUR)
    assert world.postman.ids() == [bad] * 5 + good + [bad] * 5
    assert [one.state for one in await world.all(endpoint)] == [State.FAILED] + [State.DELIVERED] * 4


async def test_what_waits_for_one_endpoint_is_bounded_and_said(world: World) -> None:
    endpoint = await world.webhooks.add(Wish(url=A))
    world.postman.gate = asyncio.Event()
    world.webhooks._lanes[endpoint.id].waiting = BACKLOG - 2
    await world.tell(5)
    await world.clock.advance(1.1)
    assert [(fact.endpoint, fact.count) for fact in world.facts.of(EventsDropped)] == [(endpoint.id, 3)]
    assert len(await world.all(endpoint)) == 2
    await world.clock.advance(60)  # what waits is counted anew
    assert world.webhooks.backlog() == {endpoint.id: 2}
    assert await world.webhooks.replay_since(endpoint.id, START) == 3

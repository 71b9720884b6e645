# SPDX-License-Identifier: Apache-2.0
"""Webhooks in virtual time: each event once into the queue, at least once to the endpoint, whatever happens between."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wigwag.adapters.memory.events import MemoryEventLog
from wigwag.adapters.memory.webhooks import MemoryWebhookStore
from wigwag.app.ports import DeliveryFilter
from wigwag.app.webhooks import Hooks, Webhooks
from wigwag.domain.errors import Conflict, InvalidUrl, NotFound, StoreUnavailable, Unavailable
from wigwag.domain.events import DeliveryTried, EndpointChanged, EventsDropped, GroupReported, PartFailed
from wigwag.domain.ids import Jid
from wigwag.domain.outbox import Event
from wigwag.domain.signing import webhook_id
from wigwag.domain.webhooks import (
    BACKLOG,
    BREAKS,
    GIVE_UP,
    RETENTION,
    Answer,
    Condition,
    Delivery,
    Endpoint,
    State,
    Wish,
)
from wigwag.testing import START, FakeClock, RecordingSink

HOUR = 3600.0
A, B = "https://a.example/hook", "https://b.example/hook"
ALWAYS = 10**9
NEWS = GroupReported(account="default", group=Jid("120363400902171371@g.us"), at=START)


def fine(_id: str) -> int:
    return 200


@dataclass
class FakePostman:
    """Endpoints by URL, each with what it answers: a status, an error, or "never"."""

    clock: FakeClock
    answers: dict[str, Callable[[str], Any]] = field(default_factory=dict)
    posts: list[tuple[float, str, str, Mapping[str, str], bytes]] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    gate: asyncio.Event | None = None  # while it is there and not set, every post waits at it

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        self.posts.append((self.clock.now(), url, headers["webhook-id"], headers, content))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            if self.gate is not None:
                await self.gate.wait()
            answer = self.answers.get(url, fine)(headers["webhook-id"])
            if answer == "never":
                await self.clock.sleep(15.0)
                raise Unavailable("it did not answer within 15 s.")
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, Answer) else Answer(status=answer)
        finally:
            self.open -= 1

    def ids(self, url: str = A) -> list[str]:
        return [sent for _at, to, sent, _headers, _content in self.posts if to == url]

    def times(self, url: str = A) -> list[float]:
        return [at - START for at, to, *_rest in self.posts if to == url]


class FlakyStore(MemoryWebhookStore):
    """A store that may be away."""

    away = False

    async def due(self, *args: Any, **more: Any) -> list[Delivery]:
        self._present()
        return await super().due(*args, **more)

    async def record(self, *args: Any, **more: Any) -> None:
        self._present()
        await super().record(*args, **more)

    async def queue(self, *args: Any, **more: Any) -> None:
        self._present()
        await super().queue(*args, **more)

    def _present(self) -> None:
        if self.away:
            raise StoreUnavailable


@dataclass(kw_only=True)
class World:
    """Webhooks over memory. `begin` starts them, `kill` ends them in the middle of everything."""

    clock: FakeClock = field(default_factory=FakeClock)
    log: MemoryEventLog = field(default_factory=MemoryEventLog)
    facts: RecordingSink = field(default_factory=RecordingSink)

    def __post_init__(self) -> None:
        self.store: FlakyStore = FlakyStore(self.log)
        self.postman = FakePostman(self.clock)
        self._told = self._made = 0

    async def begin(self) -> None:
        self.webhooks = Webhooks(
            hooks=Hooks(endpoints=self.store, deliveries=self.store, archive=self.store, postman=self.postman),
            events=self.log,
            clock=self.clock,
            announce=self.facts,
            chance=lambda: 0.0,
            new_id=self._new_id,
            random=bytes,
        )
        await self.webhooks.restore()
        self._task = asyncio.create_task(self.webhooks.run(), name="webhooks")
        await self.clock.settle()

    async def kill(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def tell(self, count: int = 1, kind: str = "message.received", account: str = "default") -> list[str]:
        """So many things happen. Returns what their `webhook-id` will be."""
        self._told += count
        told = [
            Event(id=f"event {n}", kind=kind, account=account, at=self.clock.now(), data={"n": n})
            for n in range(self._told - count, self._told)
        ]
        await self.log.append(told)
        self.webhooks.hear(NEWS)
        return [webhook_id(event.id) for event in told]

    async def all(self, endpoint: Endpoint) -> list[Delivery]:
        return (await self.store.deliveries(DeliveryFilter(endpoint=endpoint.id), ALWAYS))[::-1]

    def _new_id(self) -> str:
        self._made += 1
        return f"{self._made:016d}{'0' * 16}"


@asynccontextmanager
async def at_work() -> AsyncIterator[World]:
    world = World()
    await world.begin()
    try:
        yield world
    finally:
        await world.kill()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with at_work() as world:
        yield world


def failing(times: int, then: Any = 200, first: Any = 500) -> Callable[[str], Any]:
    left = [times]

    def answer(_id: str) -> Any:
        left[0] -= 1
        return first if left[0] >= 0 else then

    return answer


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

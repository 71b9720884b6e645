# SPDX-License-Identifier: Apache-2.0
"""What the outside may ask of webhooks, and the tasks that keep them going.

Endpoints are held in memory, one lane each; what is changed here is on disk before it holds.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, DeliveryArchive, DeliveryFilter, DeliveryStore, EndpointStore, EventLog, Postman
from wigwag.app.webhooks.clerk import Clerk
from wigwag.app.webhooks.lane import Lane
from wigwag.app.webhooks.router import PAGE, Router, new_delivery
from wigwag.domain.errors import Conflict, NotFound
from wigwag.domain.events import (
    AccountChanged,
    CallReported,
    EndpointChanged,
    Fact,
    GroupReported,
    JobChanged,
    MessageReceived,
)
from wigwag.domain.outbox import Event, wanted
from wigwag.domain.presence import PresenceChanged
from wigwag.domain.signing import Secret, given_secret, new_secret
from wigwag.domain.webhooks import (
    BACKLOG,
    RETENTION,
    ROTATION,
    Delivery,
    Endpoint,
    State,
    Wish,
    delivery_key,
    enabled,
    reopened,
    rotated,
)

GATHER = 0.05  # seconds from the first news to looking into the log, so that many are read at once
LATE = 1.0  # seconds until we look once more, because some facts are written into the log after they are announced
LOOK_EVERY = 60.0  # seconds; a bound on every wait, so that missed news cost little
COUNT_EVERY = 60.0  # seconds; erasing and forgetting change what waits behind our back
FORGET_EVERY = 3600.0  # seconds
MOST_ENDPOINTS = 100

NEWS = JobChanged | MessageReceived | AccountChanged | GroupReported | CallReported | EndpointChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What webhooks need from outside."""

    endpoints: EndpointStore
    deliveries: DeliveryStore
    archive: DeliveryArchive
    postman: Postman


class Webhooks:
    """All endpoints and their deliveries.

    Args:
        chance: gives numbers from 0 to 1.
        new_id: makes ids that nobody can guess, of 32 letters.
        random: gives so many random bytes.
    """

    def __init__(
        self,
        *,
        hooks: Hooks,
        events: EventLog,
        clock: Clock,
        announce: Callable[[Fact], None],
        chance: Callable[[], float],
        new_id: Callable[[], str],
        random: Callable[[int], bytes],
    ) -> None:
        self._endpoints, self._deliveries, self._archive = hooks.endpoints, hooks.deliveries, hooks.archive
        self._postman, self._events, self._chance = hooks.postman, events, chance
        self._clock, self._announce, self._new_id, self._random = clock, announce, new_id, random
        self._failures = Failures(clock, announce)
        self._clerk = Clerk(self._deliveries, clock, self._failures)
        self._lanes: dict[str, Lane] = {}
        self._router = Router(events=events, store=self._deliveries, lanes=self._lanes, clock=clock, announce=announce)
        self._news = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None

    # --- at work

    async def restore(self) -> None:
        """Bring back what the store kept."""
        await self._router.restore()
        for endpoint in await self._endpoints.endpoints():
            self._open(endpoint)
        await self._count()

    async def run(self) -> None:
        """Deliver for ever."""
        async with asyncio.TaskGroup() as self._tasks:
            for lane in self._lanes.values():
                self._start(lane)
            self._tasks.create_task(self._route(), name="webhooks: route")
            self._tasks.create_task(self._repeat(COUNT_EVERY, self._count), name="webhooks: count")
            self._tasks.create_task(self._repeat(FORGET_EVERY, self._forget), name="webhooks: forget")

    def hear(self, fact: Fact) -> None:
        """A sink: where there are facts, there may be events."""
        if self._news.is_set():
            return
        if isinstance(fact, PresenceChanged):
            if self.wanted("presence.changed"):
                self._news.set()
        elif isinstance(fact, NEWS):
            self._news.set()

    def wanted(self, kind: str) -> bool:
        """Whether any endpoint wants to hear of a kind of event."""
        return any(lane.endpoint.enabled and wanted(kind, lane.endpoint.events) for lane in self._lanes.values())

    async def _route(self) -> None:
        late = False
        while True:
            self._news.clear()
            if not await self._failures.guard("webhooks", self._router.route()):
                late = True
            await self._clock.wait(self._news, self._clock.now() + (LATE if late else LOOK_EVERY))
            late = self._news.is_set()
            await self._clock.sleep(GATHER)

    async def _repeat(self, seconds: float, work: Callable[[], object]) -> None:
        while True:
            await self._clock.sleep(seconds)
            await self._failures.guard("webhooks", work())  # type: ignore[arg-type]  # both are coroutine functions

    async def _count(self) -> None:
        counts = await self._deliveries.waiting()
        for endpoint_id, lane in self._lanes.items():
            lane.waiting = counts.get(endpoint_id, 0)

    async def _forget(self) -> None:
        await self._archive.forget_deliveries(self._clock.now() - RETENTION)

    def _open(self, endpoint: Endpoint) -> None:
        lane = Lane(
            endpoint,
            store=self._deliveries,
            events=self._events,
            postman=self._postman,
            clerk=self._clerk,
            clock=self._clock,
            chance=self._chance,
            announce=self._announce,
        )
        self._lanes[endpoint.id] = lane
        self._start(lane)

    def _start(self, lane: Lane) -> None:
        if self._tasks is not None:
            self._tasks.create_task(lane.run(), name=f"webhook {lane.endpoint.id}")

    # --- endpoints

    def endpoints(self) -> list[Endpoint]:
        """All, oldest first."""
        return [lane.endpoint for lane in self._lanes.values()]

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """Raises NotFound."""
        return self._lane(endpoint_id).endpoint

    def backlog(self) -> dict[str, int]:
        """How many deliveries wait for each endpoint; after an erasure it may be too many for a minute."""
        return {endpoint_id: lane.waiting for endpoint_id, lane in self._lanes.items()}

    async def add(self, wish: Wish, secret: str | None = None) -> Endpoint:
        """A new endpoint, which hears of what happens from now on.

        Raises InvalidUrl, InvalidSettings, Conflict when there are too many, StoreUnavailable.
        """
        if len(self._lanes) >= MOST_ENDPOINTS:
            raise Conflict(f"There are {MOST_ENDPOINTS} endpoints already. Remove one first.")
        endpoint = Endpoint(
            id=f"wh_{self._new_id()[:16]}",
            secrets=(self._secret(secret),),
            created=self._clock.now(),
            **asdict(wish),
        )
        await self._router.catch_up()
        await self._endpoints.put_endpoint(endpoint)
        self._open(endpoint)
        return endpoint

    async def change(self, endpoint_id: str, wish: Wish) -> Endpoint:
        """Raises NotFound, InvalidUrl, InvalidSettings, StoreUnavailable."""

        def changed(endpoint: Endpoint) -> Endpoint:
            reason = "" if wish.enabled else endpoint.reason
            after = replace(endpoint, **asdict(wish), reason=reason)
            return enabled(after) if wish.enabled and not endpoint.enabled else after

        return await self._put(endpoint_id, changed)

    async def remove(self, endpoint_id: str) -> None:
        """Delete an endpoint and its deliveries. Raises NotFound, StoreUnavailable."""
        lane = self._lane(endpoint_id)
        await self._endpoints.remove_endpoint(endpoint_id)
        self._lanes.pop(endpoint_id, None)
        lane.close()

    async def rotate(self, endpoint_id: str, *, keep: float = ROTATION, secret: str | None = None) -> Endpoint:
        """Give an endpoint another secret; the one before it signs for `keep` seconds more.

        Raises NotFound, InvalidSettings, StoreUnavailable.
        """
        signing, now = self._secret(secret), self._clock.now()
        return await self._put(endpoint_id, lambda endpoint: rotated(endpoint, signing, now, keep))

    async def enable(self, endpoint_id: str) -> Endpoint:
        """Try again what waits for it, now, and queue what happens from now on. Raises NotFound, StoreUnavailable."""
        return await self._put(endpoint_id, enabled)

    async def _put(self, endpoint_id: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        lane = self._lane(endpoint_id)
        after = change(lane.endpoint)
        if after.enabled and not lane.endpoint.enabled:
            await self._router.catch_up()
        await self._endpoints.put_endpoint(after)
        lane.change(change(lane.endpoint))  # anew: attempts may have changed it while we wrote
        return lane.endpoint

    def _secret(self, given: str | None) -> Secret:
        return new_secret(self._random(32)) if given is None else given_secret(given)

    def _lane(self, endpoint_id: str) -> Lane:
        if (lane := self._lanes.get(endpoint_id)) is None:
            raise NotFound("There is no such webhook endpoint.")
        return lane

    # --- deliveries

    async def test(self, endpoint_id: str) -> Delivery:
        """Send a `webhook.test` to an endpoint. Raises NotFound, Conflict if it is disabled, StoreUnavailable."""
        lane = self._lane(endpoint_id)
        if not lane.endpoint.enabled:
            raise Conflict("The endpoint is disabled: enable it first.")
        event = Event(
            id=f"webhook.test.{self._new_id()}",
            kind="webhook.test",
            account="",
            at=self._clock.now(),
            data={"endpoint": endpoint_id},
        )
        await self._events.append([event])
        await self._router.route()
        newest = await self._archive.deliveries(DeliveryFilter(endpoint=endpoint_id, kind=event.kind), 20)
        return next((delivery for delivery in newest if delivery.event == event.id), newest[0])

    async def deliveries(self, wanted: DeliveryFilter, limit: int) -> list[Delivery]:
        """Newest event first. Raises NotFound, StoreUnavailable."""
        self._lane(wanted.endpoint)
        return await self._archive.deliveries(wanted, limit)

    async def delivery(self, delivery_id: str) -> tuple[Delivery, Event]:
        """A delivery and what it tells. Raises NotFound, StoreUnavailable."""
        key = delivery_key(delivery_id)
        delivery = await self._archive.delivery(*key) if key is not None else None
        event = await self._events.get(delivery.event) if delivery is not None else None
        if delivery is None or event is None:
            raise NotFound("There is no such delivery. Deliveries are kept for 30 days.")
        return delivery, event

    async def replay(self, delivery_id: str) -> Delivery:
        """Deliver once more, from the first attempt. Raises NotFound, StoreUnavailable."""
        delivery, _event = await self.delivery(delivery_id)
        lane = self._lane(delivery.endpoint)
        again = reopened(delivery, self._clock.now())
        await self._deliveries.record([again])
        lane.waiting += delivery.state is not State.PENDING
        lane.wake()
        return again

    async def replay_since(self, endpoint_id: str, since: float, *, delivered: bool = False) -> int:
        """Deliver what the endpoint missed since an instant: what failed, and what was never queued for it.

        Args:
            delivered: also what was delivered.

        Returns how many were queued: not more than may wait. Raises NotFound, StoreUnavailable.
        """
        lane = self._lane(endpoint_id)
        await self._router.route()
        position, queued = await self._archive.position_at(since), 0
        while (found := await self._events.after(position, PAGE)) and lane.waiting < BACKLOG:
            position = found[-1][0]
            told = [(place, event) for place, event in found if lane.endpoint.wants(event)]
            queued += await self._replay(lane, told, delivered=delivered)
        return queued

    async def _replay(self, lane: Lane, told: list[tuple[int, Event]], *, delivered: bool) -> int:
        now = self._clock.now()
        kept = {one.position: one for one in await self._archive.kept(lane.endpoint.id, [place for place, _ in told])}
        new = [new_delivery(lane.endpoint, place, event, now) for place, event in told if place not in kept]
        ended = (State.FAILED, State.DELIVERED) if delivered else (State.FAILED,)
        again = [reopened(one, now) for one in kept.values() if one.state in ended]
        await self._deliveries.queue(new, 0)
        await self._deliveries.record(again)
        lane.waiting += len(new) + len(again)
        lane.wake()
        return len(new) + len(again)

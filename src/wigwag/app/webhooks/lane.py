# SPDX-License-Identifier: Apache-2.0
"""One endpoint's deliveries, tried as they become due. What follows from an attempt is decided in `domain.webhooks`.

A lane waits for nobody but its own endpoint and the store, so an endpoint that swallows everything delays no other.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, DeliveryStore, EventLog, Postman
from wigwag.app.webhooks.clerk import STORE_AGAIN, Clerk
from wigwag.domain.errors import GatewayError
from wigwag.domain.events import DeliveryTried, EndpointChanged, Fact
from wigwag.domain.outbox import Event
from wigwag.domain.signing import body, headers
from wigwag.domain.traces import parse
from wigwag.domain.webhooks import (
    Answer,
    Delivery,
    Endpoint,
    State,
    Try,
    asked_to_wait,
    delivery_after,
    disabled_event,
    endpoint_after,
)

IDLE = 60.0  # seconds; a bound on every wait, so that a missed wake costs little


class Lane:
    """One endpoint.

    Args:
        chance: gives numbers from 0 to 1.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        store: DeliveryStore,
        events: EventLog,
        postman: Postman,
        clerk: Clerk,
        clock: Clock,
        chance: Callable[[], float],
        announce: Callable[[Fact], None],
    ) -> None:
        self.endpoint, self.waiting = endpoint, 0  # `waiting`: deliveries that are pending, nearly
        self._store, self._events, self._postman, self._clerk = store, events, postman, clerk
        self._clock, self._chance, self._announce = clock, chance, announce
        self._failures = Failures(clock, announce)
        self._wake, self._closed = asyncio.Event(), False
        self._trying: set[int] = set()  # positions

    def wake(self) -> None:
        """There may be something to deliver."""
        self._wake.set()

    def change(self, endpoint: Endpoint) -> None:
        """A person changed the endpoint."""
        before, self.endpoint = self.endpoint, endpoint
        self._tell_change(before)
        self.wake()

    def close(self) -> None:
        """The endpoint is no more. Attempts under way come to their end."""
        self._closed = True
        self.wake()

    async def run(self) -> None:
        """Deliver until the lane is closed."""
        async with asyncio.TaskGroup() as tasks:
            while not self._closed:
                self._wake.clear()
                until = await self._step(tasks)
                idle = self._clock.now() + IDLE
                await self._clock.wait(self._wake, idle if until is None else min(until, idle))

    async def _step(self, tasks: asyncio.TaskGroup) -> float | None:
        """Begin what is due. Returns when to come back."""
        now, endpoint = self._clock.now(), self.endpoint
        free = endpoint.slots - len(self._trying)
        if not endpoint.enabled or free <= 0:
            return None
        if endpoint.not_before > now:
            return endpoint.not_before
        found: list[Delivery] = []
        until: float | None = now + STORE_AGAIN

        async def look() -> None:
            nonlocal until
            found.extend(await self._store.due(endpoint, now, free, self._trying))
            until = None if len(found) == free else await self._store.next_due(endpoint, now)

        await self._failures.guard(f"webhook {endpoint.id}", look())
        for delivery in found:
            self._trying.add(delivery.position)
            tasks.create_task(self._deliver(delivery), name=f"delivery {delivery.id}")
        return until

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            event = await self._event(delivery)
            if event is not None:
                tried, not_before = await self._try(_traced(event, delivery))
                await self._settle(delivery, event, tried, not_before)
        finally:
            self._trying.discard(delivery.position)
            self.wake()

    async def _event(self, delivery: Delivery) -> Event | None:
        """What is to be told; None if it was erased meanwhile, and the delivery with it."""
        found: list[Event | None] = []

        async def look() -> None:
            found.append(await self._events.get(delivery.event))

        while not await self._failures.guard(f"webhook {self.endpoint.id}", look()):
            await self._clock.sleep(STORE_AGAIN)
        return found[0]

    async def _try(self, event: Event) -> tuple[Try, float]:
        """Post an event. Returns the attempt, and until when the endpoint asked us to wait."""
        content, began = body(event), self._clock.now()
        signed = headers(event, content, self.endpoint.secrets, began)
        answer: Answer | None = None
        code = detail = ""
        try:
            answer = await self._postman.post(self.endpoint.url, signed, content)
        except GatewayError as error:
            code, detail = error.code, str(error)
        now = self._clock.now()
        status = answer.status if answer else None
        tried = Try(at=now, status=status, seconds=now - began, code=code, detail=detail)
        return tried, asked_to_wait(answer, now) if answer else 0.0

    async def _settle(self, delivery: Delivery, event: Event, tried: Try, not_before: float) -> None:
        before = self.endpoint
        self.endpoint = endpoint_after(before, tried, not_before)
        after = delivery_after(delivery, tried, self._chance(), not_before)
        disabled = before.enabled and not self.endpoint.enabled
        told = [disabled_event(self.endpoint, tried.at)] if disabled else []
        changed = (before.id, lambda: self.endpoint) if self.endpoint != before else None
        await self._clerk.write(after, changed, told)
        if after.state is not State.PENDING:
            self.waiting = max(0, self.waiting - 1)
        self._tell_try(after, event, tried)
        self._tell_change(before)

    def _tell_try(self, after: Delivery, event: Event, tried: Try) -> None:
        outcome = "retry" if after.state is State.PENDING else after.state.value
        self._announce(
            DeliveryTried(
                endpoint=after.endpoint,
                host=self.endpoint.host,
                event=event.id,
                kind=after.kind,
                outcome=outcome,
                attempts=after.attempts,
                status=tried.status,
                code=tried.code,
                seconds=tried.seconds,
                at=tried.at,
                trace=event.trace,
            )
        )

    def _tell_change(self, before: Endpoint) -> None:
        after = self.endpoint
        if (before.condition, before.reason) != (after.condition, after.reason):
            condition, at = after.condition.value, self._clock.now()
            self._announce(
                EndpointChanged(endpoint=after.id, host=after.host, condition=condition, reason=after.reason, at=at)
            )


def _traced(event: Event, delivery: Delivery) -> Event:
    """The event with the trace of the attempt that comes now, below which the endpoint may put its own."""
    trace = parse(event.trace)
    if trace is None:
        return event
    return replace(event, trace=str(trace.child(event.id, delivery.endpoint, str(delivery.attempts + 1))))

# SPDX-License-Identifier: Apache-2.0
"""Webhooks to real receivers, good and bad, over real sockets: what becomes of a delivery and of its endpoint."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from standardwebhooks import Webhook

from tests.outgoing.receiver import Receiver, receiving
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.memory.events import MemoryEventLog
from wigwag.adapters.memory.webhooks import MemoryWebhookStore
from wigwag.adapters.outgoing import Outgoing
from wigwag.app.webhooks import Hooks, Webhooks
from wigwag.domain.addresses import parse_networks
from wigwag.domain.events import DeliveryTried, Fact
from wigwag.domain.webhooks import State, Wish

SAFETY = 20.0
SHORT = 0.5  # seconds: the whole patience with receivers that never come to an end


class House:
    """Webhooks at work. `tried` tells of the first attempt for an endpoint."""

    def __init__(self, receiver: Receiver, allowed: str) -> None:
        self.receiver, self._attempts, self._seen = receiver, list[DeliveryTried](), asyncio.Event()
        log = MemoryEventLog()
        store = MemoryWebhookStore(log)
        self.outgoing = Outgoing(parse_networks(allowed), patience=SHORT)
        self.webhooks = Webhooks(
            hooks=Hooks(endpoints=store, deliveries=store, archive=store, postman=self.outgoing),
            events=log,
            clock=SystemClock(),
            announce=self._hear,
            chance=lambda: 0.0,
            new_id=iter([f"{n:016d}" for n in range(200)]).__next__,
            random=bytes,
        )

    def _hear(self, fact: Fact) -> None:
        if isinstance(fact, DeliveryTried):
            self._attempts.append(fact)
            self._seen.set()

    async def tried(self, endpoint: str) -> DeliveryTried:
        async with asyncio.timeout(SAFETY):
            while True:
                self._seen.clear()
                for attempt in self._attempts:
                    if attempt.endpoint == endpoint:
                        return attempt
                await self._seen.wait()


@pytest.fixture
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    async with receiving() as receiver:
        house = House(receiver, getattr(request, "param", "127.0.0.0/8"))
        await house.webhooks.restore()
        task = asyncio.create_task(house.webhooks.run(), name="webhooks")
        yield house
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await house.outgoing.close()


@pytest.mark.parametrize(
    ("path", "outcome", "status", "enabled"),
    [
        ("/200", "delivered", 200, True),
        ("/204", "delivered", 204, True),
        ("/endless", "delivered", 200, True),  # what matters is the status
        ("/301", "retry", 301, True),
        ("/400", "retry", 400, True),
        ("/410", "failed", 410, False),
        ("/429/60", "retry", 429, True),
        ("/500", "retry", 500, True),
        ("/503/60", "retry", 503, True),
        ("/drip", "retry", None, True),
        ("/never", "retry", None, True),
        ("/reset", "retry", None, True),
        ("/garbage", "retry", None, True),
    ],
)
async def test_each_receiver_gets_what_it_deserves(
    house: House, path: str, outcome: str, status: int | None, enabled: bool
) -> None:
    endpoint = await house.webhooks.add(Wish(url=house.receiver.url(path)))
    queued = await house.webhooks.test(endpoint.id)
    tried = await house.tried(endpoint.id)
    assert (tried.outcome, tried.status) == (outcome, status)
    after = house.webhooks.endpoint(endpoint.id)
    assert after.enabled is enabled
    assert (after.not_before > tried.at + 50) is path.endswith("/60")
    delivery, _event = await house.webhooks.delivery(queued.id)
    assert delivery.state is {"delivered": State.DELIVERED, "failed": State.FAILED}.get(outcome, State.PENDING)
    [request] = house.receiver.requests
    assert Webhook(endpoint.secrets[0].text).verify(request.body, request.headers)


async def test_a_black_hole_delays_no_other_endpoint(house: House) -> None:
    holes = [await house.webhooks.add(Wish(url=house.receiver.url("/never"))) for _ in range(20)]
    good = await house.webhooks.add(Wish(url=house.receiver.url("/200")))
    for endpoint in (*holes, good):
        await house.webhooks.test(endpoint.id)
    assert (await house.tried(good.id)).outcome == "delivered"
    assert (await house.tried(holes[0].id)).outcome == "retry"
    assert house._attempts[0].endpoint == good.id  # before any of the holes was given up


@pytest.mark.parametrize("house", [""], indirect=True)
async def test_an_endpoint_inside_the_network_is_never_contacted(house: House) -> None:
    endpoint = await house.webhooks.add(Wish(url=house.receiver.url("/200", host="localhost")))
    await house.webhooks.test(endpoint.id)
    tried = await house.tried(endpoint.id)
    assert (tried.status, tried.code) == (None, "invalid_url")
    assert house.receiver.connections == 0

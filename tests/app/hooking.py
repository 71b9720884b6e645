# SPDX-License-Identifier: Apache-2.0
"""Webhooks over memory in virtual time, with endpoints that answer as a test wants. To be killed and begun again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from wigwag.adapters.memory.events import MemoryEventLog
from wigwag.adapters.memory.webhooks import MemoryWebhookStore
from wigwag.app.ports import DeliveryFilter
from wigwag.app.webhooks import Hooks, Webhooks
from wigwag.domain.errors import StoreUnavailable, Unavailable
from wigwag.domain.events import GroupReported
from wigwag.domain.ids import Jid
from wigwag.domain.outbox import Event
from wigwag.domain.signing import webhook_id
from wigwag.domain.webhooks import (
    Answer,
    Delivery,
    Endpoint,
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


def failing(times: int, then: Any = 200, first: Any = 500) -> Callable[[str], Any]:
    left = [times]

    def answer(_id: str) -> Any:
        left[0] -= 1
        return first if left[0] >= 0 else then

    return answer

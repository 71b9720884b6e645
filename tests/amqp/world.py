# SPDX-License-Identifier: Apache-2.0
"""The room on a real broker, with the gateway behind it played by a ledger in memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import aio_pika

from wigwag.adapters.amqp import Broker, Topology
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.memory.accounts import MemoryAccountStore
from wigwag.app.ports import JobFilter
from wigwag.domain.account import Account, LinkState
from wigwag.domain.contents import Content, Text
from wigwag.domain.delivery import Job, State, move, reopened
from wigwag.domain.drafts import Draft, Template, fingerprint
from wigwag.domain.errors import GatewayError, KeyReused, NotFound
from wigwag.domain.events import AccountChanged, JobChanged
from wigwag.domain.ids import contact_jid, group_jid, is_group
from wigwag.domain.outbox import Event, of_job
from wigwag.testing import RecordingSink

PATIENCE = 60.0  # seconds until a test gives up waiting; never a measure
USER = "7f1d2c66-92d3-4d7e-9a52-6f3f6f0f4a11"


@dataclass
class Ledger:
    """Accepts as the gateway does: once for each key, and for good. Fulfils `Commands` and `EventLog`."""

    away: GatewayError | None = None  # what every call raises while it is set
    dies_after_accepting: bool = False  # the next accepted job is kept, but nobody hears that
    dies_before_accepting: bool = False  # the next draft comes to nothing
    jobs_kept: dict[str, Job] = field(default_factory=dict)
    log: list[Event] = field(default_factory=list)
    media: dict[str, bytes] = field(default_factory=dict)
    backlog: dict[tuple[str, State], int] = field(default_factory=dict)
    clock: SystemClock = field(default_factory=SystemClock)

    @property
    def texts(self) -> list[str]:
        return [job.content.text for job in self.jobs_kept.values() if isinstance(job.content, Text)]

    async def send(self, draft: Draft) -> tuple[Job, bool]:
        self._be_there()
        if self.dies_before_accepting:
            self.dies_before_accepting = False
            await asyncio.Event().wait()
        print_of = fingerprint(draft)
        for job in self.jobs_kept.values():
            if draft.key is not None and job.key == draft.key:
                if job.fingerprint != print_of:
                    raise KeyReused
                return job, False
        job = self._job(draft, print_of)
        self.jobs_kept[job.id] = job
        if self.dies_after_accepting:
            self.dies_after_accepting = False
            await asyncio.Event().wait()
        return job, True

    def _job(self, draft: Draft, print_of: str) -> Job:
        now = self.clock.now()
        content: Content = Text(text="filled") if isinstance(draft.content, Template) else draft.content
        return Job(
            id=uuid4().hex,
            place=len(self.jobs_kept) + 1,
            account=draft.account or "default",
            to=group_jid(draft.to) if is_group(draft.to) else contact_jid(draft.to),
            content=content,
            since=now,
            created=now,
            due=now,
            key=draft.key,
            fingerprint=print_of,
            door=draft.door,
            user_id=draft.user_id,
            trace=draft.trace,
            answer_to=draft.answer_to,
            correlation=draft.correlation,
        )

    async def keep_media(self, data: bytes) -> str:
        self._be_there()
        self.media[f"media{len(self.media)}"] = data
        return f"media{len(self.media) - 1}"

    async def retry(self, job_id: str) -> Job:
        job = reopened(await self.job(job_id), self.clock.now())
        self.jobs_kept[job_id] = job
        return job

    async def job(self, job_id: str) -> Job:
        self._be_there()
        if job_id not in self.jobs_kept:
            raise NotFound("There is no such message.")
        return self.jobs_kept[job_id]

    async def jobs(self, wanted: JobFilter, limit: int) -> list[Job]:
        self._be_there()
        newest_first = list(self.jobs_kept.values())[::-1]
        return [job for job in newest_first if wanted.before is None or job.place < wanted.before][:limit]

    async def job_counts(self) -> dict[tuple[str, State], int]:
        self._be_there()
        return self.backlog

    def turn(self, job: Job, *states: State, **changes: Any) -> Job:
        """Move a job on, with an event for each step."""
        for state in states:
            job = move(job, state, self.clock.now(), **changes)
            self.log += of_job(job)
        self.jobs_kept[job.id] = job
        return job

    # --- EventLog

    async def append(self, events: Sequence[Event]) -> None:
        self.log += events

    async def after(self, position: int, limit: int) -> list[tuple[int, Event]]:
        self._be_there()
        return list(enumerate(self.log, start=1))[position : position + limit]

    async def last(self) -> int:
        return len(self.log)

    async def get(self, event_id: str) -> Event | None:
        raise NotImplementedError

    async def forget(self, before: float) -> int:
        raise NotImplementedError

    def _be_there(self) -> None:
        if self.away is not None:
            raise self.away


@dataclass
class World:
    """A room at work, and the hands of the test."""

    url: str
    topology: Topology
    ledger: Ledger
    accounts: list[Account]
    facts: RecordingSink
    choices: MemoryAccountStore
    prefetch: int = 10
    broker: Broker = field(init=False)

    def build(self) -> None:
        self.broker = Broker(
            self.url,
            self.topology,
            prefetch=self.prefetch,
            messages=self.ledger,
            accounts=lambda: self.accounts,
            events=self.ledger,
            choices=self.choices,
            clock=self.ledger.clock,
            announce=self.facts,
        )

    @asynccontextmanager
    async def working(self, *, connected: bool = True) -> AsyncIterator[None]:
        """The room works until the block ends, which is an end in order."""
        self.build()
        task = asyncio.create_task(self.broker.run(), name="broker")
        try:
            if connected:
                await until(self.broker.depths)
            yield
        finally:
            task.cancel()
            [end] = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(end, asyncio.CancelledError), f"the room ended by itself: {end!r}"

    def link(self, state: LinkState, name: str = "default") -> None:
        """An account's link changes."""
        before = next((each for each in self.accounts if each.name == name), Account(name=name, since=0.0))
        after = replace(before, state=state)
        self.accounts = [each for each in self.accounts if each.name != name] + [after]
        self.broker.sink(AccountChanged(before=before, after=after, at=0.0))

    def turn(self, job: Job, *states: State, **changes: Any) -> None:
        after = self.ledger.turn(job, *states, **changes)
        self.broker.sink(JobChanged(before=job, after=after, at=0.0))

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
        """A client of another kind."""
        async with await aio_pika.connect(self.url) as connection:
            yield await connection.channel(on_return_raises=True)

    async def publish(self, *bodies: bytes, key: str | None = None, **properties: Any) -> None:
        async with self.channel() as channel:
            exchange = await channel.get_exchange(self.topology.exchange)
            for body in bodies:
                message = aio_pika.Message(body, delivery_mode=2, **properties)
                await exchange.publish(message, key or self.topology.routing_key)

    async def take(self, queue: str) -> aio_pika.abc.AbstractIncomingMessage:
        """The next message of a queue, for good."""
        async with self.channel() as channel, asyncio.timeout(PATIENCE):
            messages = await channel.get_queue(queue)
            while (message := await messages.get(no_ack=True, fail=False)) is None:
                await breathe()
            return message

    async def count(self, queue: str) -> int:
        async with self.channel() as channel:
            declared = await channel.declare_queue(queue, passive=True)
            return declared.declaration_result.message_count or 0


async def until(holds: Callable[[], object]) -> None:
    """Look until something is true."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await breathe()


async def breathe() -> None:
    """Give the broker a moment."""
    clock = SystemClock()
    await clock.wait(asyncio.Event(), clock.now() + 0.02)


def envelope(text: str = "Hello", **more: Any) -> bytes:
    fields = {"user_id": USER, "text_message": text, "destination": "+5511999999999"} | more
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def build_world(url: str, **more: Any) -> World:
    name = f"test.{uuid4().hex[:8]}"
    topology = Topology(queue=name, exchange=f"{name}.exchange", routing_key="whatsapp.send", **more)
    return World(
        url=url,
        topology=topology,
        ledger=Ledger(),
        accounts=[Account(name="default", state=LinkState.CONNECTED, since=0.0)],
        facts=RecordingSink(),
        choices=MemoryAccountStore(),
    )

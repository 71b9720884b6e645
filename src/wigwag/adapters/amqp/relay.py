# SPDX-License-Identifier: Apache-2.0
"""Tells the queues what became of jobs: results to whoever asked, and dead letters of those that failed for good.

It follows the log of events from where it stopped, so each thing is told at least once, over every kind of crash. What
is told twice has the same message id.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import Any

from aiormq import spec

from wigwag.adapters.amqp import letters
from wigwag.adapters.amqp.commands import Commands
from wigwag.adapters.amqp.session import Session
from wigwag.adapters.amqp.topology import Topology
from wigwag.adapters.amqp.wall import Unroutable
from wigwag.app.ports import AccountStore, Clock, EventLog
from wigwag.domain.delivery import Job, State
from wigwag.domain.envelopes import DOOR, write
from wigwag.domain.errors import BrokerUnavailable, GatewayError, NotFound
from wigwag.domain.outbox import Event

log = logging.getLogger(__name__)

CURSOR = "amqp.relay"
BATCH = 200  # events read at once
SELDOM = 1000  # positions after which the cursor is kept, even if nothing was told
POLL = 2.0  # seconds between looks at the log, for events that nobody woke us for
FAILED = f"message.{State.FAILED}"
TOLD = frozenset(f"message.{state}" for state in State if state not in (State.ACCEPTED, State.SENDING))
MOST_ORIGINS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """Who wants to know of a job."""

    here: bool
    answer_to: str | None
    correlation: str | None


class Relay:
    """Follows the log on behalf of the queues."""

    def __init__(
        self, messages: Commands, events: EventLog, choices: AccountStore, topology: Topology, clock: Clock
    ) -> None:
        self._messages, self._events, self._choices = messages, events, choices
        self._topology, self._clock = topology, clock
        self._origins: dict[str, _Origin] = {}
        self._wake = asyncio.Event()
        self._position: int | None = None
        self._kept = 0

    def note(self, job: Job) -> None:
        """A job changed: read the log at once if somebody waits to hear of it, and by and by if nobody does.

        Where a job came from never changes, so it is remembered.
        """
        if job.id not in self._origins:
            if len(self._origins) >= MOST_ORIGINS:
                del self._origins[next(iter(self._origins))]
            self._origins[job.id] = _Origin(here=job.door == DOOR, answer_to=job.answer_to, correlation=job.correlation)
        kind, origin = f"message.{job.state}", self._origins[job.id]
        if kind in TOLD and (self._queues(origin) or (kind == FAILED and origin.here)):
            self._wake.set()

    async def run(self, session: Session) -> None:
        """Follow the log until cancelled. Raises BrokerUnavailable."""
        while True:
            self._wake.clear()
            try:
                while await self._batch(session):
                    pass
            except BrokerUnavailable:
                raise
            except GatewayError as error:
                log.warning("Results wait: %s", error, extra={"action": "relay.waiting", "code": error.code})
            await self._clock.wait(self._wake, self._clock.now() + POLL)

    async def _batch(self, session: Session) -> bool:
        """Tell of some more events. False when there are no more."""
        position = self._position if self._position is not None else await self._begin()
        batch = await self._events.after(position, BATCH)
        told = False
        for _place, event in batch:
            told |= await self._tell(session, event)
        if batch:
            self._position = batch[-1][0]
        if told or (self._position or 0) - self._kept >= SELDOM:
            await self._keep(self._position or 0)
        return len(batch) == BATCH

    async def _begin(self) -> int:
        """Where to go on; the first time of all, with what happens from now on."""
        kept = (await self._choices.choices()).get(CURSOR)
        self._position = int(kept) if kept is not None else await self._events.last()
        await self._keep(self._position)
        return self._position

    async def _keep(self, position: int) -> None:
        await self._choices.choose(CURSOR, str(position))
        self._kept = position

    async def _tell(self, session: Session, event: Event) -> bool:
        job_id = event.data.get("job")
        if event.kind not in TOLD or not job_id:
            return False
        origin = self._origins.get(job_id) or await self._look_up(job_id)
        if origin is None:
            return False
        queues = self._queues(origin)
        for queue in queues:
            await _publish(session, queue, event, origin)
        dead = event.kind == FAILED and origin.here
        if dead:
            await self._bury(session, job_id)
        return dead or bool(queues)

    def _queues(self, origin: _Origin) -> list[str]:
        """Which queues hear of a job."""
        return sorted({queue for queue in (origin.answer_to, self._topology.results if origin.here else "") if queue})

    async def _look_up(self, job_id: str) -> _Origin | None:
        try:
            self.note(await self._messages.job(job_id))
        except NotFound:
            return None
        return self._origins[job_id]

    async def _bury(self, session: Session, job_id: str) -> None:
        """Write a failed job down as a dead letter, unless somebody has reopened it since."""
        try:
            job = await self._messages.job(job_id)
        except NotFound:
            return
        if job.state is State.FAILED:
            properties = letters.failed(job, self._topology.queue)
            await session.publish(write(job), properties, queue=self._topology.dead_letters)


async def _publish(session: Session, queue: str, event: Event, origin: _Origin) -> None:
    told = {"id": event.id, "kind": event.kind, "account": event.account, "at": event.at, "data": dict(event.data)}
    properties: Any = spec.Basic.Properties(
        content_type="application/json",
        message_id=event.id,
        message_type=event.kind,
        correlation_id=origin.correlation,
        app_id="wigwag",
        headers={"traceparent": event.trace} if event.trace else {},
    )
    try:
        await session.publish(json.dumps(told, ensure_ascii=False).encode(), properties, queue=queue)
    except Unroutable:  # whoever asked is gone, and took the queue along
        log.warning("A result has no queue to go to", extra={"action": "relay.unroutable", "kind": event.kind})

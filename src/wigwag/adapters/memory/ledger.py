# SPDX-License-Identifier: Apache-2.0
"""The ledger of jobs in memory. It keeps the same promises as a database, except to outlive the process."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from wigwag.adapters.memory.events import MemoryEventLog
from wigwag.app.ports import Ledger, Step
from wigwag.domain.delivery import Job, State
from wigwag.domain.ids import Jid
from wigwag.domain.outbox import Event
from wigwag.domain.texts import kept_text


class MemoryLedger:
    """The port Ledger in memory. `jobs` are all that are kept, in the order of their places."""

    def __init__(self, log: MemoryEventLog) -> None:
        self._log = log
        self.jobs: dict[str, Job] = {}
        self._by_key: dict[str, str] = {}
        self._last_place = 0

    async def accept(self, jobs: Sequence[Job], events: Sequence[Event] = ()) -> list[Job]:
        kept = [self._accept(job) for job in jobs]
        self._tell(events, {job.id for job in jobs} - {job.id for job in kept})
        return kept

    async def advance(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> list[bool]:
        taken = [self._advance(step) for step in steps]
        written = {step.after.id for step, fits in zip(steps, taken, strict=True) if fits}
        self._tell(events, {step.after.id for step in steps} - written)
        return taken

    async def due(self, account: str, now: float, limit: int, without: Collection[str] = ()) -> list[Job]:
        mine = [job for job in self.jobs.values() if job.account == account]
        held: dict[Jid, int] = {}
        for job in mine:
            if job.state is State.SENDING or (_waits(job, now) and job.attempts):
                held.setdefault(job.to, job.place)
        ready = (
            job
            for job in mine
            if job.state is State.ACCEPTED
            and job.due <= now
            and job.id not in without
            and held.get(job.to, job.place) >= job.place
        )
        return sorted(ready, key=lambda job: (-job.priority, job.place))[:limit]

    async def next_due(self, account: str, now: float) -> float | None:
        waiting = (job.due for job in self.jobs.values() if job.account == account and _waits(job, now))
        return min(waiting, default=None)

    async def by_message(self, account: str, message_ids: Collection[str]) -> list[Job]:
        wanted = set(message_ids)
        return [job for job in self.jobs.values() if job.account == account and job.message_id in wanted]

    async def in_state(self, account: str, state: State, to: Jid | None = None, limit: int = 1000) -> list[Job]:
        found = (
            job for job in self.jobs.values() if job.account == account and job.state is state and to in (None, job.to)
        )
        return list(islice(found, limit))

    def remove(self, jobs: Collection[Job]) -> None:
        """Forget jobs, and their keys."""
        for job in jobs:
            del self.jobs[job.id]
            if job.key is not None:
                del self._by_key[job.key]

    def _accept(self, job: Job) -> Job:
        known = self.jobs.get(job.id)
        if known is None and job.key is not None and job.key in self._by_key:
            known = self.jobs[self._by_key[job.key]]
        return known or self._enter(job)

    def _enter(self, job: Job) -> Job:
        self._last_place += 1
        kept = self.jobs[job.id] = _kept(job, self._last_place)
        if job.key is not None:
            self._by_key[job.key] = job.id
        return kept

    def _advance(self, step: Step) -> bool:
        known = self.jobs.get(step.after.id)
        if known is None or known.state is not step.before:
            return False
        self.jobs[known.id] = _kept(step.after, known.place)
        return True

    def _tell(self, events: Sequence[Event], refused: set[str]) -> None:
        self._log.write(event for event in events if event.data.get("job") not in refused)


def _waits(job: Job, now: float) -> bool:
    return job.state is State.ACCEPTED and job.due > now


def _kept(job: Job, place: int) -> Job:
    return replace(job, place=place, detail=kept_text(job.detail))


if TYPE_CHECKING:
    _: type[Ledger] = MemoryLedger

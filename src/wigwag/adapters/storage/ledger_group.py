# SPDX-License-Identifier: Apache-2.0
"""A group of the ledger's calls, written in one transaction with few statements. Each call gets its own answer.

What the database holds is read first; then the calls are decided in the order in which they came, and the outcome is
written at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from wigwag.adapters.storage.counters import Counters, hold_counters
from wigwag.adapters.storage.engine import SOME, chosen, run_for_each
from wigwag.adapters.storage.events import event_rows, write_events
from wigwag.adapters.storage.job_rows import course_row, job_of, job_row
from wigwag.adapters.storage.schema_messages import jobs
from wigwag.app.ports import Step
from wigwag.domain.delivery import Job
from wigwag.domain.outbox import Event

Row = dict[str, Any]

_BY_ID = select(jobs).where(jobs.c.id.in_(SOME))
_BY_KEY = select(jobs).where(jobs.c.idempotency_key.in_(SOME))
_STATES = select(jobs.c.id, jobs.c.state).where(jobs.c.id.in_(SOME)).with_for_update()
_MOVE = update(jobs).where(jobs.c.id == bindparam("of"))


@dataclass(frozen=True, slots=True)
class Accepting:
    """A call of `Ledger.accept`: jobs with their rows, and the rows of events with the job that each names."""

    jobs: Sequence[tuple[Job, Row]]
    events: Sequence[tuple[object, Row]]


@dataclass(frozen=True, slots=True)
class Advancing:
    """A call of `Ledger.advance`, likewise."""

    steps: Sequence[tuple[Step, Row]]
    events: Sequence[tuple[object, Row]]


Call = Accepting | Advancing


def accepting(new: Sequence[Job], told: Sequence[Event]) -> Accepting:
    return Accepting([(job, job_row(job)) for job in new], _with_subjects(told))


def advancing(steps: Sequence[Step], told: Sequence[Event]) -> Advancing:
    rows = [(step, {"of": step.after.id, **course_row(step.after)}) for step in steps]
    return Advancing(rows, _with_subjects(told))


def write_group(connection: Connection, group: Sequence[Call]) -> list[list[Any]]:
    """Write calls. Returns for each the jobs as they are kept, or which steps were taken."""
    draft = _read(connection, group)
    answers = [draft.accept(call) if isinstance(call, Accepting) else draft.advance(call) for call in group]
    run_for_each(connection, insert(jobs), draft.new)
    run_for_each(connection, _MOVE, draft.moved.values())
    write_events(connection, draft.told, draft.counters)
    draft.counters.write(connection)
    return answers


@dataclass(slots=True)
class _Draft:
    """What the calls of a group find, and what they leave to be written."""

    counters: Counters
    kept: dict[str, Job]  # by id, as far as they are asked for again
    keys: dict[str | None, str]
    states: dict[str, str]
    new: list[Row] = field(default_factory=list)
    moved: dict[str, Row] = field(default_factory=dict)
    told: list[Row] = field(default_factory=list)

    def accept(self, call: Accepting) -> list[Job]:
        refused = set()
        kept = []
        for job, row in call.jobs:
            found = self.kept.get(job.id) or self.kept.get(self.keys.get(job.key, ""))
            if found is None:
                found = self._enter(job, row)
            elif found.id != job.id:
                refused.add(job.id)
            kept.append(found)
        self._tell(call.events, refused)
        return kept

    def _enter(self, job: Job, row: Row) -> Job:
        self.counters.place += 1
        self.new.append({**row, "place": self.counters.place})
        kept = self.kept[job.id] = replace(job, place=self.counters.place)
        self.states[job.id] = job.state
        if job.key is not None:
            self.keys[job.key] = job.id
        return kept

    def advance(self, call: Advancing) -> list[bool]:
        written: set[str] = set()
        refused: set[str] = set()
        taken = []
        for step, row in call.steps:
            job = step.after
            fits = self.states.get(job.id) == step.before
            if fits:
                self.states[job.id] = job.state
                self.moved[job.id] = row
                if job.id in self.kept:
                    self.kept[job.id] = replace(job, place=self.kept[job.id].place)
            (written if fits else refused).add(job.id)
            taken.append(fits)
        self._tell(call.events, refused - written)
        return taken

    def _tell(self, events: Sequence[tuple[object, Row]], refused: set[str]) -> None:
        self.told += [row for subject, row in events if subject not in refused]


def _read(connection: Connection, group: Sequence[Call]) -> _Draft:
    """Hold the ledger, and read what the calls of a group are about."""
    counters = hold_counters(connection)
    new = [job for call in group if isinstance(call, Accepting) for job, _row in call.jobs]
    moving = {step.after.id for call in group if isinstance(call, Advancing) for step, _row in call.steps}
    keys = {job.key for job in new if job.key is not None}
    rows = chosen(connection, _BY_ID, {job.id for job in new}) + chosen(connection, _BY_KEY, keys)
    kept = {job.id: job for job in map(job_of, rows)}
    return _Draft(
        counters=counters,
        kept=kept,
        keys={job.key: job.id for job in kept.values() if job.key is not None},
        states={row[0]: row[1] for row in chosen(connection, _STATES, moving)},
    )


def _with_subjects(told: Sequence[Event]) -> list[tuple[object, Row]]:
    return [(event.data.get("job"), row) for event, row in zip(told, event_rows(told), strict=True)]

# SPDX-License-Identifier: Apache-2.0
"""Folds WhatsApp's receipts into the jobs they are about, many at once.

A receipt may be here before the answer to the send that it is about; then it waits for that. One for a message that was
not ours to send (another device of the account wrote it) is of no interest.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, JobArchive, Ledger, Step
from wigwag.domain.delivery import Job, Receipt, State, fold, sent
from wigwag.domain.events import Fact, JobChanged, ReceiptReported, SendSettled
from wigwag.domain.outbox import Event, of_job

WAITING = 10_000  # receipts not yet looked at; beyond it we no longer take reports from WhatsApp's library
BATCH = 500
EARLY = 1_000  # receipts that wait for the answer to a send
STORE_AGAIN = 1.0  # seconds


@dataclass(slots=True)
class _Change:
    """What a batch makes of one job."""

    before: Job
    after: Job
    events: list[Event]


class Receipts:
    """The receipts of all accounts.

    Args:
        busy: whether a job of the account is under way.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        archive: JobArchive,
        clock: Clock,
        announce: Callable[[Fact], None],
        busy: Callable[[str], bool],
    ) -> None:
        self._ledger, self._archive, self._clock, self._announce, self._busy = ledger, archive, clock, announce, busy
        self._waiting: asyncio.Queue[Receipt] = asyncio.Queue(WAITING)
        self._early: deque[Receipt] = deque(maxlen=EARLY)
        self._failures = Failures(clock, announce)

    async def hear(self, report: ReceiptReported) -> None:
        await self._waiting.put(report.receipt)

    async def hear_settled(self, report: SendSettled) -> None:
        """WhatsApp's word on a job that we had given up waiting for."""
        await self._failures.guard("receipts", self._settle(report))

    async def _settle(self, report: SendSettled) -> None:
        job = await self._archive.get(report.job_id)
        if job is not None and job.state is State.UNCONFIRMED:
            await self._write({job.id: _changed(job, sent(job, report.message_id, report.at))})

    def settled(self, job: Job) -> None:
        """A job is no longer under way: receipts that came too early may be about it."""
        again = [receipt for receipt in self._early if receipt.account == job.account]
        for receipt in again:
            self._early.remove(receipt)
            if not self._waiting.full():
                self._waiting.put_nowait(receipt)

    async def run(self) -> None:
        """Fold for ever; the store may come and go."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            while not await self._failures.guard("receipts", self._fold(batch)):
                await self._clock.sleep(STORE_AGAIN)

    async def _fold(self, batch: list[Receipt]) -> None:
        jobs = await self._jobs(batch)
        changes: dict[str, _Change] = {}
        kept: list[tuple[str, Receipt]] = []
        for receipt in batch:
            for message_id in receipt.message_ids:
                job = jobs.get((receipt.account, message_id))
                if job is None:
                    self._too_early(receipt)
                    continue
                kept.append((job.id, receipt))
                change = changes.setdefault(job.id, _Change(before=job, after=job, events=[]))
                _fold_one(change, receipt)
        await self._write({job_id: change for job_id, change in changes.items() if change.after != change.before})
        await self._archive.keep_receipts(kept)

    async def _jobs(self, batch: list[Receipt]) -> dict[tuple[str, str], Job]:
        ids: dict[str, set[str]] = {}
        for receipt in batch:
            ids.setdefault(receipt.account, set()).update(receipt.message_ids)
        return {
            (account, str(job.message_id)): job
            for account, wanted in ids.items()
            for job in await self._ledger.by_message(account, wanted)
        }

    def _too_early(self, receipt: Receipt) -> None:
        if self._busy(receipt.account) and receipt not in self._early:
            self._early.append(receipt)

    async def _write(self, changes: dict[str, _Change]) -> None:
        steps = [Step(before=change.before.state, after=change.after) for change in changes.values()]
        events = [event for change in changes.values() for event in change.events]
        for change, written in zip(changes.values(), await self._ledger.advance(steps, events), strict=True):
            if written and change.after.state is not change.before.state:
                self._announce(JobChanged(before=change.before, after=change.after, at=change.after.since))


def _fold_one(change: _Change, receipt: Receipt) -> None:
    after = fold(change.after, receipt.mark, receipt.at)
    if after.state is not change.after.state:
        change.events += of_job(after)
    change.after = after


def _changed(before: Job, after: Job) -> _Change:
    return _Change(before=before, after=after, events=of_job(after))

# SPDX-License-Identifier: Apache-2.0
"""Folds WhatsApp's receipts into the jobs they are about, many at once.

A receipt may be here before the answer to the send that it is about; then it waits for that. One for a message that was
not ours to send (another device of the account wrote it) waits in vain, until newer ones take its place.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

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
        gather: seconds in which receipts are gathered, to be folded together.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        archive: JobArchive,
        clock: Clock,
        announce: Callable[[Fact], None],
        gather: float = 0.0,
    ) -> None:
        self._ledger, self._archive, self._clock, self._announce = ledger, archive, clock, announce
        self._gather = gather
        self._waiting: asyncio.Queue[Receipt | SendSettled] = asyncio.Queue(WAITING)
        self._early: deque[Receipt | SendSettled] = deque(maxlen=EARLY)  # receipts with one message each
        self._looking = False
        self._settled: set[str] = set()  # jobs and messages that were settled while we were looking at a batch
        self._failures = Failures(clock, announce)

    async def hear(self, report: ReceiptReported) -> None:
        await self._waiting.put(report.receipt)

    async def hear_settled(self, report: SendSettled) -> None:
        """WhatsApp's word on a job that we had given up waiting for."""
        await self._waiting.put(report)

    def settled(self, job: Job) -> None:
        """A job is no longer under way: what came too early may be about it."""
        names = {job.id, job.message_id or job.id}
        if self._looking:
            self._settled |= names
        for word in [word for word in self._early if _about(word) in names]:
            self._early.remove(word)
            self._again(word)

    async def run(self) -> None:
        """Fold for ever; the store may come and go."""
        while True:
            batch = [await self._waiting.get()]
            if self._gather:
                await self._clock.sleep(self._gather)
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            self._looking = True
            receipts = [word for word in batch if isinstance(word, Receipt)]
            words = [word for word in batch if isinstance(word, SendSettled)]
            while not await self._failures.guard("receipts", self._take(words, receipts)):
                await self._clock.sleep(STORE_AGAIN)
            self._looking = False
            self._settled.clear()

    async def _take(self, words: list[SendSettled], receipts: list[Receipt]) -> None:
        for word in words:
            await self._settle(word)
        while receipts and not await self._fold(receipts):
            pass  # a job came into another state in between, and is read again

    async def _settle(self, word: SendSettled) -> None:
        job = await self._archive.get(word.job_id)
        if job is not None and job.state is State.SENDING:
            self._too_early(word)
        elif job is not None and job.state is State.UNCONFIRMED:
            after = sent(job, word.message_id, word.at)
            if await self._write([_Change(before=job, after=after, events=of_job(after))]):
                self.settled(after)

    async def _fold(self, batch: list[Receipt]) -> bool:
        """Fold a batch, all of it or as much as was written at once; False if something must be folded again."""
        jobs = await self._jobs(batch)
        changes: dict[str, _Change] = {}
        kept: list[tuple[str, Receipt]] = []
        for receipt in batch:
            for message_id in receipt.message_ids:
                job = jobs.get((receipt.account, message_id))
                if job is None:
                    self._too_early(replace(receipt, message_ids=(message_id,)))
                    continue
                kept.append((job.id, receipt))
                change = changes.setdefault(job.id, _Change(before=job, after=job, events=[]))
                _fold_one(change, receipt)
        written = await self._write([change for change in changes.values() if change.after != change.before])
        await self._archive.keep_receipts(kept)
        return written

    async def _jobs(self, batch: list[Receipt]) -> dict[tuple[str, str], Job]:
        ids: dict[str, set[str]] = {}
        for receipt in batch:
            ids.setdefault(receipt.account, set()).update(receipt.message_ids)
        return {
            (account, str(job.message_id)): job
            for account, wanted in ids.items()
            for job in await self._ledger.by_message(account, wanted)
        }

    def _too_early(self, word: Receipt | SendSettled) -> None:
        if _about(word) in self._settled:  # since we looked
            self._again(word)
        elif word not in self._early:
            self._early.append(word)

    def _again(self, word: Receipt | SendSettled) -> None:
        if not self._waiting.full():
            self._waiting.put_nowait(word)

    async def _write(self, changes: list[_Change]) -> bool:
        """Write what changed. False if some of it was not as we had read it."""
        steps = [Step(before=change.before.state, after=change.after) for change in changes]
        events = [event for change in changes for event in change.events]
        answers = await self._ledger.advance(steps, events)
        for change, written in zip(changes, answers, strict=True):
            if written and change.after.state is not change.before.state:
                self._announce(JobChanged(before=change.before, after=change.after, at=change.after.since))
        return all(answers)


def _about(word: Receipt | SendSettled) -> str:
    """The job, or the message, that a word is about."""
    return word.job_id if isinstance(word, SendSettled) else word.message_ids[0]


def _fold_one(change: _Change, receipt: Receipt) -> None:
    after = fold(change.after, receipt.mark, receipt.at)
    if after.state is not change.after.state:
        change.events += of_job(after)
    change.after = after

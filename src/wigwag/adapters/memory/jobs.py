# SPDX-License-Identifier: Apache-2.0
"""The ledger as people read it, and receipts, in memory."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from wigwag.adapters.memory.ledger import MemoryLedger
from wigwag.app.ports import JobArchive, JobFilter
from wigwag.domain.delivery import OPEN, Job, Receipt, State
from wigwag.domain.ids import Jid


class MemoryJobArchive:
    """The port JobArchive in memory, over the jobs of a ledger."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger
        self._receipts: dict[str, dict[tuple[float, Jid, str], Receipt]] = {}

    async def get(self, job_id: str) -> Job | None:
        return self._ledger.jobs.get(job_id)

    async def find(self, wanted: JobFilter, limit: int) -> list[Job]:
        return list(islice((job for job in reversed(self._ledger.jobs.values()) if _fits(job, wanted)), limit))

    async def counts(self) -> dict[tuple[str, State], int]:
        return dict(Counter((job.account, job.state) for job in self._ledger.jobs.values()))

    async def receipts(self, job_id: str) -> list[Receipt]:
        kept = self._receipts.get(job_id, {})
        return [kept[key] for key in sorted(kept)]

    async def keep_receipts(self, receipts: Sequence[tuple[str, Receipt]]) -> None:
        for job_id, receipt in receipts:
            if job_id in self._ledger.jobs:
                self._receipts.setdefault(job_id, {})[receipt.at, receipt.reader, receipt.mark] = receipt

    async def forget(self, before: float) -> int:
        return self._remove(lambda job: job.state not in OPEN and job.since < before)

    def erase(self, jid: Jid) -> None:
        """Forget the jobs to somebody, and the receipts from them."""
        self._remove(lambda job: job.to == jid)
        for job_id, kept in self._receipts.items():
            others = {key: receipt for key, receipt in kept.items() if jid not in (receipt.reader, receipt.chat)}
            self._receipts[job_id] = others

    def _remove(self, unwanted: Callable[[Job], bool]) -> int:
        gone = [job for job in self._ledger.jobs.values() if unwanted(job)]
        self._ledger.remove(gone)
        for job in gone:
            self._receipts.pop(job.id, None)
        return len(gone)


def _fits(job: Job, wanted: JobFilter) -> bool:
    return (
        wanted.account in (None, job.account)
        and (not wanted.to or job.to in wanted.to)
        and (not wanted.states or job.state in wanted.states)
        and wanted.scheduled in (None, job.scheduled)
        and (wanted.before is None or job.place < wanted.before)
    )


if TYPE_CHECKING:
    _: type[JobArchive] = MemoryJobArchive

# SPDX-License-Identifier: Apache-2.0
"""The ledger as people read it, and receipts, in SQL: the tables `jobs` and `receipts`.

Receipts go with their job, wherever it is deleted.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from wigwag.adapters.storage.engine import SOME, Database, chosen, delete_slices, put_rows
from wigwag.adapters.storage.job_rows import job_of
from wigwag.adapters.storage.schema_messages import jobs
from wigwag.adapters.storage.schema_messages import receipts as marks
from wigwag.app.ports import JobArchive, JobFilter
from wigwag.domain.delivery import OPEN, Job, Mark, Receipt, State
from wigwag.domain.ids import Jid

_IDS = select(jobs.c.id).where(jobs.c.id.in_(SOME)).with_for_update()
_COUNTS = select(jobs.c.account, jobs.c.state, func.count()).group_by(jobs.c.account, jobs.c.state)
_SCHEDULED = (jobs.c.state == State.ACCEPTED.value) & (jobs.c.attempts == 0) & (jobs.c.due > jobs.c.created)
_ENDED = sorted(state.value for state in State if state not in OPEN)


class SqlJobArchive:
    """The port JobArchive on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, job_id: str) -> Job | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.id == job_id))).one_or_none()
        return None if row is None else job_of(row)

    async def find(self, wanted: JobFilter, limit: int) -> list[Job]:
        # Places first: they are in the indexes, and a hundred thousand of them are sorted in no time.
        newest = select(jobs.c.place).where(*_conditions(wanted)).order_by(jobs.c.place.desc()).limit(limit).subquery()
        query = select(jobs).join(newest, newest.c.place == jobs.c.place).order_by(jobs.c.place.desc())
        async with self._database.reading() as connection:
            return [job_of(row) for row in (await connection.execute(query)).all()]

    async def counts(self) -> dict[tuple[str, State], int]:
        async with self._database.reading() as connection:
            found = (await connection.execute(_COUNTS)).all()
        return {(account, State(state)): count for account, state, count in found}

    async def receipts(self, job_id: str) -> list[Receipt]:
        query = select(marks).where(marks.c.job == job_id)
        order = (marks.c.marked_at, marks.c.reader, marks.c.mark)
        async with self._database.reading() as connection:
            return [_receipt(row) for row in (await connection.execute(query.order_by(*order))).all()]

    async def keep_receipts(self, receipts: Sequence[tuple[str, Receipt]]) -> None:
        """Keep receipts; those of jobs that are not kept any more are left out."""

        def write(connection: Connection) -> None:
            kept = {row[0] for row in chosen(connection, _IDS, {job_id for job_id, _receipt in receipts})}
            rows = [_receipt_row(job_id, receipt) for job_id, receipt in receipts if job_id in kept]
            put_rows(connection, marks, rows)

        await self._database.write(write)

    async def forget(self, before: float) -> int:
        return await delete_slices(self._database, jobs, jobs.c.state.in_(_ENDED) & (jobs.c.since < before))


def _conditions(wanted: JobFilter) -> list[Any]:
    conditions = []
    if wanted.account is not None:
        conditions.append(jobs.c.account == wanted.account)
    if wanted.to:
        conditions.append(jobs.c.recipient.in_(wanted.to))
    if wanted.states:
        conditions.append(jobs.c.state.in_([state.value for state in wanted.states]))
    if wanted.scheduled is not None:
        conditions.append(_SCHEDULED if wanted.scheduled else ~_SCHEDULED)
    if wanted.before is not None:
        conditions.append(jobs.c.place < wanted.before)
    return conditions


def _receipt(row: Any) -> Receipt:
    _job, reader, mark, marked_at, account, chat, message_ids = row
    return Receipt(
        account=account,
        chat=Jid(chat),
        reader=Jid(reader),
        message_ids=tuple(json.loads(message_ids)),
        mark=Mark(mark),
        at=marked_at,
    )


def _receipt_row(job_id: str, receipt: Receipt) -> dict[str, Any]:
    return {
        "job": job_id,
        "reader": receipt.reader,
        "mark": receipt.mark.value,
        "marked_at": receipt.at,
        "account": receipt.account,
        "chat": receipt.chat,
        "message_ids": json.dumps(receipt.message_ids),
    }


if TYPE_CHECKING:
    _: type[JobArchive] = SqlJobArchive

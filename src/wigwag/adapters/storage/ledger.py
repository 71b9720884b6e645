# SPDX-License-Identifier: Apache-2.0
"""The ledger of jobs in SQL: the table `jobs`, and the events that tell of them.

Many tasks write one job each, so their calls are written in groups (`groups`, `ledger_group`). Who is due
is found in `job_queue`.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from wigwag.adapters.storage.engine import SOME, Database, chosen
from wigwag.adapters.storage.groups import Groups
from wigwag.adapters.storage.job_queue import DUE, NEXT_DUE
from wigwag.adapters.storage.job_rows import job_of
from wigwag.adapters.storage.ledger_group import Call, accepting, advancing, write_group
from wigwag.adapters.storage.schema_messages import jobs
from wigwag.app.ports import Ledger, Step
from wigwag.domain.delivery import Job, State
from wigwag.domain.ids import Jid
from wigwag.domain.outbox import Event


class SqlLedger:
    """The port Ledger on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._groups: Groups[Call, list[Any]] = Groups(self._write, database.patience)

    async def accept(self, jobs: Sequence[Job], events: Sequence[Event] = ()) -> list[Job]:
        """See the port. A job whose own id is kept already is returned as it is kept, too."""
        return await self._groups.submit(accepting(jobs, events)) if jobs or events else []

    async def advance(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> list[bool]:
        return await self._groups.submit(advancing(steps, events)) if steps or events else []

    async def due(self, account: str, now: float, limit: int, without: Collection[str] = ()) -> list[Job]:
        most = limit + len(without)  # the indexes of the queue have no ids
        wanted = {"account": account, "now": now, "most": most}
        found = await self._database.read(lambda connection: connection.execute(DUE, wanted).all())
        return [job_of(row) for row in found if row.id not in without][:limit]

    async def next_due(self, account: str, now: float) -> float | None:
        wanted = {"account": account, "now": now}
        found = await self._database.read(lambda connection: connection.execute(NEXT_DUE, wanted).all())
        return min((row.due for row in found if row.due is not None), default=None)

    async def by_message(self, account: str, message_ids: Collection[str]) -> list[Job]:
        query = select(jobs).where(jobs.c.account == account, jobs.c.message_id.in_(SOME))
        found = await self._database.read(lambda connection: chosen(connection, query, set(message_ids)))
        return [job_of(row) for row in found]

    async def in_state(self, account: str, state: State, to: Jid | None = None, limit: int = 1000) -> list[Job]:
        query = select(jobs).where(jobs.c.account == account, jobs.c.state == state.value)
        if to is not None:
            query = query.where(jobs.c.recipient == to)
        async with self._database.reading() as connection:
            found = (await connection.execute(query.order_by(jobs.c.place).limit(limit))).all()
        return [job_of(row) for row in found]

    async def finish(self) -> None:
        """Return when nothing is being written."""
        await self._groups.finish()

    async def _write(self, group: Sequence[Call]) -> list[list[Any]]:
        return await self._database.write(lambda connection: write_group(connection, group))


if TYPE_CHECKING:
    _: type[Ledger] = SqlLedger

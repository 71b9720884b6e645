# SPDX-License-Identifier: Apache-2.0
"""Presence and its past in SQL: the tables `contacts`, `intervals` and `life`.

Erasing reaches into the tables of wishes too, because one transaction must forget a person.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, delete, or_, select, update

from wigwag.adapters.storage.engine import Database, delete_slices, put_rows
from wigwag.adapters.storage.schema import contacts, failed_subscriptions, intervals, life, watches
from wigwag.app.ports import PresenceStore
from wigwag.domain.history import Batch, Interval, Kind
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, Status
from wigwag.domain.texts import kept_text

STARTING = 60.0  # seconds: a start reads everything and may have much to close


class SqlPresenceStore:
    """The port PresenceStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> tuple[list[Presence], float]:
        async with self._database.writing(STARTING) as connection:
            alive_at: float = await connection.scalar(select(life.c.alive_at)) or 0.0
            start = intervals.c.start_at
            end = case((start > alive_at, start), else_=alive_at)
            await connection.execute(update(intervals).where(intervals.c.end_at.is_(None)).values(end_at=end))
            found = (await connection.execute(select(contacts))).all()
        return [_presence(row) for row in found], alive_at

    async def save(self, batch: Batch) -> None:
        presences = {presence.jid: presence for presence in batch.presences}
        stretches = {(stretch.jid, stretch.kind, stretch.start): stretch for stretch in batch.intervals}
        async with self._database.writing() as connection:
            # In the order of the keys: neighbours share a page, which halves the time of a flush.
            await connection.run_sync(put_rows, contacts, (_contact_row(presences[key]) for key in sorted(presences)))
            await connection.run_sync(put_rows, intervals, (_interval_row(stretches[key]) for key in sorted(stretches)))
            await connection.run_sync(put_rows, life, [{"id": 1, "alive_at": batch.alive_at}])

    async def history(self, jid: Jid, start: float, end: float) -> list[Interval]:
        return await self.histories([jid], start, end)

    async def histories(self, jids: Collection[Jid], start: float, end: float) -> list[Interval]:
        if start >= end or not jids:
            return []
        columns = intervals.c
        lasts = or_(columns.start_at >= start, columns.end_at > start, columns.end_at.is_(None))
        query = select(intervals).where(and_(columns.jid.in_(jids), columns.start_at < end, lasts))
        async with self._database.reading() as connection:
            found = (await connection.execute(query.order_by(columns.start_at, columns.kind))).all()
        return [Interval(jid=Jid(jid), kind=Kind(kind), start=start, end=end) for jid, kind, start, end in found]

    async def forget(self, before: float) -> int:
        return await delete_slices(self._database, intervals, intervals.c.end_at < before)

    async def erase(self, jid: Jid) -> None:
        async with self._database.writing() as connection:
            for table in (contacts, intervals, watches, failed_subscriptions):
                await connection.execute(delete(table).where(table.c.jid == jid))


def _presence(row: Any) -> Presence:
    jid, name, account, status, since, last_seen, heard, went_online, went_offline = row
    return Presence(
        jid=Jid(jid),
        name=name,
        account=account,
        status=Status(status),
        since=since,
        last_seen=last_seen,
        heard=heard,
        went_online=went_online,
        went_offline=went_offline,
    )


def _contact_row(presence: Presence) -> dict[str, Any]:
    return {
        "jid": presence.jid,
        "name": kept_text(presence.name),
        "account": presence.account,
        "status": int(presence.status),
        "since": presence.since,
        "last_seen": presence.last_seen,
        "heard": presence.heard,
        "went_online": presence.went_online,
        "went_offline": presence.went_offline,
    }


def _interval_row(stretch: Interval) -> dict[str, Any]:
    return {"jid": stretch.jid, "kind": stretch.kind.value, "start_at": stretch.start, "end_at": stretch.end}


if TYPE_CHECKING:
    _: type[PresenceStore] = SqlPresenceStore

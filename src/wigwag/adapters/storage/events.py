# SPDX-License-Identifier: Apache-2.0
"""The log of events in SQL: the table `events`.

Others write events in the transactions of what these tell of, by `write_events`. Whoever keeps rows about events has
them refer to `events.position` with ON DELETE CASCADE: forgetting and erasing happens here alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select

from wigwag.adapters.storage.counters import POSITION, Counters, hold_counters
from wigwag.adapters.storage.engine import SOME, Database, chosen, delete_slices, run_for_each
from wigwag.adapters.storage.schema_messages import events
from wigwag.app.ports import EventLog
from wigwag.domain.outbox import Event
from wigwag.domain.texts import kept_text

_KNOWN = select(events.c.id).where(events.c.id.in_(SOME))
_AFTER = (
    select(events).where(events.c.position > bindparam("beyond")).order_by(events.c.position).limit(bindparam("most"))
)
_GET = select(events).where(events.c.id == bindparam("of"))


class SqlEventLog:
    """The port EventLog on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, events: Sequence[Event]) -> None:
        rows = event_rows(events)

        def write(connection: Connection) -> None:
            counters = hold_counters(connection)
            write_events(connection, rows, counters)
            counters.write(connection)

        await self._database.write(write)

    async def after(self, position: int, limit: int) -> list[tuple[int, Event]]:
        wanted = {"beyond": position, "most": limit}
        found = await self._database.read(lambda connection: connection.execute(_AFTER, wanted).all())
        return [(row[0], _event(row)) for row in found]

    async def last(self) -> int:
        return await self._database.read(lambda connection: connection.scalar(POSITION)) or 0

    async def get(self, event_id: str) -> Event | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(_GET, {"of": event_id})).one_or_none()
        return None if row is None else _event(row)

    async def forget(self, before: float) -> int:
        return await delete_slices(self._database, events, events.c.happened_at < before)


def event_rows(told: Iterable[Event]) -> list[dict[str, Any]]:
    """Events as rows, still without a position."""
    return [
        {
            "id": event.id,
            "kind": event.kind,
            "account": event.account,
            "happened_at": event.at,
            "data": json.dumps(event.data),
            "trace": None if event.trace is None else kept_text(event.trace),
        }
        for event in told
    ]


def write_events(connection: Connection, rows: Sequence[Mapping[str, Any]], counters: Counters) -> None:
    """Write rows of `event_rows`, without those whose id is kept already."""
    if not rows:
        return
    known = {row[0] for row in chosen(connection, _KNOWN, {row["id"] for row in rows})}
    numbered = []
    for row in rows:
        if row["id"] not in known:
            known.add(row["id"])
            counters.position += 1
            numbered.append({**row, "position": counters.position})
    run_for_each(connection, insert(events), numbered)


def _event(row: Any) -> Event:
    _position, event_id, kind, account, happened_at, data, trace = row
    return Event(id=event_id, kind=kind, account=account, at=happened_at, data=json.loads(data), trace=trace)


if TYPE_CHECKING:
    _: type[EventLog] = SqlEventLog

# SPDX-License-Identifier: Apache-2.0
"""Deletes a person from jobs, receipts, messages and events.

Rows that others keep about an event go with it (see `schema_messages.events`).
"""

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from wigwag.adapters.storage.counters import POSITION
from wigwag.adapters.storage.engine import Database
from wigwag.adapters.storage.schema_messages import events, jobs, messages, receipts
from wigwag.app.ports import Eraser
from wigwag.domain.ids import Jid

PATIENCE = 60.0  # seconds: somebody may have written much
EVENTS_AT_ONCE = 20_000  # that are searched in one transaction


class SqlEraser:
    """The port Eraser on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def erase_messages(self, jid: Jid) -> set[str]:
        """See the port. Call it again if it fails: what names media goes last, and all at once."""
        await self._erase_events(jid)
        theirs, to_them = or_(messages.c.chat == jid, messages.c.sender == jid), jobs.c.recipient == jid
        async with self._database.writing(PATIENCE) as connection:
            media = await _media_of_nobody_else(connection, theirs, to_them)
            await connection.execute(delete(receipts).where(or_(receipts.c.reader == jid, receipts.c.chat == jid)))
            await connection.execute(delete(jobs).where(to_them))
            await connection.execute(delete(messages).where(theirs))
        return media

    async def _erase_events(self, jid: Jid) -> None:
        """Delete events whose data name the person anywhere: as a whole string in the JSON."""
        named = events.c.data.contains(f'"{jid}"', autoescape=True)
        async with self._database.reading() as connection:
            last = await connection.scalar(POSITION) or 0
            first = await connection.scalar(select(events.c.position).order_by(events.c.position).limit(1))
        for start in range(first or last, last + 1, EVENTS_AT_ONCE):
            here = and_(events.c.position >= start, events.c.position < start + EVENTS_AT_ONCE)
            async with self._database.writing() as connection:
                await connection.execute(delete(events).where(here, named))


async def _media_of_nobody_else(
    connection: AsyncConnection, theirs: ColumnElement[bool], to_them: ColumnElement[bool]
) -> set[str]:
    """The media that these messages and jobs name, and no other does."""
    named = union(
        select(messages.c.media).where(theirs, messages.c.media.is_not(None)),
        select(jobs.c.media).where(to_them, jobs.c.media.is_not(None)),
    ).subquery()
    other_message = exists().where(messages.c.media == named.c.media, ~theirs)
    other_job = exists().where(jobs.c.media == named.c.media, ~to_them)
    return set(await connection.scalars(select(named.c.media).where(~other_message, ~other_job)))


if TYPE_CHECKING:
    _: type[Eraser] = SqlEraser

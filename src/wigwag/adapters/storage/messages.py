# SPDX-License-Identifier: Apache-2.0
"""What was said in chats, in SQL: the table `messages`, and the events that tell of it.

Edits and deletions change their target whichever of the two is kept first.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, update

from wigwag.adapters.storage.counters import hold_counters
from wigwag.adapters.storage.engine import SOME, Database, chosen, delete_slices, run_for_each
from wigwag.adapters.storage.events import event_rows, write_events
from wigwag.adapters.storage.message_rows import KEY, change_row, message_of, message_row
from wigwag.adapters.storage.schema_messages import messages as said
from wigwag.app.ports import MessageStore
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message, MessageKind
from wigwag.domain.outbox import Event

_CHANGES = (MessageKind.EDIT, MessageKind.DELETION)
_KNOWN = select(*KEY).where(said.c.id.in_(SOME))
_CHANGES_OF = select(said).where(said.c.target.in_(SOME), said.c.kind.in_([kind.value for kind in _CHANGES]))
_TARGET = and_(
    said.c.chat == bindparam("in_chat"),
    said.c.account == bindparam("of_account"),
    said.c.id == bindparam("of"),
    said.c.sender == bindparam("by"),
    said.c.deleted.is_(None),
)
_EDIT = (
    update(said)
    .where(_TARGET, or_(said.c.edited.is_(None), said.c.edited <= bindparam("when")))
    .values(body=bindparam("new"), edited=bindparam("when"))
)
_DELETE = update(said).where(_TARGET).values(body="", raw=b"", deleted=bindparam("when"))


class SqlMessageStore:
    """The port MessageStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, messages: Sequence[Message], events: Sequence[Event] = ()) -> list[bool]:
        told = event_rows(events)

        def write(connection: Connection) -> list[bool]:
            counters = hold_counters(connection)
            known = {tuple(row) for row in chosen(connection, _KNOWN, {message.id for message in messages})}
            answers, fresh = _sort_out(messages, known)
            run_for_each(connection, insert(said), [message_row(message) for message in fresh])
            _change(connection, fresh)
            twice = {(message.account, message.id) for message in messages}
            twice -= {(message.account, message.id) for message in fresh}
            rows = [
                row
                for event, row in zip(events, told, strict=True)
                if (event.account, event.data.get("message")) not in twice
            ]
            write_events(connection, rows, counters)
            counters.write(connection)
            return answers

        return await self._database.write(write)

    async def get(self, account: str, chat: Jid, message_id: str) -> Message | None:
        query = select(said).where(said.c.chat == chat, said.c.account == account, said.c.id == message_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else message_of(row)

    async def chat(self, account: str, chat: Jid, limit: int, before: tuple[float, str] | None = None) -> list[Message]:
        query = select(said).where(said.c.chat == chat, said.c.account == account)
        if before is not None:
            at, message_id = before
            # The first condition follows from the second; no database sees that, and finds its place in the index.
            query = query.where(said.c.said_at <= at, or_(said.c.said_at < at, said.c.id < message_id))
        query = query.order_by(said.c.said_at.desc(), said.c.id.desc()).limit(limit)
        async with self._database.reading() as connection:
            return [message_of(row) for row in (await connection.execute(query)).all()]

    async def known(self, account: str, chats: Collection[Jid]) -> set[Jid]:
        """See the port; what was forgotten was never said."""
        query = select(said.c.chat).distinct().where(said.c.account == account, said.c.chat.in_(SOME))
        found = await self._database.read(lambda connection: chosen(connection, query, set(chats)))
        return {Jid(row[0]) for row in found}

    async def put_media(self, account: str, chat: Jid, message_id: str, media: str) -> None:
        here = and_(said.c.chat == chat, said.c.account == account, said.c.id == message_id)
        async with self._database.writing() as connection:
            await connection.execute(update(said).where(here).values(media=media))

    async def forget(self, before: float) -> int:
        return await delete_slices(self._database, said, said.c.said_at < before)


def _sort_out(messages: Iterable[Message], known: set[tuple[Any, ...]]) -> tuple[list[bool], list[Message]]:
    """Which messages are new, and the new ones, each once."""
    answers, fresh = [], []
    for message in messages:
        key = (message.chat, message.account, message.id)
        answers.append(key not in known)
        if key not in known:
            known.add(key)
            fresh.append(message)
    return answers, fresh


def _change(connection: Connection, fresh: Sequence[Message]) -> None:
    """Carry out edits and deletions: the new ones, and those that were kept before their target."""
    waiting = chosen(connection, _CHANGES_OF, {message.id for message in fresh})
    changes = [message for message in fresh if message.kind in _CHANGES] + [message_of(row) for row in waiting]
    for kind, statement in ((MessageKind.EDIT, _EDIT), (MessageKind.DELETION, _DELETE)):
        rows = [change_row(change) for change in sorted(changes, key=lambda change: change.at) if change.kind is kind]
        run_for_each(connection, statement, rows)


if TYPE_CHECKING:
    _: type[MessageStore] = SqlMessageStore

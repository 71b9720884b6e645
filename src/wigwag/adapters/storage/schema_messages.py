# SPDX-License-Identifier: Apache-2.0
"""The tables of sending and receiving as they are today: jobs, receipts, messages, events, templates.

JSON is kept as text in ASCII, so that every database holds the same bytes and none of them finds a character that it
cannot hold. Keys of people's making are compared byte by byte, trailing spaces too.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from wigwag.adapters.storage.schema import ACCOUNT, INSTANT, JID, TEXT, metadata


def _ascii(length: int) -> TypeEngine[str]:
    """An id: ASCII, compared byte by byte."""
    exact = mysql.VARCHAR(length, charset="ascii", collation="ascii_nopad_bin")
    return String(length).with_variant(String(length, collation="C"), "postgresql").with_variant(exact, "mysql")


NUMBER: TypeEngine[int] = BigInteger().with_variant(Integer, "sqlite")  # SQLite's own row number, when it is the key
JOB_ID, MESSAGE_ID, EVENT_ID = _ascii(32), _ascii(128), _ascii(255)
NAME: TypeEngine[str] = (
    String(256)
    .with_variant(String(256, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(256, charset="utf8mb4", collation="utf8mb4_nopad_bin"), "mysql")
)
LONG: TypeEngine[str] = Text().with_variant(mysql.MEDIUMTEXT(), "mysql")
BYTES: TypeEngine[bytes] = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")
STYLE: dict[str, Any] = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def _index_of_some(name: str, *columns: str) -> Index:
    """An index of the rows in which its second column is not null, where the database can leave out the others."""
    condition = Column(columns[1]).is_not(None)
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


jobs = Table(
    "jobs",
    metadata,
    Column("place", NUMBER, primary_key=True, autoincrement=False),
    Column("id", JOB_ID, nullable=False),
    Column("account", ACCOUNT, nullable=False),
    Column("recipient", JID, nullable=False),
    Column("state", String(16), nullable=False),
    Column("stage", SmallInteger),  # in the queue: 0 new, 1 to be tried again, 2 sending; null: not in it
    Column("turn", SmallInteger, nullable=False),  # 9 - priority: an index is read in the order of sending
    Column("since", INSTANT, nullable=False),
    Column("created", INSTANT, nullable=False),
    Column("due", INSTANT, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("idempotency_key", NAME),
    Column("fingerprint", String(64), nullable=False),
    Column("door", String(16), nullable=False),
    Column("content", LONG, nullable=False),  # JSON
    Column("context", LONG),  # JSON: quote, mentions, and what whoever asked wants repeated
    Column("media", MESSAGE_ID),  # the id of media in our store
    Column("secret", String(64), nullable=False),  # goes with the message of the present attempt
    Column("message_id", MESSAGE_ID),
    Column("code", String(64), nullable=False),
    Column("detail", TEXT, nullable=False),
    Column("sent_at", INSTANT),
    Column("delivered_at", INSTANT),
    Column("read_at", INSTANT),
    Column("played_at", INSTANT),
    UniqueConstraint("id", name="jobs_id"),
    UniqueConstraint("idempotency_key", name="jobs_key"),
    _index_of_some("jobs_turn", "account", "stage", "turn", "place", "due", "recipient"),  # who is sent next
    _index_of_some("jobs_due", "account", "stage", "due", "recipient", "place"),  # who waits, and until when
    _index_of_some("jobs_message", "account", "message_id"),
    Index("jobs_state", "state", "account", "place"),
    Index("jobs_account", "account", "place"),
    Index("jobs_recipient", "recipient", "account", "state", "place"),
    Index("jobs_since", "since"),  # finds what is old
    Index("jobs_media", "media"),
    **STYLE,
)

receipts = Table(
    "receipts",
    metadata,
    Column("job", JOB_ID, ForeignKey("jobs.id", name="receipts_of_job", ondelete="CASCADE"), primary_key=True),
    Column("reader", JID, primary_key=True),
    Column("mark", String(16), primary_key=True),
    Column("marked_at", INSTANT, primary_key=True),
    Column("account", ACCOUNT, nullable=False),
    Column("chat", JID, nullable=False),
    Column("message_ids", LONG, nullable=False),  # JSON
    Index("receipts_reader", "reader"),
    sqlite_with_rowid=False,
    **STYLE,
)

messages = Table(
    "messages",
    metadata,
    Column("chat", JID, primary_key=True),
    Column("account", ACCOUNT, primary_key=True),
    Column("id", MESSAGE_ID, primary_key=True),
    Column("sender", JID, nullable=False),
    Column("from_me", Boolean, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("said_at", INSTANT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("body", LONG, nullable=False),
    Column("target", MESSAGE_ID, nullable=False),
    Column("quoted", MESSAGE_ID, nullable=False),
    Column("mimetype", TEXT, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("raw", BYTES, nullable=False),
    Column("media", MESSAGE_ID),
    Column("job", JOB_ID, nullable=False),
    Column("edited", INSTANT),
    Column("deleted", INSTANT),
    Index("messages_chat", "chat", "account", "said_at", "id"),
    Index("messages_target", "target"),
    Index("messages_sender", "sender"),
    Index("messages_said_at", "said_at"),  # finds what is old
    Index("messages_media", "media"),
    **STYLE,
)

# Whoever keeps something about an event refers to its position, and lets it go with the event (ON DELETE CASCADE).
events = Table(
    "events",
    metadata,
    Column("position", NUMBER, primary_key=True, autoincrement=False),
    Column("id", EVENT_ID, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("account", ACCOUNT, nullable=False),
    Column("happened_at", INSTANT, nullable=False),
    Column("data", LONG, nullable=False),  # JSON
    Column("trace", TEXT),
    UniqueConstraint("id", name="events_id"),
    Index("events_happened_at", "happened_at"),  # finds what is old
    **STYLE,
)

counters = Table(
    "counters",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),  # always 1: there is one row
    Column("place", BigInteger, nullable=False),  # the last that a job was given
    Column("position", BigInteger, nullable=False),  # the last that an event was given
    sqlite_with_rowid=False,
    **STYLE,
)

templates = Table(
    "templates",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("body", LONG, nullable=False),
    sqlite_with_rowid=False,
    **STYLE,
)

# SPDX-License-Identifier: Apache-2.0
"""Jobs, receipts, messages, events and templates. A released migration is never changed: write the next one."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"

JID = (
    sa.String(64)
    .with_variant(sa.String(64, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb")
)
NAME = (
    sa.String(256)
    .with_variant(sa.String(256, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(256, charset="utf8mb4", collation="utf8mb4_nopad_bin"), "mysql")
)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
LONG = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql")
BYTES = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")
STYLE: dict[str, Any] = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
IN_THE_KEY: dict[str, Any] = {"sqlite_with_rowid": False}


def _ascii(length: int) -> Any:
    exact = mysql.VARCHAR(length, charset="ascii", collation="ascii_nopad_bin")
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql").with_variant(exact, "mysql")


JOBS: list[sa.schema.SchemaItem] = [
    sa.Column("place", NUMBER, primary_key=True, autoincrement=False),
    sa.Column("id", _ascii(32), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("recipient", JID, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("stage", sa.SmallInteger),
    sa.Column("turn", sa.SmallInteger, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("due", sa.Double, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("idempotency_key", NAME),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("door", sa.String(16), nullable=False),
    sa.Column("content", LONG, nullable=False),
    sa.Column("context", LONG),
    sa.Column("media", _ascii(128)),
    sa.Column("secret", sa.String(64), nullable=False),
    sa.Column("message_id", _ascii(128)),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("detail", sa.String(255), nullable=False),
    sa.Column("sent_at", sa.Double),
    sa.Column("delivered_at", sa.Double),
    sa.Column("read_at", sa.Double),
    sa.Column("played_at", sa.Double),
    sa.UniqueConstraint("id", name="jobs_id"),
    sa.UniqueConstraint("idempotency_key", name="jobs_key"),
]
RECEIPTS: list[sa.schema.SchemaItem] = [
    sa.Column(
        "job", _ascii(32), sa.ForeignKey("jobs.id", name="receipts_of_job", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("reader", JID, primary_key=True),
    sa.Column("mark", sa.String(16), primary_key=True),
    sa.Column("marked_at", sa.Double, primary_key=True),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("chat", JID, nullable=False),
    sa.Column("message_ids", LONG, nullable=False),
]
MESSAGES: list[sa.schema.SchemaItem] = [
    sa.Column("chat", JID, primary_key=True),
    sa.Column("account", sa.String(64), primary_key=True),
    sa.Column("id", _ascii(128), primary_key=True),
    sa.Column("sender", JID, nullable=False),
    sa.Column("from_me", sa.Boolean, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("said_at", sa.Double, nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("body", LONG, nullable=False),
    sa.Column("target", _ascii(128), nullable=False),
    sa.Column("quoted", _ascii(128), nullable=False),
    sa.Column("mimetype", sa.String(255), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("raw", BYTES, nullable=False),
    sa.Column("media", _ascii(128)),
    sa.Column("job", _ascii(32), nullable=False),
    sa.Column("edited", sa.Double),
    sa.Column("deleted", sa.Double),
]
EVENTS: list[sa.schema.SchemaItem] = [
    sa.Column("position", NUMBER, primary_key=True, autoincrement=False),
    sa.Column("id", _ascii(255), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("happened_at", sa.Double, nullable=False),
    sa.Column("data", LONG, nullable=False),
    sa.Column("trace", sa.String(255)),
    sa.UniqueConstraint("id", name="events_id"),
]
COUNTERS: list[sa.schema.SchemaItem] = [
    sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
]
TEMPLATES: list[sa.schema.SchemaItem] = [
    sa.Column("name", NAME, primary_key=True),
    sa.Column("body", LONG, nullable=False),
]
TABLES = {
    "jobs": (JOBS, STYLE),
    "receipts": (RECEIPTS, STYLE | IN_THE_KEY),
    "messages": (MESSAGES, STYLE),
    "events": (EVENTS, STYLE),
    "counters": (COUNTERS, STYLE | IN_THE_KEY),
    "templates": (TEMPLATES, STYLE | IN_THE_KEY),
}
INDEXES: dict[str, tuple[str, list[str]]] = {
    "jobs_turn": ("jobs", ["account", "stage", "turn", "place", "due", "recipient"]),
    "jobs_due": ("jobs", ["account", "stage", "due", "recipient", "place"]),
    "jobs_message": ("jobs", ["account", "message_id"]),
    "jobs_state": ("jobs", ["state", "account", "place"]),
    "jobs_account": ("jobs", ["account", "place"]),
    "jobs_recipient": ("jobs", ["recipient", "account", "state", "place"]),
    "jobs_since": ("jobs", ["since"]),
    "jobs_media": ("jobs", ["media"]),
    "receipts_reader": ("receipts", ["reader"]),
    "messages_chat": ("messages", ["chat", "account", "said_at", "id"]),
    "messages_target": ("messages", ["target"]),
    "messages_sender": ("messages", ["sender"]),
    "messages_said_at": ("messages", ["said_at"]),
    "messages_media": ("messages", ["media"]),
    "events_happened_at": ("events", ["happened_at"]),
}
OF_SOME = {"jobs_turn": "stage", "jobs_due": "stage", "jobs_message": "message_id"}  # where this is not null


def upgrade() -> None:
    """Every step may be there already: MariaDB keeps what an interrupted migration has made."""
    for name, (columns, style) in TABLES.items():
        op.create_table(name, *columns, if_not_exists=True, **style)
    for name, (table, indexed) in INDEXES.items():
        some = sa.text(f"{OF_SOME[name]} IS NOT NULL") if name in OF_SOME else None
        op.create_index(name, table, indexed, if_not_exists=True, sqlite_where=some, postgresql_where=some)
    counters = sa.table("counters", *(sa.column(name) for name in ("id", "place", "position")))
    if not op.get_bind().scalar(sa.select(sa.func.count()).select_from(counters)):
        op.bulk_insert(counters, [{"id": 1, "place": 0, "position": 0}])


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name, if_exists=True)

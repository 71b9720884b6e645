# SPDX-License-Identifier: Apache-2.0
"""Webhook endpoints and deliveries. A released migration is never changed: write the next one."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
LONG = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql")
STYLE: dict[str, Any] = {"sqlite_with_rowid": False, "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def _ascii(length: int, collation: str) -> Any:
    exact = mysql.VARCHAR(length, charset="ascii", collation=collation)
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql").with_variant(exact, "mysql")


ENDPOINT_ID, EVENT_ID = _ascii(32, "ascii_bin"), _ascii(255, "ascii_nopad_bin")
TO = sa.ForeignKey("webhook_endpoints.id", name="webhook_deliveries_to", ondelete="CASCADE")
OF = sa.ForeignKey("events.position", name="webhook_deliveries_of", ondelete="CASCADE")
TABLES: dict[str, list[sa.schema.SchemaItem]] = {
    "webhook_endpoints": [
        sa.Column("id", ENDPOINT_ID, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("kinds", LONG, nullable=False),
        sa.Column("accounts", LONG, nullable=False),
        sa.Column("secrets", sa.Text, nullable=False),
        sa.Column("description", sa.String(255), nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("ordered", sa.Boolean, nullable=False),
        sa.Column("concurrency", sa.SmallInteger, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since", sa.Double),
        sa.Column("not_before", sa.Double, nullable=False),
    ],
    "webhook_deliveries": [
        sa.Column("endpoint", ENDPOINT_ID, TO, primary_key=True),
        sa.Column("position", NUMBER, OF, primary_key=True, autoincrement=False),
        sa.Column("event", EVENT_ID, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("due", sa.Double, nullable=False),
        sa.Column("tries", LONG, nullable=False),
    ],
    "webhook_cursor": [
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
    ],
}
INDEXES = {
    "webhook_deliveries_due": ["endpoint", "state", "due", "position"],
    "webhook_deliveries_next": ["endpoint", "state", "position"],
    "webhook_deliveries_event": ["position"],
    "webhook_deliveries_created": ["created"],
}


def upgrade() -> None:
    """Every step may be there already: MariaDB keeps what an interrupted migration has made."""
    for name, columns in TABLES.items():
        op.create_table(name, *columns, if_not_exists=True, **STYLE)
    for name, indexed in INDEXES.items():
        op.create_index(name, "webhook_deliveries", indexed, if_not_exists=True)
    cursor = sa.table("webhook_cursor", sa.column("id"), sa.column("position"))
    if not op.get_bind().scalar(sa.select(sa.func.count()).select_from(cursor)):
        op.bulk_insert(cursor, [{"id": 1, "position": 0}])


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name, if_exists=True)

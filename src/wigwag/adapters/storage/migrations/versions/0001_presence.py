# SPDX-License-Identifier: Apache-2.0
"""Presence, its past, wishes, accounts and choices. A released migration is never changed: write the next one."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

JID = (
    sa.String(64)
    .with_variant(sa.String(64, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb")
)
STYLE: dict[str, Any] = {"sqlite_with_rowid": False, "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
TABLES: dict[str, list[sa.schema.SchemaItem]] = {
    "contacts": [
        sa.Column("jid", JID, primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("last_seen", sa.Double),
        sa.Column("heard", sa.Double, nullable=False),
        sa.Column("went_online", sa.BigInteger, nullable=False),
        sa.Column("went_offline", sa.BigInteger, nullable=False),
    ],
    "intervals": [
        sa.Column("jid", JID, primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("start_at", sa.Double, primary_key=True),
        sa.Column("end_at", sa.Double),
    ],
    "watches": [
        sa.Column("jid", JID, primary_key=True),
        sa.Column("source", JID, primary_key=True),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
    ],
    "watched_groups": [
        sa.Column("jid", JID, primary_key=True),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
    ],
    "failed_subscriptions": [
        sa.Column("jid", JID, primary_key=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.Double, nullable=False),
    ],
    "accounts": [
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("jid", JID),
        sa.Column("banned_until", sa.Double),
        sa.Column("detail", sa.String(255), nullable=False),
        sa.Column("reconnects", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("appear", sa.Boolean, nullable=False),
    ],
    "choices": [
        sa.Column("choice", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    ],
    "life": [
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("alive_at", sa.Double, nullable=False),
    ],
}


def upgrade() -> None:
    """Every step may be there already: MariaDB keeps what an interrupted migration has made."""
    for name, columns in TABLES.items():
        op.create_table(name, *columns, if_not_exists=True, **STYLE)
    op.create_index("intervals_end_at", "intervals", ["end_at"], if_not_exists=True)


def downgrade() -> None:
    for name in TABLES:
        op.drop_table(name, if_exists=True)

# SPDX-License-Identifier: Apache-2.0
"""Users of the host application and their contacts. A released migration is never changed: write the next one."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"

STYLE: dict[str, Any] = {"sqlite_with_rowid": False, "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
EXACT = (
    sa.String(64)
    .with_variant(sa.String(64, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql")
)
TABLES: dict[str, list[sa.schema.SchemaItem]] = {
    "users": [
        sa.Column("id", EXACT, primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("phone_number", sa.String(20)),
        sa.Column("profile_pic", sa.Text),
        sa.Column("status", sa.String(50), nullable=False),
        sa.Column("last_seen", sa.Double),
        sa.Column("is_online", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Double),
        sa.Column("show_online_status", sa.String(16), nullable=False),
        sa.Column("show_last_seen", sa.String(16), nullable=False),
        sa.Column("jid", EXACT),
        sa.Column("v", sa.BigInteger, nullable=False),
        sa.Column("choice", sa.String(16), nullable=False),
        sa.UniqueConstraint("phone_number", name="users_phone_number"),
    ],
    "user_contacts": [
        sa.Column("user_id", EXACT, primary_key=True),
        sa.Column("contact_id", EXACT, primary_key=True),
    ],
    "user_life": [
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("alive_at", sa.Double, nullable=False),
    ],
}


def upgrade() -> None:
    """Every step may be there already: MariaDB keeps what an interrupted migration has made."""
    for name, columns in TABLES.items():
        op.create_table(name, *columns, if_not_exists=True, **STYLE)
    op.create_index("idx_users_status", "users", ["status"], if_not_exists=True)
    op.create_index("idx_users_online", "users", ["is_online"], if_not_exists=True)


def downgrade() -> None:
    for name in TABLES:
        op.drop_table(name, if_exists=True)

# SPDX-License-Identifier: Apache-2.0
"""Which contacts on WhatsApp users may watch. A released migration is never changed: write the next one."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0005"
down_revision = "0004"

STYLE: dict[str, Any] = {"sqlite_with_rowid": False, "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
EXACT = (
    sa.String(64)
    .with_variant(sa.String(64, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql")
)


def upgrade() -> None:
    """Every step may be there already: MariaDB keeps what an interrupted migration has made."""
    op.create_table(
        "user_grants",
        sa.Column("user_id", EXACT, primary_key=True),
        sa.Column("jid", EXACT, primary_key=True),
        if_not_exists=True,
        **STYLE,
    )
    op.create_index("idx_user_grants_jid", "user_grants", ["jid"], if_not_exists=True)


def downgrade() -> None:
    op.drop_table("user_grants", if_exists=True)

# SPDX-License-Identifier: Apache-2.0
"""API keys, sign-ins and the audit log. A released migration is never changed: write the next one."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006"
down_revision = "0005"

STYLE: dict[str, Any] = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
BY_KEY: dict[str, Any] = {"sqlite_with_rowid": False, **STYLE}
ID = (
    sa.String(32)
    .with_variant(sa.String(32, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(32, charset="ascii", collation="ascii_nopad_bin"), "mysql")
)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Every step may be there already: MariaDB keeps what an interrupted migration has made."""
    op.create_table(
        "api_keys",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(255), nullable=False),
        sa.Column("per_minute", sa.Integer),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double),
        sa.Column("revoked", sa.Double),
        sa.Column("used", sa.Double),
        if_not_exists=True,
        **BY_KEY,
    )
    op.create_table(
        "sign_ins",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("api_key", ID, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        if_not_exists=True,
        **BY_KEY,
    )
    op.create_table(
        "audit",
        sa.Column("position", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("done_at", sa.Double, nullable=False),
        sa.Column("caller", ID, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("deed", sa.String(64), nullable=False),
        sa.Column("target", sa.String(255), nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        if_not_exists=True,
        **STYLE,
    )
    op.create_index("audit_done_at", "audit", ["done_at"], if_not_exists=True)


def downgrade() -> None:
    for name in ("audit", "sign_ins", "api_keys"):
        op.drop_table(name, if_exists=True)

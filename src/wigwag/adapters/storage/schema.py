# SPDX-License-Identifier: Apache-2.0
"""The tables as they are today. `migrations` makes them, and a test holds the two together.

Instants are Unix seconds in eight-byte floats. Column names avoid words that SQL reserves, so that an operator can
type them as they are.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, MetaData, SmallInteger, String, Table, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from wigwag.domain.texts import LONGEST

metadata = MetaData()

# Jids are ASCII and compared byte by byte; a locale's order would only make the indexes slower.
JID: TypeEngine[str] = (
    String(64)
    .with_variant(String(64, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb")
)
TEXT = String(LONGEST)
ACCOUNT = String(64)
INSTANT: Double[float] = Double()

# Rows live in the primary key's tree (on MariaDB they always do), and text is compared as it is written.
STYLE: dict[str, Any] = {"sqlite_with_rowid": False, "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}

contacts = Table(
    "contacts",
    metadata,
    Column("jid", JID, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("account", ACCOUNT, nullable=False),
    Column("status", SmallInteger, nullable=False),  # 0 unknown, 1 offline, 2 online
    Column("since", INSTANT, nullable=False),
    Column("last_seen", INSTANT),
    Column("heard", INSTANT, nullable=False),
    Column("went_online", BigInteger, nullable=False),
    Column("went_offline", BigInteger, nullable=False),
    **STYLE,
)

intervals = Table(
    "intervals",
    metadata,
    Column("jid", JID, primary_key=True),
    Column("kind", String(8), primary_key=True),  # online or observed
    Column("start_at", INSTANT, primary_key=True),
    Column("end_at", INSTANT),  # null while it lasts
    Index("intervals_end_at", "end_at"),  # finds what is open, and what is old
    **STYLE,
)

watches = Table(
    "watches",
    metadata,
    Column("jid", JID, primary_key=True),
    Column("source", JID, primary_key=True),  # a group's jid, or empty: wanted by name
    Column("account", ACCOUNT, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("name", TEXT, nullable=False),
    **STYLE,
)

watched_groups = Table(
    "watched_groups",
    metadata,
    Column("jid", JID, primary_key=True),
    Column("account", ACCOUNT, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("name", TEXT, nullable=False),
    **STYLE,
)

failed_subscriptions = Table(
    "failed_subscriptions",
    metadata,
    Column("jid", JID, primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("due", INSTANT, nullable=False),
    **STYLE,
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", ACCOUNT, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("since", INSTANT, nullable=False),
    Column("jid", JID),
    Column("banned_until", INSTANT),
    Column("detail", TEXT, nullable=False),
    Column("reconnects", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("appear", Boolean, nullable=False),
    **STYLE,
)

choices = Table(
    "choices",
    metadata,
    Column("choice", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    **STYLE,
)

life = Table(
    "life",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),  # always 1: there is one row
    Column("alive_at", INSTANT, nullable=False),
    **STYLE,
)

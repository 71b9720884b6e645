# SPDX-License-Identifier: Apache-2.0
"""The tables of the host application's users as they are today: who they are, whom they know, and what was last seen.

The columns are those of seed 004, with instants as everywhere here. A user's id is kept as its text.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, SmallInteger, String, Table, Text, UniqueConstraint
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from wigwag.adapters.storage.schema import INSTANT, JID, STYLE, TEXT, metadata

USER_ID: TypeEngine[str] = (
    String(64)
    .with_variant(String(64, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql")
)
PHONE = 20  # characters

users = Table(
    "users",
    metadata,
    Column("id", USER_ID, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("phone_number", String(PHONE)),
    Column("profile_pic", Text),
    Column("status", String(50), nullable=False),  # online, away, busy or offline
    Column("last_seen", INSTANT),
    Column("is_online", Boolean, nullable=False),  # whether the status is another than offline
    Column("created_at", INSTANT),  # null: nobody told us of this user, and we only keep what was seen
    Column("show_online_status", String(16), nullable=False),  # everyone, contacts or nobody
    Column("show_last_seen", String(16), nullable=False),
    Column("jid", JID),  # the WhatsApp contact that is the same person
    Column("v", BigInteger, nullable=False),
    Column("choice", String(16), nullable=False),  # online, away, busy or invisible
    UniqueConstraint("phone_number", name="users_phone_number"),
    Index("idx_users_status", "status"),
    Index("idx_users_online", "is_online"),
    **STYLE,
)

user_contacts = Table(
    "user_contacts",
    metadata,
    Column("user_id", USER_ID, primary_key=True),
    Column("contact_id", USER_ID, primary_key=True),  # each pair is here twice, once in each direction
    **STYLE,
)

user_grants = Table(
    "user_grants",
    metadata,
    Column("user_id", USER_ID, primary_key=True),
    Column("jid", JID, primary_key=True),  # a contact on WhatsApp that the user may watch
    Index("idx_user_grants_jid", "jid"),
    **STYLE,
)

user_life = Table(
    "user_life",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),  # always 1: there is one row
    Column("alive_at", INSTANT, nullable=False),
    **STYLE,
)

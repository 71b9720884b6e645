# SPDX-License-Identifier: Apache-2.0
"""The tables of access as they are today: keys and sign-ins by their hashes, and what callers did."""

from sqlalchemy import Column, Index, Integer, SmallInteger, String, Table

from wigwag.adapters.storage.schema import INSTANT, STYLE, TEXT, metadata
from wigwag.adapters.storage.schema_messages import JOB_ID, NUMBER
from wigwag.adapters.storage.schema_messages import STYLE as NUMBERED

DIGEST = String(64)  # SHA-256 in hex

keys = Table(
    "api_keys",
    metadata,
    Column("id", JOB_ID, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("scopes", String(255), nullable=False),  # words with spaces between them
    Column("per_minute", Integer),
    Column("created", INSTANT, nullable=False),
    Column("expires", INSTANT),
    Column("revoked", INSTANT),
    Column("used", INSTANT),
    **STYLE,
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("api_key", JOB_ID, nullable=False),  # of the settings too, so it refers to no row
    Column("created", INSTANT, nullable=False),
    Column("expires", INSTANT, nullable=False),
    **STYLE,
)

audit = Table(
    "audit",
    metadata,
    Column("position", NUMBER, primary_key=True, autoincrement=True),
    Column("done_at", INSTANT, nullable=False),
    Column("caller", JOB_ID, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("deed", String(64), nullable=False),
    Column("target", TEXT, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("address", String(64), nullable=False),
    Index("audit_done_at", "done_at"),  # finds what is old
    **NUMBERED,
)

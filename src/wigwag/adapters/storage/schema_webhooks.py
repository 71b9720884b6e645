# SPDX-License-Identifier: Apache-2.0
"""The tables of webhooks as they are today: endpoints, deliveries, and how far the event log was read for them.

A delivery goes with its endpoint and with its event. The indexes are made for endpoints with much to catch up on.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, SmallInteger, String, Table, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from wigwag.adapters.storage.schema import INSTANT, TEXT, metadata
from wigwag.adapters.storage.schema_messages import EVENT_ID, LONG, NUMBER, STYLE

ENDPOINT_ID: TypeEngine[str] = (
    String(32)
    .with_variant(String(32, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(32, charset="ascii", collation="ascii_bin"), "mysql")
)

endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", ENDPOINT_ID, primary_key=True),
    Column("url", Text, nullable=False),
    Column("kinds", LONG, nullable=False),  # JSON: patterns
    Column("accounts", LONG, nullable=False),  # JSON
    Column("secrets", Text, nullable=False),  # JSON: readable, because signing needs them
    Column("description", TEXT, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("ordered", Boolean, nullable=False),
    Column("concurrency", SmallInteger, nullable=False),
    Column("created", INSTANT, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", INSTANT),
    Column("not_before", INSTANT, nullable=False),
    sqlite_with_rowid=False,
    **STYLE,
)

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column(
        "endpoint",
        ENDPOINT_ID,
        ForeignKey("webhook_endpoints.id", name="webhook_deliveries_to", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column(
        "position",
        NUMBER,
        ForeignKey("events.position", name="webhook_deliveries_of", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("event", EVENT_ID, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created", INSTANT, nullable=False),
    Column("due", INSTANT, nullable=False),
    Column("tries", LONG, nullable=False),  # JSON
    Index("webhook_deliveries_due", "endpoint", "state", "due", "position"),
    Index("webhook_deliveries_next", "endpoint", "state", "position"),
    Index("webhook_deliveries_event", "position"),  # finds what goes with an event
    Index("webhook_deliveries_created", "created"),  # finds what is old
    sqlite_with_rowid=False,
    **STYLE,
)

cursor = Table(
    "webhook_cursor",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),  # always 1: there is one row
    Column("position", BigInteger, nullable=False),  # of the last event that was queued
    sqlite_with_rowid=False,
    **STYLE,
)

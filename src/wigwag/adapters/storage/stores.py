# SPDX-License-Identifier: Apache-2.0
"""The way into this room: one address in, open stores out, with the tables in place.

Compose calls this and sees nothing else of the room.
"""

from dataclasses import dataclass

from sqlalchemy import text

from wigwag.adapters.storage.access import SqlAuditStore, SqlKeyStore
from wigwag.adapters.storage.accounts import SqlAccountStore
from wigwag.adapters.storage.engine import PATIENCE, Database, parse
from wigwag.adapters.storage.eraser import SqlEraser
from wigwag.adapters.storage.events import SqlEventLog
from wigwag.adapters.storage.grants import SqlGrantStore
from wigwag.adapters.storage.jobs import SqlJobArchive
from wigwag.adapters.storage.last_seen import SqlLastSeenStore
from wigwag.adapters.storage.ledger import SqlLedger
from wigwag.adapters.storage.messages import SqlMessageStore
from wigwag.adapters.storage.migrate import migrate
from wigwag.adapters.storage.presence import SqlPresenceStore
from wigwag.adapters.storage.templates import SqlTemplateStore
from wigwag.adapters.storage.users import SqlUserStore
from wigwag.adapters.storage.watches import SqlWatchStore
from wigwag.adapters.storage.webhook_deliveries import SqlDeliveryStore
from wigwag.adapters.storage.webhook_endpoints import SqlEndpointStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The stores on one database."""

    presence: SqlPresenceStore
    watches: SqlWatchStore
    accounts: SqlAccountStore
    ledger: SqlLedger
    jobs: SqlJobArchive
    messages: SqlMessageStore
    events: SqlEventLog
    templates: SqlTemplateStore
    eraser: SqlEraser
    endpoints: SqlEndpointStore
    deliveries: SqlDeliveryStore
    users: SqlUserStore
    last_seen: SqlLastSeenStore
    grants: SqlGrantStore
    keys: SqlKeyStore
    audit: SqlAuditStore
    database: Database

    async def ping(self) -> None:
        """Raises StoreUnavailable if the database does not answer."""
        async with self.database.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Let all connections go. Nothing may be called afterwards."""
        await self.ledger.finish()
        await self.database.close()


async def open_stores(address: str, *, patience: float = PATIENCE) -> Stores:
    """Open a database and bring its tables to this version.

    Args:
        address: `sqlite:///wigwag.db`, `postgresql://user:password@host/database` or `mysql://…`, with or without
            the name of a driver.
        patience: seconds after which a call gives up.

    Raises:
        InvalidSettings: this is no such address.
        StoreUnavailable: the database does not answer, or a newer wigwag has been here.
    """
    database = Database(parse(address), patience)
    stores = Stores(
        presence=SqlPresenceStore(database),
        watches=SqlWatchStore(database),
        accounts=SqlAccountStore(database),
        ledger=SqlLedger(database),
        jobs=SqlJobArchive(database),
        messages=SqlMessageStore(database),
        events=SqlEventLog(database),
        templates=SqlTemplateStore(database),
        eraser=SqlEraser(database),
        endpoints=SqlEndpointStore(database),
        deliveries=SqlDeliveryStore(database),
        users=SqlUserStore(database),
        last_seen=SqlLastSeenStore(database),
        grants=SqlGrantStore(database),
        keys=SqlKeyStore(database),
        audit=SqlAuditStore(database),
        database=database,
    )
    try:
        await stores.ping()  # soon says when nobody is there; migrations have more patience
        await migrate(database)
    except BaseException:
        await stores.close()
        raise
    return stores

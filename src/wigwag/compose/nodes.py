# SPDX-License-Identifier: Apache-2.0
"""What makes a gateway one of several: the roster on Redis, and the database of users that all of them share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wigwag.adapters.clock import SystemClock
from wigwag.adapters.memory.roster import MemoryRoster
from wigwag.adapters.metrics import Figures, names
from wigwag.adapters.redis import RedisRoster
from wigwag.adapters.rest import Check
from wigwag.adapters.storage.stores import Stores, open_stores
from wigwag.app.core import Core
from wigwag.app.ports import Roster
from wigwag.config import Settings


@asynccontextmanager
async def roster(settings: Settings, clock: SystemClock) -> AsyncIterator[Roster]:
    """Who is here: on Redis for several nodes, else in memory."""
    if settings.redis_url is None:
        yield MemoryRoster(clock)
        return
    shared = RedisRoster(settings.redis_url.get_secret_value(), settings.redis_prefix)
    try:
        yield shared
    finally:
        await shared.close()


@asynccontextmanager
async def people(settings: Settings, stores: Stores) -> AsyncIterator[Stores]:
    """Where users are kept: with all else, or in a database that nodes share."""
    if settings.users_storage_url is None:
        yield stores
        return
    shared = await open_stores(settings.users_storage_url.get_secret_value())
    try:
        yield shared
    finally:
        await shared.close()


def check(core: Core) -> Check:
    """Whether this node knows of all users."""
    node = core.lobby.node
    return Check(part="roster", ok=node.synced, detail="" if node.synced else "Users of other nodes are not heard of.")


def figures(core: Core) -> Figures:
    """What metrics read of this node."""
    node = core.lobby.node
    return {
        names.USERS_ACTIVE: core.lobby.active_users_count,
        names.NODE_LIVE: lambda: node.live,
        names.RELAY_LAG: lambda: node.lag,
        names.NODE_REFUSED: lambda: node.refused,
    }

# SPDX-License-Identifier: Apache-2.0
"""Looks a running installation over, from the settings to WhatsApp, and says what is wrong and what to do about it.

It changes nothing: no table is made, no queue declared that is not there, no session touched. What a gateway itself
knows is asked of it over HTTP; whether the world can be reached is tried from here, as the gateway would.
"""

import asyncio
from collections.abc import AsyncIterator

from wigwag.compose.doctor.findings import Finding, Verdict
from wigwag.compose.doctor.machine import machine, sessions
from wigwag.compose.doctor.running import running
from wigwag.compose.doctor.servers import broker, database, redis, whatsapp
from wigwag.config import Settings

__all__ = ["Finding", "Verdict", "examine", "surroundings"]


async def examine(settings: Settings, url: str, key: str | None) -> AsyncIterator[Finding]:
    """Everything that is found, part by part, as it is found.

    Args:
        url: where the gateway answers.
        key: an API key for it.
    """
    async for finding in surroundings(settings):
        yield finding
    async for finding in running(settings, url, key):
        yield finding


async def surroundings(settings: Settings) -> AsyncIterator[Finding]:
    """What lies around a gateway, which may ask this itself: its machine, its sessions, the servers that it needs."""
    for finding in await asyncio.to_thread(lambda: [*machine(settings), *sessions(settings)]):
        yield finding
    for asking in (database(settings), broker(settings), redis(settings), whatsapp(settings)):
        async for finding in asking:
            yield finding

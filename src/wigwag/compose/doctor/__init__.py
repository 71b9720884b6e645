# SPDX-License-Identifier: Apache-2.0
"""Looks a running installation over, from the settings to WhatsApp, and says what is wrong and what to do about it.

It changes nothing: no table is made, no queue declared that is not there, no session touched. What a gateway itself
knows is asked of it over HTTP; whether the world can be reached is tried from here, as the gateway would.
"""

from collections.abc import AsyncIterator

from wigwag.compose.doctor.findings import Finding, Verdict
from wigwag.compose.doctor.machine import machine, sessions
from wigwag.compose.doctor.running import running
from wigwag.compose.doctor.servers import broker, database, redis, whatsapp
from wigwag.config import Settings

__all__ = ["Finding", "Verdict", "examine"]


async def examine(settings: Settings, url: str, key: str | None) -> AsyncIterator[Finding]:
    """Everything that is found, part by part, as it is found.

    Args:
        url: where the gateway answers.
        key: an API key for it.
    """
    for part in (machine(settings), sessions(settings)):
        for finding in part:
            yield finding
    servers = (database(settings), broker(settings), redis(settings), whatsapp(settings))
    for asking in (*servers, running(settings, url, key)):
        async for finding in asking:
            yield finding

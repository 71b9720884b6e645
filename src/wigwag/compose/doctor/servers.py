# SPDX-License-Identifier: Apache-2.0
"""The servers that a gateway needs: database, RabbitMQ, Redis, WhatsApp. Each is asked as a gateway would ask it."""

import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import httpx

from wigwag.adapters.amqp import Topology, inspect
from wigwag.adapters.redis import RedisRoster
from wigwag.adapters.storage.standing import Schema, look
from wigwag.compose.doctor.findings import Finding, fine, notice, wrong
from wigwag.config import Settings
from wigwag.domain.errors import GatewayError

WHATSAPP = "https://web.whatsapp.com/"
PATIENCE = 8.0  # seconds
ASKEW = 30.0  # seconds between our clock and theirs; certificates and pairing codes care


async def database(settings: Settings) -> AsyncIterator[Finding]:
    """Whether the database answers, and whose tables it has."""
    try:
        found = await look(settings.database_url)
    except GatewayError as error:
        yield wrong("database", str(error), "Check WIGWAG_STORAGE_URL, and the server's own log.")
        return
    match found.schema:
        case Schema.NEWER:
            advice = "Start the newer version again, or restore the database of this one (docs/OPERATIONS.md)."
            yield wrong("database", f"{found.place} has the tables of a newer wigwag", advice)
        case Schema.NONE:
            yield fine("database", f"{found.place} answers and has no tables yet; a start makes them")
        case Schema.OLDER:
            yield notice(
                "database", f"{found.place} has the tables of an older wigwag", "A start brings them up to date."
            )
        case Schema.PRESENT:
            yield fine("database", f"{found.place} answers and has the tables of this version")
    if found.clock is not None and abs(found.clock - time.time()) > ASKEW:
        apart = abs(found.clock - time.time())
        yield wrong(
            "clock", f"the clocks of this machine and of the database are {apart:.0f} s apart", "Let both keep NTP."
        )


async def broker(settings: Settings) -> AsyncIterator[Finding]:
    """Whether RabbitMQ lets us in, and has what we need."""
    if settings.amqp_url is None:
        yield fine("broker", "no RabbitMQ is configured")
        return
    topology = Topology(
        queue=settings.queue_name,
        exchange=settings.exchange,
        routing_key=settings.routing_key,
        results=settings.results_queue,
    )
    try:
        waiting = await inspect(settings.amqp_url, topology)
    except GatewayError as error:
        yield wrong("broker", str(error), "docs/RABBITMQ.md says what the user needs.")
        return
    if waiting is None:
        yield fine("broker", f"RabbitMQ answers; {settings.queue_name} is not there yet, a start declares it")
    else:
        yield fine("broker", f"RabbitMQ answers; {waiting} envelopes wait in {settings.queue_name}")


async def redis(settings: Settings) -> AsyncIterator[Finding]:
    """Whether Redis lets us in, and forgets nothing by itself."""
    if settings.redis_url is None:
        yield fine("redis", "no Redis is configured; one gateway alone needs none")
        return
    roster = RedisRoster(settings.redis_url.get_secret_value(), settings.redis_prefix)
    try:
        yield fine("redis", f"Redis {await roster.inspect()} answers and forgets nothing")
    except GatewayError as error:
        yield wrong("redis", str(error), "Check REDIS_URL; docs/USERS.md, several nodes, says what Redis needs.")
    finally:
        await roster.close()


async def whatsapp(settings: Settings) -> AsyncIterator[Finding]:
    """Whether WhatsApp, or its simulator, can be reached, and what time it is there."""
    simulated = settings.simulator_url is not None
    where = f"{settings.simulator_url}/sim/trust" if simulated else WHATSAPP
    try:
        async with httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False) as client:
            answer = await client.get(where)
    except httpx.HTTPError as error:
        if simulated:
            yield wrong(
                "whatsapp",
                f"no simulator answers at {settings.simulator_url}",
                "Start one with `wigwag simulate`, or unset WHATSAPP_SIMULATOR_URL to talk to WhatsApp.",
            )
        else:
            advice = "Let this machine reach web.whatsapp.com and *.whatsapp.net on port 443: firewall, DNS, proxy."
            yield wrong("whatsapp", f"WhatsApp cannot be reached ({type(error).__name__})", advice)
        return
    yield fine("whatsapp", "the simulator answers" if simulated else "WhatsApp can be reached")
    if date := answer.headers.get("date"):
        apart = abs(parsedate_to_datetime(date).timestamp() - time.time())
        if apart > ASKEW:
            yield wrong("clock", f"this machine's clock is {apart:.0f} s off", "Let it keep NTP: certificates need it.")
        else:
            yield fine("clock", "right to the second or two")

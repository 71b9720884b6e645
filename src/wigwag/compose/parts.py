# SPDX-License-Identifier: Apache-2.0
"""The parts that a gateway is made of, from its settings. Nothing is decided here but who gets whom."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager

import httpx

from wigwag import __version__
from wigwag.adapters import logbook, mcp, numbering
from wigwag.adapters.amqp import Broker, Topology
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.media import MediaFiles
from wigwag.adapters.metrics import Figures, Metrics, hashed, named
from wigwag.adapters.metrics.names import (
    AUDIT_DROPPED,
    INBOX_DROPPED,
    INBOX_LENGTH,
    MEDIA_SIZE,
    QUEUE_DEPTH,
    QUEUE_DLQ_SIZE,
    QUIET,
    RECORDER_BACKLOG,
    RECORDER_DROPPED,
    TELLER_DROPPED,
)
from wigwag.adapters.outgoing import Outgoing
from wigwag.adapters.rest import BROKER, Check, PassOn
from wigwag.adapters.storage.directory import open_directory
from wigwag.adapters.storage.stores import Stores
from wigwag.adapters.traces import Traces, open_traces
from wigwag.adapters.whatsapp.courier import WhatsAppCourier
from wigwag.adapters.whatsapp.room import WhatsApp
from wigwag.app.core import Core, Outside
from wigwag.app.correspondence import Mail
from wigwag.app.lobby import Host
from wigwag.app.ports import Directory
from wigwag.app.webhooks import Hooks
from wigwag.compose import guarding
from wigwag.compose.nodes import check as node_check
from wigwag.compose.nodes import figures as node_figures
from wigwag.compose.nodes import people, roster
from wigwag.config import Settings
from wigwag.domain.errors import GatewayError, Unavailable

HOUR, DAY = 3600.0, 24 * 3600.0  # seconds
MIB = 1 << 20
GATHER = 0.1  # seconds: a message costs the database half as much, and nobody sees the difference
TRUST_TIMEOUT = 10.0  # seconds for the simulator to tell its key


def outside(
    settings: Settings,
    whatsapp: WhatsApp,
    stores: Stores,
    clock: SystemClock,
    outgoing: Outgoing,
    host: Host,
    media: MediaFiles,
) -> Outside:
    """Everything that the use cases need from outside."""
    return Outside(
        link=whatsapp,
        wire=whatsapp,
        presence_store=stores.presence,
        watch_store=stores.watches,
        account_store=stores.accounts,
        mail=_mail(settings, whatsapp, stores, outgoing, media),
        hooks=Hooks(
            endpoints=stores.endpoints, deliveries=stores.deliveries, archive=stores.deliveries, postman=outgoing
        ),
        host=host,
        vault=guarding.vault(stores),
        rules=guarding.rules(settings),
        clock=clock,
        pace=settings.pace,
        cap=settings.subscriptions_cap,
        first_account=settings.first_account,
        stale_after=settings.resubscribe_after_hours * HOUR,
        retention=settings.retention_days * DAY,
        on_sink_error=logbook.sink_failed,
    )


@asynccontextmanager
async def host(settings: Settings, stores: Stores, clock: SystemClock) -> AsyncIterator[Host]:
    """What is known of the host application's users, and who of them is here."""
    async with (
        people(settings, stores) as kept,
        directory(settings, stores, kept) as contacts,
        roster(settings, clock) as here,
    ):
        yield Host(
            users=kept.users,
            directory=contacts,
            last_seen=kept.last_seen,
            grants=kept.grants,
            roster=here,
            reciprocity=settings.users_reciprocity,
        )


@asynccontextmanager
async def directory(settings: Settings, stores: Stores, people: Stores) -> AsyncIterator[Directory]:
    """Whose contacts are whose: as we keep it, or as the host's own query says."""
    if not settings.users_contacts_query:
        yield people.users
        return
    url = settings.users_directory_url
    address = None if url is None else url.get_secret_value()
    hosts = open_directory(stores.database, settings.users_contacts_query, people.users, address)
    try:
        yield hosts
    finally:
        if address is not None:
            await hosts.close()


def _mail(settings: Settings, whatsapp: WhatsApp, stores: Stores, outgoing: Outgoing, media: MediaFiles) -> Mail:
    return Mail(
        courier=WhatsAppCourier(whatsapp),
        ledger=stores.ledger,
        archive=stores.jobs,
        messages=stores.messages,
        events=stores.events,
        templates=stores.templates,
        eraser=stores.eraser,
        media=media,
        fetcher=outgoing,
        numbering=numbering.forms,
        rate=settings.rate,
        strict=settings.content_policy == "strict",
        resend=settings.unconfirmed == "resend",
        gather=GATHER,
        fetch_media=settings.media_download == "auto",
    )


def media_files(settings: Settings, clock: SystemClock) -> MediaFiles:
    """Where media are kept."""
    return MediaFiles(settings.session_path / "media", budget=settings.media_budget_mib * MIB, now=clock.now)


def broker(settings: Settings, core: Core, stores: Stores) -> Broker | None:
    """RabbitMQ, if it is configured, as a door and a sink."""
    if settings.amqp_url is None:
        return None
    topology = Topology(
        queue=settings.queue_name,
        exchange=settings.exchange,
        routing_key=settings.routing_key,
        results=settings.results_queue,
    )
    rabbit = Broker(
        settings.amqp_url,
        topology,
        prefetch=settings.prefetch,
        messages=core.gateway.messages,
        accounts=core.gateway.accounts,
        events=stores.events,
        choices=stores.accounts,
        clock=core.clock,
        announce=core.fanout.announce,
    )
    core.gateway.attach(rabbit.dead_letters)
    core.fanout.add("broker", rabbit.sink)
    return rabbit


def metrics(
    settings: Settings,
    core: Core,
    whatsapp: WhatsApp,
    rabbit: Broker | None,
    stores: Stores,
    media: MediaFiles,
    users: Figures,
) -> Metrics:
    """What Prometheus is told. It is a sink, and hears how long the database takes."""
    key = settings.metrics_key.get_secret_value().encode()
    figures = Metrics(
        core.book,
        core.gateway,
        core.clock,
        version=__version__,
        labels=hashed(key) if settings.metrics_labels == "hashed" else named,
        queues={} if rabbit is None else {QUEUE_DEPTH: rabbit.depths, QUEUE_DLQ_SIZE: rabbit.dead_letter_counts},
        figures={
            RECORDER_BACKLOG: lambda: core.recorder.backlog,
            RECORDER_DROPPED: lambda: core.recorder.dropped,
            TELLER_DROPPED: lambda: core.teller.dropped,
            INBOX_LENGTH: lambda: len(whatsapp.inbox),
            AUDIT_DROPPED: lambda: core.access.audit.dropped,
            INBOX_DROPPED: lambda: whatsapp.inbox.dropped,
            MEDIA_SIZE: lambda: media.usage,
            QUIET: lambda: settings.rate.is_quiet(core.clock.now()),
            **node_figures(core),
            **users,
        },
        sinks=core.fanout.failures,
        ready=lambda: _ready(core, stores, rabbit),
        data=settings.session_path,
    )
    core.fanout.add("metrics", figures.sink)
    stores.database.observe = figures.observe_storage
    return figures


def traces(settings: Settings, core: Core, figures: Metrics) -> Traces | None:
    """Spans of what happens, if there is a collector. Raises InvalidSettings without the extra."""
    if not settings.otlp_endpoint:
        return None
    made = open_traces(settings.otlp_endpoint, __version__, core.clock, core.fanout.announce, figures.observe_spans)
    core.fanout.add("traces", made.sink)
    return made


async def _ready(core: Core, stores: Stores, rabbit: Broker | None) -> Mapping[str, bool]:
    return {check.part: check.ok for check in await checks(core, stores, rabbit)}


def model_doors(settings: Settings, core: Core) -> mcp.Doors | None:
    """The door for language models, if it is wanted."""
    if settings.mcp == "off":
        return None
    server = mcp.build(
        core.gateway, core.access, core.clock, core.fanout.announce, version=__version__, mode=settings.mcp
    )
    return mcp.Doors(server)


async def checks(core: Core, stores: Stores, rabbit: Broker | None) -> Sequence[Check]:
    """How the parts are that we cannot do without."""
    asked = [_check("storage", stores.ping()), *([_check(BROKER, rabbit.check())] if rabbit is not None else [])]
    parts = await asyncio.gather(*asked)
    links = [
        Check(part=f"link {account.name}", ok=account.connected, detail="" if account.connected else account.advice)
        for account in core.gateway.accounts()
    ]
    return [*parts, node_check(core), *links]


async def _check(part: str, asking: Awaitable[None]) -> Check:
    try:
        await asking
    except GatewayError as error:
        return Check(part=part, ok=False, detail=str(error))
    return Check(part=part, ok=True)


async def trust(simulator_url: str) -> tuple[bytes, str]:
    """The root key that a simulator signs with, and the certificate of its media server."""
    try:
        async with httpx.AsyncClient(timeout=TRUST_TIMEOUT) as client:
            answer = await client.get(f"{simulator_url}/sim/trust")
            told = answer.raise_for_status().json()
            return bytes.fromhex(told["root_key"]), told["certificate"]
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise Unavailable(f"No simulator answers at {simulator_url}: start one with `wigwag simulate`.") from error


@asynccontextmanager
async def passing_on(simulator_url: str | None) -> AsyncIterator[PassOn | None]:
    """The way to a simulator's admin API, if there is one."""
    if simulator_url is None:
        yield None
        return
    async with httpx.AsyncClient(base_url=simulator_url, timeout=TRUST_TIMEOUT) as client:

        async def pass_on(method: str, path: str, body: bytes) -> tuple[int, bytes]:
            try:
                answer = await client.request(method, path, content=body)
            except httpx.HTTPError as error:
                raise Unavailable("The simulator does not answer.") from error
            return answer.status_code, answer.content

        yield pass_on

# SPDX-License-Identifier: Apache-2.0
"""The composition root: settings to a running gateway, in the order in which things depend on one another.

The only place that sees two rooms. Nothing is decided here but who gets whom, and in which order all of it ends.
"""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from wigwag import __version__, logs
from wigwag.adapters import logbook, sessions
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.metrics import Metrics, hashed, named
from wigwag.adapters.metrics.names import INBOX_DROPPED, RECORDER_BACKLOG, RECORDER_DROPPED
from wigwag.adapters.rest import Check, build_app
from wigwag.adapters.storage.engine import parse
from wigwag.adapters.storage.stores import Stores, open_stores
from wigwag.adapters.whatsapp.room import WhatsApp
from wigwag.adapters.whatsapp.simulator import attach
from wigwag.app.core import Core, Outside, assemble
from wigwag.app.gateway import Gateway
from wigwag.config import Settings
from wigwag.domain.errors import GatewayError, Unavailable

log = logging.getLogger(__name__)

HOUR, DAY = 3600.0, 24 * 3600.0  # seconds
DRAIN = 5  # seconds for open requests to end when we stop
TRUST_TIMEOUT = 10.0  # seconds for the simulator to tell what to trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A gateway that answers."""

    url: str
    gateway: Gateway
    stop: Callable[[], None]


OnReady = Callable[[Running], Awaitable[None]]


async def run(settings: Settings, *, on_ready: OnReady | None = None) -> None:
    """Run a gateway until a signal or `Running.stop` ends it.

    Raises:
        GatewayError: a part that is needed from the start cannot be had; the message says what to do.
    """
    logs.set_up(
        production=settings.env == "production",
        debug=settings.debug,
        directory=settings.log_dir if settings.log_to_file else None,
    )
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(_listen(settings.host, settings.port))
        clock = SystemClock()
        guard = stack.enter_context(sessions.guarded(settings.session_path))
        if settings.simulator_url is not None:
            attach(settings.simulator_url, *await _trust(settings.simulator_url))
        whatsapp = WhatsApp(settings.session_path, clock.now)
        stack.push_async_callback(whatsapp.close)
        stores = await open_stores(settings.database_url)
        stack.push_async_callback(stores.close)
        core = _core(settings, whatsapp, stores, clock)
        await core.restore()
        gc.collect()
        gc.freeze()  # what was restored stays; looking through it again and again would stall the event loop
        stack.push_async_callback(core.finish)
        metrics = _metrics(settings, core, whatsapp)
        core.fanout.add("metrics", metrics.sink)
        core.fanout.add("log", logbook.write)
        app = build_app(
            core.gateway,
            clock=clock,
            exposition=metrics.exposition,
            observe=metrics.observe_request,
            ready=lambda: _checks(core, stores),
            version=__version__,
        )
        server = _Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=DRAIN))
        await _serve(core, metrics, guard, server, listening, on_ready)


def back_up(
    settings: Settings,
    target: Path,
    passphrase: Callable[[], str],
    *,
    force: bool,
    tell: Callable[[sessions.Part], None],
) -> bool:
    """Save the sessions, and the database if it is a file; False: it is not, so it is not in the backup.

    Raises:
        GatewayError: it cannot be done; the message says what to do.
    """
    database = _database_file(settings)
    sessions.back_up(settings.session_path, database, target, passphrase, force=force, tell=tell)
    return database is not None


def put_back(
    settings: Settings, source: Path, passphrase: Callable[[], str], *, force: bool, accept_rollback: bool
) -> sessions.Restored:
    """Restore what `back_up` saved. Raises GatewayError."""
    folder, database = settings.session_path, _database_file(settings)
    return sessions.restore(source, folder, database, passphrase, force=force, accept_rollback=accept_rollback)


def _database_file(settings: Settings) -> Path | None:
    """Our database, if it is a file and not on a server."""
    url = parse(settings.database_url)
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def _core(settings: Settings, whatsapp: WhatsApp, stores: Stores, clock: SystemClock) -> Core:
    return assemble(
        Outside(
            link=whatsapp,
            wire=whatsapp,
            presence_store=stores.presence,
            watch_store=stores.watches,
            account_store=stores.accounts,
            clock=clock,
            pace=settings.pace,
            cap=settings.subscriptions_cap,
            stale_after=settings.resubscribe_after_hours * HOUR,
            retention=settings.retention_days * DAY,
            on_sink_error=logbook.sink_failed,
        )
    )


def _metrics(settings: Settings, core: Core, whatsapp: WhatsApp) -> Metrics:
    key = settings.metrics_key.get_secret_value().encode()
    return Metrics(
        core.book,
        core.gateway,
        core.clock,
        version=__version__,
        labels=hashed(key) if settings.metrics_labels == "hashed" else named,
        figures={
            RECORDER_BACKLOG: lambda: core.recorder.backlog,
            RECORDER_DROPPED: lambda: core.recorder.dropped,
            INBOX_DROPPED: lambda: whatsapp.inbox.dropped,
        },
    )


async def _checks(core: Core, stores: Stores) -> Sequence[Check]:
    """How the parts are that we cannot do without."""
    try:
        await stores.ping()
        storage = Check(part="storage", ok=True)
    except GatewayError as error:
        storage = Check(part="storage", ok=False, detail=str(error))
    links = [
        Check(part=f"link {account.name}", ok=account.connected, detail="" if account.connected else account.advice)
        for account in core.gateway.accounts()
    ]
    return [storage, *links]


# --- serving


async def _serve(
    core: Core,
    metrics: Metrics,
    guard: sessions.Guard,
    server: "_Server",
    listening: socket.socket,
    on_ready: OnReady | None,
) -> None:
    """Work until somebody says stop; the first part that cannot go on stops all others."""
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        with _signals(stopping.set):
            working = [
                tasks.create_task(core.run(), name="core"),
                tasks.create_task(metrics.run(), name="metrics"),
                tasks.create_task(guard.run(), name="guard"),
            ]
            serving = tasks.create_task(server.serve(sockets=[listening]), name="http")
            await server.answering.wait()
            host, port = listening.getsockname()[:2]
            url = f"http://{host}:{port}"
            log.info("Gateway answers on %s", url, extra={"action": "gateway.ready"})
            if on_ready is not None:
                await on_ready(Running(url=url, gateway=core.gateway, stop=stopping.set))
            await stopping.wait()
            log.info("Stopping", extra={"action": "gateway.stopping"})
            server.should_exit = True
            await serving
            for task in working:
                task.cancel()


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers, and with a word when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket, taken first, so that a second gateway fails before it touches any session."""
    try:
        listening = socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise Unavailable(f"Cannot listen on {host}:{port} ({error.strerror}): choose another APP_PORT.") from error
    with listening:
        yield listening


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT stop us in order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _trust(simulator_url: str) -> tuple[bytes, str]:
    """The root key that a simulator signs with, and the certificate of its media server."""
    try:
        async with httpx.AsyncClient(timeout=TRUST_TIMEOUT) as client:
            answer = await client.get(f"{simulator_url}/sim/trust")
            told = answer.raise_for_status().json()
            return bytes.fromhex(told["root_key"]), told["certificate"]
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise Unavailable(f"No simulator answers at {simulator_url}: start one with `wigwag simulate`.") from error

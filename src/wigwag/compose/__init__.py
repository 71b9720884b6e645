# SPDX-License-Identifier: Apache-2.0
"""The composition root: settings to a running gateway, in the order in which things depend on one another.

The only place that sees two rooms. Nothing is decided here but who gets whom, and in which order all of it ends.
"""

import gc
from collections.abc import Callable
from contextlib import AsyncExitStack

import uvicorn

from wigwag import __version__, logs
from wigwag.adapters import console, logbook, sessions
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.media import MediaFiles
from wigwag.adapters.outgoing import Outgoing
from wigwag.adapters.realtime import mounted
from wigwag.adapters.rest import PassOn, Stream, build_app
from wigwag.adapters.storage.stores import Stores, open_stores
from wigwag.adapters.whatsapp.room import WhatsApp
from wigwag.adapters.whatsapp.simulator import attach
from wigwag.app.core import Core, Outside, assemble
from wigwag.compose import guarding
from wigwag.compose.backups import back_up, put_back
from wigwag.compose.doctor.inside import look_around
from wigwag.compose.parts import (
    broker,
    checks,
    host,
    media_files,
    metrics,
    model_doors,
    outside,
    passing_on,
    traces,
    trust,
)
from wigwag.compose.serving import DRAIN, OnReady, Part, Running, Server, listen, serve
from wigwag.compose.sockets import sockets
from wigwag.compose.streams import observers, stream_figures
from wigwag.config import Settings

__all__ = ["Running", "back_up", "guarding", "put_back", "run"]

GARBAGE = 50_000  # new objects until the collector looks: when thousands come or go, it would be busier than we are


async def run(
    settings: Settings,
    *,
    on_ready: OnReady | None = None,
    around: Callable[[Outside], Outside] = lambda given: given,
    demo: bool = False,
) -> None:
    """Run a gateway until a signal or `Running.stop` ends it.

    Args:
        around: may put something between the use cases and the world, as tests do that kill us at a certain point.
        demo: lend the simulator's admin API to whoever may use ours.

    Raises:
        GatewayError: a part that is needed from the start cannot be had; the message says what to do.
    """
    logs.set_up(
        production=settings.env == "production",
        debug=settings.debug,
        directory=settings.log_dir if settings.log_to_file else None,
    )
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(listen(settings.host, settings.port))
        clock = SystemClock()
        guard = stack.enter_context(sessions.guarded(settings.session_path))
        if settings.simulator_url is not None:
            attach(settings.simulator_url, *await trust(settings.simulator_url))
        whatsapp = WhatsApp(settings.session_path, clock.now)
        stack.push_async_callback(whatsapp.close)
        stores = await open_stores(settings.database_url)
        stack.push_async_callback(stores.close)
        outgoing = Outgoing(settings.outgoing_networks)
        stack.push_async_callback(outgoing.close)
        users = await stack.enter_async_context(host(settings, stores, clock))
        media = media_files(settings, clock)
        core = assemble(around(outside(settings, whatsapp, stores, clock, outgoing, users, media)))
        await core.restore()
        guarding.admit(settings, core.access)
        gc.collect()
        gc.freeze()  # what was restored stays; looking through it again and again would stall the event loop
        gc.set_threshold(GARBAGE, 20, 20)
        stack.push_async_callback(core.finish)
        lent = await stack.enter_async_context(passing_on(settings.simulator_url)) if demo else None
        server, beside = _doors(settings, core, stores, whatsapp, outgoing, media, lent)
        await serve(core, {"guard": guard, **beside}, server, listening, on_ready)


def _doors(
    settings: Settings,
    core: Core,
    stores: Stores,
    whatsapp: WhatsApp,
    outgoing: Outgoing,
    media: MediaFiles,
    simulator: PassOn | None,
) -> tuple[Server, dict[str, Part]]:
    """The ways in, and what works beside the core for them. Sinks are called in this order."""
    rabbit, users = broker(settings, core, stores), sockets(settings, core, outgoing)
    stream = Stream(core.gateway, core.clock)
    elsewhere = {**stream_figures(stream), **({} if users is None else users.figures())}
    figures = metrics(settings, core, whatsapp, rabbit, stores, media, elsewhere)
    core.fanout.add("log", logbook.write)
    core.fanout.add("events", stream.sink)
    spans, tools = traces(settings, core, figures), model_doors(settings, core)
    app = build_app(
        core.gateway,
        access=core.access,
        clock=core.clock,
        exposition=figures.exposition,
        observe=observers(figures, stream),
        ready=lambda: checks(core, stores, rabbit),
        version=__version__,
        stream=stream,
        look=lambda: look_around(settings),
        simulator=simulator,
        origins=settings.cors_sites,
        beside=() if tools is None else tools.routes,
    )
    whole = console.mounted(console.Files(), app if users is None else mounted(users.server, app))
    config = uvicorn.Config(
        whole,
        ws="none" if users is None else users.server.wire,  # type: ignore[arg-type]  # it makes what a class would
        log_config=None,
        access_log=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=DRAIN,
    )
    parts: dict[str, Part | None] = {"metrics": figures, "broker": rabbit, "sockets": users, "events": stream}
    parts |= {"traces": spans, "mcp": tools}

    async def farewell() -> None:
        """Let long connections go."""
        await stream.close()
        if users is not None:
            await users.close()

    server = Server(config, farewell)
    return server, {name: part for name, part in parts.items() if part is not None}

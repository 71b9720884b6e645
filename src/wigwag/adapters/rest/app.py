# SPDX-License-Identifier: Apache-2.0
"""The whole HTTP app: routes, errors, doorstep and description put together. `compose` serves it."""

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute

from wigwag.adapters.rest import (
    accounts,
    chats,
    deadletters,
    errors,
    events,
    findings,
    health,
    keys,
    media,
    messages,
    presence,
    session,
    subscriptions,
    system,
    templates,
    users,
    webhooks,
)
from wigwag.adapters.rest import simulator as lent
from wigwag.adapters.rest.doorstep import Doorstep, Observe
from wigwag.adapters.rest.findings import Findings, Look, nobody_looks
from wigwag.adapters.rest.guard import Guard
from wigwag.adapters.rest.health import Exposition, Health, Ready
from wigwag.adapters.rest.openapi import describe
from wigwag.adapters.rest.origins import MAY_DO, MAY_READ, MAY_SEND
from wigwag.adapters.rest.scopes import PERMIT
from wigwag.adapters.rest.stream import Stream
from wigwag.app.access import Access
from wigwag.app.gateway import Gateway
from wigwag.app.ports import Clock

_ABOUT = (
    "Who is online, whom to track, what to send, and how the links to WhatsApp are. Errors are problems (RFC 9457)."
)
_TAGS = [
    {"name": "presence", "description": "What we know of contacts. Not observed is never shown as offline."},
    {"name": "contacts", "description": "The right to be forgotten."},
    {"name": "subscriptions", "description": "Whom to track, and how fast to ask."},
    {"name": "groups", "description": "Track whoever is in a group."},
    {"name": "messages", "description": "What to send, and how far it is."},
    {"name": "chats", "description": "What was said."},
    {"name": "templates", "description": "Texts with placeholders."},
    {"name": "dead letters", "description": "Envelopes from RabbitMQ that led to nothing."},
    {"name": "webhooks", "description": "Who is told of events, and how far that is."},
    {"name": "users", "description": "Users of the host application: who they are, whom they know, who is online."},
    {"name": "accounts", "description": "WhatsApp sessions: pair, connect, disconnect."},
    {"name": "events", "description": "What happens, as it happens."},
    {"name": "access", "description": "Keys, sign-ins, and what was done."},
    {"name": "health", "description": "For probes and Prometheus."},
]
_ROOMS = (
    *(presence, subscriptions, messages, media, chats, templates, webhooks),
    *(deadletters, users, accounts, session, keys, events, system, findings, health),
)
_LARGER_BODIES = {"/api/messages": messages.LARGEST_DRAFT, "/api/media": media.LARGEST_UPLOAD}  # bytes


def build_app(  # noqa: PLR0913  wired by keyword, once
    gateway: Gateway,
    *,
    access: Access,
    clock: Clock,
    exposition: Exposition,
    observe: Observe,
    ready: Ready,
    version: str,
    stream: Stream | None = None,
    look: Look = nobody_looks,
    simulator: lent.PassOn | None = None,
    origins: Sequence[str] = (),
    beside: Sequence[BaseRoute] = (),
) -> FastAPI:
    """The app.

    Args:
        access: asked of every request who sent it.
        exposition: what /metrics says, for an Accept header.
        observe: told of each answer: route template, method, status, seconds.
        ready: asks the parts how they are.
        stream: what /api/events follows; somebody else has it run.
        look: looks around the gateway, for /api/system/findings.
        simulator: where /sim leads, in the demo.
        origins: other sites whose pages may ask (CORS), like https://app.example.org.
        beside: routes of another door, behind the same guard; what their callers may do is for that door to ask.
    """
    app = FastAPI(
        title="wigwag",
        version=version,
        description=_ABOUT,
        openapi_tags=_TAGS,
        docs_url=None,  # its scripts come from another host
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.gateway, app.state.access, app.state.clock = gateway, access, clock
    app.state.exposition, app.state.health = exposition, Health(ready, clock)
    app.state.findings = Findings(look, clock)
    app.state.stream = stream or Stream(gateway, clock)
    app.state.simulator = simulator
    for room in (*_ROOMS, *([lent] if simulator else [])):
        app.include_router(room.router, dependencies=[PERMIT])
    app.router.routes.extend(beside)
    errors.install(app)
    app.add_middleware(Guard, access=access)  # the last one added is the first to be passed
    if origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=MAY_DO, allow_headers=MAY_SEND, expose_headers=MAY_READ
        )
    app.add_middleware(
        Doorstep, observe=observe, larger=_LARGER_BODIES, origins=frozenset(origins), refused=access.refused
    )
    describe(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name

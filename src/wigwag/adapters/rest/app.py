# SPDX-License-Identifier: Apache-2.0
"""The whole HTTP app: routes, errors, doorstep and description put together. `compose` serves it."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from wigwag.adapters.rest import (
    accounts,
    chats,
    deadletters,
    errors,
    events,
    health,
    media,
    messages,
    presence,
    subscriptions,
    system,
    templates,
    users,
    webhooks,
)
from wigwag.adapters.rest import simulator as lent
from wigwag.adapters.rest.doorstep import Doorstep, Observe
from wigwag.adapters.rest.health import Exposition, Health, Ready
from wigwag.adapters.rest.schemas import Problem
from wigwag.adapters.rest.stream import Stream
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
    {"name": "health", "description": "For probes and Prometheus."},
]
_ROOMS = (
    *(presence, subscriptions, messages, media, chats, templates, webhooks),
    *(deadletters, users, accounts, events, system, health),
)
_LARGER_BODIES = {"/api/messages": messages.LARGEST_DRAFT, "/api/media": media.LARGEST_UPLOAD}  # bytes


def build_app(  # noqa: PLR0913  wired by keyword, once
    gateway: Gateway,
    *,
    clock: Clock,
    exposition: Exposition,
    observe: Observe,
    ready: Ready,
    version: str,
    metrics_token: str = "",
    stream: Stream | None = None,
    simulator: lent.PassOn | None = None,
) -> FastAPI:
    """The app.

    Args:
        exposition: what /metrics says, for an Accept header.
        observe: told of each answer: route template, method, status, seconds.
        ready: asks the parts how they are.
        metrics_token: what a scraper must send; empty: nothing.
        stream: what /api/events follows; somebody else has it run.
        simulator: where /sim leads, in the demo.
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
    app.state.gateway, app.state.clock = gateway, clock
    app.state.exposition, app.state.health = exposition, Health(ready, clock)
    app.state.metrics_token = metrics_token
    app.state.stream = stream or Stream(gateway, clock)
    app.state.simulator = simulator
    for room in (*_ROOMS, *([lent] if simulator else [])):
        app.include_router(room.router)
    errors.install(app)
    app.add_middleware(Doorstep, observe=observe, larger=_LARGER_BODIES)
    _describe_problems(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _describe_problems(app: FastAPI) -> None:
    """Put the shape of a problem into the API's description, in place of what FastAPI believes of errors."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = describe()
            _forget_validation_errors(schema)
            schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _forget_validation_errors(schema: dict[str, Any]) -> None:
    for path in schema["paths"].values():
        for operation in path.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    for shape in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(shape, None)

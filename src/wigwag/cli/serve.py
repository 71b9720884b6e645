# SPDX-License-Identifier: Apache-2.0
"""`wigwag serve`: the gateway, until it is stopped. What it consists of is decided in `compose`."""

import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from wigwag.cli import settings
from wigwag.cli.outcome import Failure

Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="APP_HOST or 127.0.0.1")]
Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.", show_default="APP_PORT or 8080")
]


def serve(
    host: Host = None,
    port: Port = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Directory of the WhatsApp sessions and the database.", show_default="WHATSAPP_SESSION_PATH"),
    ] = None,
    simulator: Annotated[
        str | None, typer.Option(metavar="URL", help="Talk to `wigwag simulate` instead of WhatsApp.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Log in detail.", show_default="APP_DEBUG")] = False,
) -> None:
    """Run the gateway until Ctrl-C.

    Everything else is set in the environment: see `wigwag config show`.

    Examples:
      wigwag serve --data ~/wigwag
      wigwag serve --simulator http://127.0.0.1:8377
    """
    chosen = settings.read(host=host, port=port, session_path=data, simulator_url=simulator, debug=debug or None)
    claim(chosen.host, chosen.port)
    from wigwag.compose import run  # noqa: PLC0415 - loads whatsmeow, which other verbs need not wait for

    drive(run(chosen))


def claim(host: str, port: int) -> None:
    """Fail now, with advice, if nothing can listen there."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise Failure(
            f"cannot listen on {host}:{port}: {error.strerror}. Stop what uses it, or choose another with --port."
        ) from error


def drive(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end. When one thing alone went wrong in a group of tasks, that is what is raised."""
    try:
        uvloop.run(work)
    except ExceptionGroup as group:
        cause: Exception = group
        while isinstance(cause, ExceptionGroup) and len(cause.exceptions) == 1:
            cause = cause.exceptions[0]
        raise cause from group

# SPDX-License-Identifier: Apache-2.0
"""`wigwag keys …`: API keys, asked of a gateway, or in its database before anybody can ask a gateway.

What a key may do is decided nowhere here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from wigwag.app.access import Keyring
from wigwag.cli import settings
from wigwag.cli.client import HOME, AsJson, Client, Url
from wigwag.cli.moments import when
from wigwag.cli.screen import Cell, ago, note, say, say_json, say_table
from wigwag.cli.snapshot import instant
from wigwag.domain.access import Key, Scope

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="API keys: who may come in, and for what.")
HEADS = ("Id", "Name", "Scopes", "State", "Used")
Local = Annotated[
    bool, typer.Option("--local", help="Work on the database of these settings, without asking a gateway.")
]
Data = Annotated[
    Path | None,
    typer.Option(help="The same, for the database in this directory.", show_default="WHATSAPP_SESSION_PATH"),
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who will use it.")],
    scopes: Annotated[list[Scope], typer.Option("--scope", help="What it is for. Repeatable.")],
    expires: Annotated[
        str | None, typer.Option(metavar="WHEN", help="When it ends, like +90d or 2027-01-31.", show_default="never")
    ] = None,
    per_minute: Annotated[
        int | None, typer.Option(min=0, help="Requests in a minute; 0: no limit.", show_default="as the settings say")
    ] = None,
    as_json: AsJson = False,
    local: Local = False,
    data: Data = None,
    url: Url = HOME,
) -> None:
    """Make a key, and print it this once.

    The first key is made with --local, or by WIGWAG_API_KEY in the gateway's
    settings. A gateway that runs knows it within seconds.

    Examples:
      wigwag keys create operator --scope admin --data ~/wigwag
      wigwag keys create "front desk" --scope read --scope send --expires +90d
    """
    until = when(expires, time.time()) if expires is not None else None
    if local or data:
        made = _locally(data, lambda keys: keys.create(name, set(scopes), per_minute=per_minute, expires=until))
        told = _told(made.key) | {"key": made.secret}
    else:
        wish = {"name": name, "scopes": sorted(set(scopes)), "per_minute": per_minute, "expires_at": _time(until)}
        with Client(url) as gateway:
            told = gateway.post("keys", body=wish)
    if as_json:
        say_json(told)
    else:
        say(told["key"])
        note("Keep it: it is shown this once. The command line takes it from WIGWAG_API_KEY or WIGWAG_API_KEY_FILE.")


@app.command(name="list")
def list_(as_json: AsJson = False, local: Local = False, data: Data = None, url: Url = HOME) -> None:
    """List the keys, without their secrets."""
    if local or data:
        keys = _locally(data, _listed)
    else:
        with Client(url) as gateway:
            keys = gateway.get("keys")
    if as_json:
        say_json(keys)
    elif not keys:
        say("There are no keys yet. Make one: wigwag keys create NAME --scope admin")
    else:
        say_table(HEADS, [_row(key, time.time()) for key in keys])


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `list` shows it.")],
    local: Local = False,
    data: Data = None,
    url: Url = HOME,
) -> None:
    """Let a key count no more, nor whoever signed in with it."""
    if local or data:
        _locally(data, lambda keys: keys.revoke(key))
    else:
        with Client(url) as gateway:
            gateway.delete("keys", key)
    say(f"{key} is revoked.")


def _locally(data: Path | None, work: Callable[[Keyring], Awaitable[T]]) -> T:
    """Do it in the database of the settings. Raises GatewayError."""
    from wigwag.compose import guarding  # noqa: PLC0415 - loads whatsmeow, which other verbs need not wait for

    chosen = settings.read(session_path=data)

    async def do() -> T:
        async with guarding.keyring(chosen) as keys:
            return await work(keys)

    return asyncio.run(do())


async def _listed(keys: Keyring) -> list[dict[str, Any]]:
    return [_told(key) for key in keys.all()]


def _told(key: Key) -> dict[str, Any]:
    """As the API tells it."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": [scope.value for scope in Scope if scope in key.scopes],
        "per_minute": key.per_minute,
        "created_at": _time(key.created),
        "expires_at": _time(key.expires),
        "revoked_at": _time(key.revoked),
        "used_at": _time(key.used),
    }


def _time(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")


def _row(key: dict[str, Any], now: float) -> list[Cell]:
    expires, used = instant(key["expires_at"]), instant(key["used_at"])
    if key["revoked_at"]:
        state = "revoked"
    elif expires is not None and expires <= now:
        state = "expired"
    else:
        state = "good" if expires is None else f"good until {key['expires_at']}"
    return [key["id"], key["name"], " ".join(key["scopes"]), state, "never" if used is None else ago(now - used)]

# SPDX-License-Identifier: Apache-2.0
"""`wigwag webhooks …`: who is told of events, and how far that is."""

import re
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from wigwag.cli.client import HOME, AsJson, Client, Url
from wigwag.cli.jobs import visible
from wigwag.cli.outcome import ExitCode, Failure
from wigwag.cli.screen import Cell, ago, aligned, note, say, say_json, say_table
from wigwag.cli.snapshot import instant
from wigwag.domain.webhooks import CONCURRENCY, MOST_CONCURRENCY, State

app = typer.Typer(no_args_is_help=True, help="Webhooks: who is told of events, and how far that is.")
Id = Annotated[str, typer.Argument(metavar="ID", help="The endpoint's id, as `list` shows it.")]
_AGO = re.compile(r"([0-9]{1,6}) ?(s|min|h|d)", re.ASCII)
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


@app.command(name="list")
def list_(as_json: AsJson = False, url: Url = HOME) -> None:
    """List the endpoints and how they stand."""
    with Client(url) as gateway:
        endpoints = gateway.get("webhooks")
    if as_json:
        say_json(endpoints)
    elif not endpoints:
        say("Nobody is told of events yet. Add an endpoint: wigwag webhooks add URL")
    else:
        say_table(("Id", "State", "Waiting", "Events", "URL"), [_row(endpoint) for endpoint in endpoints])


@app.command()
def add(
    target: Annotated[str, typer.Argument(metavar="URL", help="Where to post events to.")],
    events: Annotated[
        list[str] | None, typer.Option("--event", help="A kind, or a pattern. Repeatable.", show_default="all")
    ] = None,
    accounts: Annotated[
        list[str] | None, typer.Option("--account", help="Of this account. Repeatable.", show_default="all")
    ] = None,
    ordered: Annotated[bool, typer.Option("--ordered", help="One at a time, in the order of events.")] = False,
    concurrency: Annotated[int, typer.Option(min=1, max=MOST_CONCURRENCY, help="Deliveries at once.")] = CONCURRENCY,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: AsJson = False,
    url: Url = HOME,
) -> None:
    """Tell a URL of what happens from now on.

    It prints the secret that signs, this once: keep it for the receiver.

    Examples:
      wigwag webhooks add https://example.com/hook
      wigwag webhooks add https://example.com/hook --event "message.*" --ordered
    """
    wish = {"url": target, "events": events or ["*"], "accounts": accounts or [], "ordered": ordered}
    with Client(url) as gateway:
        made = gateway.post("webhooks", body={**wish, "concurrency": concurrency, "description": description})
    _say_secret(made, as_json=as_json)


@app.command()
def show(endpoint: Id, as_json: AsJson = False, url: Url = HOME) -> None:
    """Show one endpoint."""
    with Client(url) as gateway:
        shown = gateway.get("webhooks", endpoint)
    if as_json:
        say_json(shown)
        return
    for line in aligned([[name.replace("_", " "), _plain(value)] for name, value in shown.items()]):
        say(line)


@app.command()
def remove(endpoint: Id, url: Url = HOME) -> None:
    """Delete an endpoint and its deliveries."""
    with Client(url) as gateway:
        gateway.delete("webhooks", endpoint)
    say(f"{endpoint} is removed.")


@app.command()
def rotate(
    endpoint: Id,
    keep: Annotated[float, typer.Option(min=0, max=720, help="Hours for which the old secret signs too.")] = 24.0,
    as_json: AsJson = False,
    url: Url = HOME,
) -> None:
    """Make another secret, and print it this once."""
    with Client(url) as gateway:
        made = gateway.post("webhooks", endpoint, "rotate", body={"keep_seconds": keep * 3600})
    _say_secret(made, as_json=as_json)


@app.command(name="test")
def send_test(endpoint: Id, url: Url = HOME) -> None:
    """Send a `webhook.test`."""
    with Client(url) as gateway:
        delivery = gateway.post("webhooks", endpoint, "test")
    say(f"{delivery['id']} is on its way; see `wigwag webhooks deliveries {endpoint}`.")


@app.command()
def enable(endpoint: Id, url: Url = HOME) -> None:
    """Try a failing or disabled endpoint again, now."""
    with Client(url) as gateway:
        shown = gateway.post("webhooks", endpoint, "enable")
    say(f"{endpoint} is enabled, and {shown['waiting']} deliveries wait for it.")


@app.command()
def deliveries(
    endpoint: Id,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    before: Annotated[str | None, typer.Option(help="Go on where the page before ended.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 20,
    as_json: AsJson = False,
    url: Url = HOME,
) -> None:
    """List the deliveries to an endpoint, newest event first."""
    with Client(url) as gateway:
        page = gateway.get("webhooks", endpoint, "deliveries", state=state, before=before, limit=str(limit))
    if as_json:
        say_json(page)
        return
    now = time.time()
    heads = ("Id", "Event", "State", "Attempts", "Created", "Last answer")
    say_table(heads, [_delivery_row(delivery, now) for delivery in page["deliveries"]])
    if page["next"]:
        note(f"There are more: --before {page['next']}")


@app.command()
def replay(
    what: Annotated[str, typer.Argument(metavar="ID", help="A delivery; or an endpoint, with --since.")],
    since: Annotated[str | None, typer.Option(help="What it missed since: 2h, 3d, or a time.")] = None,
    delivered: Annotated[bool, typer.Option("--delivered", help="Also what was delivered.")] = False,
    url: Url = HOME,
) -> None:
    """Deliver once more: one delivery, or all that an endpoint missed.

    Examples:
      wigwag webhooks replay wh_kqjhmnbvpoiuytre-4711
      wigwag webhooks replay wh_kqjhmnbvpoiuytre --since 2h
    """
    with Client(url) as gateway:
        if since is None:
            again = gateway.post("webhooks", "deliveries", what, "replay")
            say(f"{again['id']} is delivered once more.")
            return
        wish = {"since": _instant(since, time.time()), "delivered": delivered}
        queued = gateway.post("webhooks", what, "replay", body=wish)["queued"]
    say(f"{queued} deliveries are queued.")


def _row(endpoint: dict[str, Any]) -> list[Cell]:
    state = endpoint["state"] + (f" ({endpoint['reason']})" if endpoint["reason"] else "")
    events = ", ".join(endpoint["events"])
    return [endpoint["id"], state, str(endpoint["waiting"]), events, visible(endpoint["url"], one_line=True)]


def _delivery_row(delivery: dict[str, Any], now: float) -> list[Cell]:
    last, created = delivery["last"], instant(delivery["created"]) or now
    answer = "-" if last is None else str(last["status"] or last["detail"])
    return [
        delivery["id"],
        delivery["type"],
        delivery["state"],
        str(delivery["attempts"]),
        ago(now - created),
        visible(answer, one_line=True),
    ]


def _say_secret(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(made)
        return
    say(f"{made['id']} signs with {made['secret']}")
    note("The secret is not shown again. How to verify a signature: docs/WEBHOOKS.md.")


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "all"
    return {True: "yes", False: "no", None: "-", "": "-"}.get(value, visible(str(value), one_line=True))


def _instant(text: str, now: float) -> str:
    """A time that has passed, as RFC 3339: so long ago, or as people write times."""
    if found := _AGO.fullmatch(text.strip()):
        return datetime.fromtimestamp(now - int(found[1]) * _UNITS[found[2]], UTC).isoformat()
    try:
        return datetime.fromisoformat(text.strip()).astimezone().isoformat()
    except ValueError as error:
        wrong = f"{text!r} is no time: write it like 2h, 3d or 2026-01-31T08:30."
        raise Failure(wrong, ExitCode.USAGE) from error

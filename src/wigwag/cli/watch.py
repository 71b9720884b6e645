# SPDX-License-Identifier: Apache-2.0
"""`wigwag watch`: who is online, as it changes. What is shown is drawn in `picture`."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.live import Live

from wigwag.cli.client import HOME, AsJson, Client, Url
from wigwag.cli.outcome import ExitCode, Failure
from wigwag.cli.picture import HEADS, advice, header, picture, row
from wigwag.cli.screen import duration, note, out, say, say_json, say_table
from wigwag.cli.snapshot import Contact, Snapshot, take


def watch(
    once: Annotated[bool, typer.Option("--once", help="Print the table once and stop.")] = False,
    words: Annotated[
        str, typer.Option("--filter", metavar="WORDS", help="Only lines with these words: a name, a number, a state.")
    ] = "",
    interval: Annotated[float, typer.Option(min=0.2, max=3600, help="Seconds between two looks.")] = 1.0,
    as_json: AsJson = False,
    url: Url = HOME,
) -> None:
    """See who is online, the busiest first, until Ctrl-C.

    Without a terminal, or with --json, each change becomes a line. While the
    gateway is away, nobody is shown as online or offline.

    Examples:
      wigwag watch
      wigwag watch --filter "online"
      wigwag watch --once --json
    """
    with Client(url) as gateway:
        views = look(gateway, words.split(), once=once, pause=lambda: time.sleep(interval))
        if as_json:
            _print_json(views, once=once)
        elif out.is_terminal and not once:
            _draw(views)
        else:
            _print_lines(views)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What was seen at an instant (Unix seconds); `lost_at` is since when the gateway does not answer."""

    at: float
    snapshot: Snapshot
    lost_at: float | None = None


def look(
    gateway: Client, words: list[str], *, once: bool, pause: Callable[[], None], now: Callable[[], float] = time.time
) -> Iterator[View]:
    """One view after another. The first must succeed; after that, a gateway that is away is waited for."""
    view = View(at=now(), snapshot=take(gateway).only(words))
    yield view
    while not once:
        pause()
        try:
            view = View(at=now(), snapshot=take(gateway).only(words))
        except Failure as failure:
            if failure.code is ExitCode.REFUSED:
                raise
            view = View(at=now(), snapshot=view.snapshot.unobserved(), lost_at=view.lost_at or now())
        yield view


def changes(views: Iterator[View]) -> Iterator[tuple[View, list[Contact]]]:
    """Each view with the contacts that changed since the one before; all of them at first."""
    known: dict[str, Contact] = {}
    for view in views:
        yield view, [contact for contact in view.snapshot.contacts if known.get(contact.jid) != contact]
        known = {contact.jid: contact for contact in view.snapshot.contacts}


def _draw(views: Iterator[View]) -> None:
    with Live(screen=True, auto_refresh=False, console=out) as live:
        for view in views:
            notes = [] if view.lost_at is None else [_gone(view)]
            live.update(picture(view.snapshot, view.at, height=out.height, notes=notes), refresh=True)


def _print_lines(views: Iterator[View]) -> None:
    first, lost = True, False
    for view, changed in changes(views):
        if lost != (view.lost_at is not None):
            lost = not lost
            note(_gone(view) if lost else "The gateway is back.")
        if first:
            say(header(view.snapshot))
            if told := advice(view.snapshot):
                say(told)
            say_table(HEADS, [row(contact, view.at) for contact in view.snapshot.contacts])
        else:
            for contact in changed:
                say(_line(contact, view.at))
        first = False


def _print_json(views: Iterator[View], *, once: bool) -> None:
    for view, changed in changes(views):
        if once:
            say_json([asdict(contact) for contact in view.snapshot.contacts])
        for contact in [] if once else changed:
            say_json(asdict(contact), indent=None)


def _line(contact: Contact, at: float) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(at))
    cells = (clock, str(row(contact, at)[0]), contact.name, contact.number)
    return "  ".join(cell for cell in cells if cell)


def _gone(view: View) -> str:
    return f"The gateway does not answer for {duration(view.at - (view.lost_at or view.at))}; trying again."

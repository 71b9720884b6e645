# SPDX-License-Identifier: Apache-2.0
"""A snapshot as text: the table of `watch`, its header, and plain lines. Draws; asks nobody and keeps no time."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from wigwag.cli.screen import Cell, ago, duration
from wigwag.cli.snapshot import OFFLINE, ONLINE, UNOBSERVED, Contact, Snapshot

LOOKS = {ONLINE: ("●", "bold green"), OFFLINE: ("○", ""), UNOBSERVED: ("?", "yellow")}
SUBSCRIPTION_STYLES = {"active": "green", "failed": "red", "stale": "yellow"}
HEADS = ("State", "Name", "Number", "For", "Last seen", "Subscription")
TYPING = {"composing": "typing"}  # what people call it
FRAME = 6  # lines of the picture that are no contacts


def state(of: str, doing: str = "") -> Text:
    """A state that is told at a glance, by sign, word and colour; what the contact does takes the place of the word."""
    sign, style = LOOKS[of]
    return Text.assemble((sign, style), " ", (doing, "bold cyan") if doing else (of, style))


def row(contact: Contact, now: float) -> list[Cell]:
    """The cells of one contact, below HEADS."""
    dim = "dim" if contact.state == UNOBSERVED else ""
    return [
        state(contact.state, TYPING.get(contact.typing, contact.typing)),
        Text(contact.name or "-", dim, no_wrap=True, overflow="ellipsis"),
        Text(contact.number, "dim"),
        Text(duration(now - contact.since) if contact.since else "-", dim),
        Text(_last_seen(contact, now), dim),
        Text(contact.subscription, SUBSCRIPTION_STYLES.get(contact.subscription, "")),
    ]


def header(snapshot: Snapshot) -> Text:
    """Counts, and how the links stand."""
    line = Text.assemble(
        (f"{len(snapshot.contacts)} contacts", "bold"), "   ", state(ONLINE), f" {snapshot.count(ONLINE)}   ",
        state(OFFLINE), f" {snapshot.count(OFFLINE)}   ", state(UNOBSERVED), f" {snapshot.count(UNOBSERVED)}",
    )  # fmt: skip
    for account in snapshot.accounts:
        line.append(f"   {account.name}: ").append(account.state, "green" if account.state == "connected" else "red")
    return line


def advice(snapshot: Snapshot) -> Text:
    """What to do about accounts that are not well, a line each."""
    ill = (account for account in snapshot.accounts if account.state != "connected")
    return Text("\n").join(Text(f"{account.name}: {account.advice}", "yellow") for account in ill)


def picture(snapshot: Snapshot, now: float, *, height: int | None = None, notes: Sequence[str] = ()) -> RenderableType:
    """The whole picture, as many contacts of it as fit in `height` lines."""
    told = advice(snapshot)
    extra = [Text(note, "bold yellow") for note in notes] + ([told] if told else [])
    room = len(snapshot.contacts) if height is None else max(1, height - FRAME - len(extra))
    columns = [Column(head, no_wrap=head != "Name") for head in HEADS]
    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for contact in snapshot.contacts[:room]:
        table.add_row(*row(contact, now))
    more = len(snapshot.contacts) - room
    end = [Text(f"… and {more} more; --filter shows fewer", "dim")] if more > 0 else []
    return Group(header(snapshot), *extra, table, *end)


def _last_seen(contact: Contact, now: float) -> str:
    if contact.state == ONLINE:
        return "now"
    if contact.last_seen is None:
        return "hidden" if contact.state == OFFLINE else "-"
    return ago(now - contact.last_seen)

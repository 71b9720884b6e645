# SPDX-License-Identifier: Apache-2.0
"""A snapshot as text: the table of `watch`, its header, and plain lines. Draws; asks nobody and keeps no time."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from wigwag.cli.screen import Cell, ago
from wigwag.cli.snapshot import OFFLINE, ONLINE, UNOBSERVED, Contact, Snapshot

LOOKS = {ONLINE: ("●", "bold green"), OFFLINE: ("○", ""), UNOBSERVED: ("?", "yellow")}
SUBSCRIPTION_STYLES = {"active": "green", "failed": "red", "stale": "yellow"}
HEADS = ("State", "Name", "Number", "Since", "Last seen", "Typing", "Subscription")
FRAME = 6  # lines of the picture that are no contacts


def state(of: str) -> Text:
    """A state that is told at a glance, by sign, word and colour."""
    sign, style = LOOKS[of]
    return Text(f"{sign} {of}", style)


def row(contact: Contact, now: float) -> list[Cell]:
    """The cells of one contact, below HEADS."""
    dim = "dim" if contact.state == UNOBSERVED else ""
    return [
        state(contact.state),
        Text(contact.name or "-", dim),
        Text(contact.number, "dim"),
        Text(ago(now - contact.since) if contact.since else "-", dim),
        Text(_last_seen(contact, now), dim),
        Text(f"✎ {contact.typing}" if contact.typing else "", "cyan"),
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
    table = Table(*HEADS, box=SIMPLE_HEAD, pad_edge=False, header_style="bold", expand=False)
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

# SPDX-License-Identifier: Apache-2.0
"""What the demo shows: where to look, and a live picture of counts, the latest changes and the latest messages.

In a terminal the picture stands still and changes; elsewhere it is a line every ten seconds.
"""

import asyncio
import sys
import time
from collections import deque

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from wigwag.app.gateway import Gateway
from wigwag.cli.demo_world import CAST, CIRCLES
from wigwag.cli.jobs import visible
from wigwag.domain.delivery import ARRIVED, State
from wigwag.domain.events import Fact, JobChanged, MessageReceived
from wigwag.domain.messages import Message, MessageKind
from wigwag.domain.presence import Status

REFRESH, PLAIN = 0.5, 10.0  # seconds between pictures: in a terminal, and in plain lines
LATEST, LATEST_SAID = 8, 5  # changes and messages shown
READ = (State.READ, State.PLAYED)
LOOKS = {
    Status.ONLINE: Text("● online", "green"),
    Status.OFFLINE: Text("○ offline"),
    Status.UNKNOWN: Text("? not observed", "yellow"),
}
SUBJECTS = {f"{circle.id}@g.us": circle.subject for circle in CIRCLES}


def say_where_to_look(screen: Console, url: str, simulator: str) -> None:
    """The addresses, and what to try."""
    places = (
        ("console", f"{url}/?hours=1"),
        ("presence", f"{url}/api/presence"),
        ("counts", f"{url}/api/presence/stats"),
        ("messages", f"{url}/api/messages"),
        ("metrics", f"{url}/metrics"),
        ("API", f"{url}/openapi.json"),
        ("simulator", f"{simulator}/sim/subscriptions"),
    )
    program = sys.argv[0] if sys.argv[0].endswith("wigwag") else "wigwag"  # from `make demo` it is not on the path
    grid = Table.grid(padding=(0, 2))
    for name, place in places:
        grid.add_row(Text(name, style="bold"), Text(place, style="cyan"))
    grid.add_row(Text("a table", style="bold"), f"{program} watch --url {url}")
    grid.add_row(Text("a message", style="bold"), f'{program} send +{CAST[0].phone} "Hello!" --wait --url {url}')
    grid.add_row(Text("a chat", style="bold"), f"{program} messages chat +{CAST[0].phone} --url {url}")
    grid.add_row(Text("a fault", style="bold"), f'curl -X POST {simulator}/sim/faults -d \'{{"kind": "cut"}}\'')
    screen.print()
    screen.print(grid, soft_wrap=True)
    screen.print("Ctrl-C stops it.\n", style="dim")


async def follow(screen: Console, picture: "Picture") -> None:
    """Show how things are, for ever."""
    if not screen.is_terminal:
        while True:
            picture.look()
            screen.print(picture.summary() + Text("   ") + picture.mail(), soft_wrap=True)
            await asyncio.sleep(PLAIN)
    with Live(console=screen, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        while True:
            picture.look()
            live.update(picture.draw(), refresh=True)
            await asyncio.sleep(REFRESH)


class Picture:
    """What is seen of a gateway, what changed since the last look, and what was heard of messages."""

    def __init__(self, gateway: Gateway, account: str) -> None:
        self._gateway, self._account = gateway, account
        self._known: dict[str, Status] = {}
        self._latest: deque[tuple[str, Text, str]] = deque(maxlen=LATEST)
        self._said: deque[tuple[str, str]] = deque(maxlen=LATEST_SAID)
        self._sent, self._read, self._received = 0, 0, 0

    def hear(self, fact: Fact) -> None:
        """A sink: messages that came in, and how far ours are."""
        match fact:
            case MessageReceived(message=message) if not message.from_me:
                self._received += 1
                self._said.append((_clock(message.at), said(message)))
            case JobChanged(before=before, after=job):
                was = None if before is None else before.state
                self._sent += job.state in ARRIVED and was not in ARRIVED
                self._read += job.state in READ and was not in READ

    def look(self) -> None:
        """Note who changed."""
        for presence in self._gateway.presences():
            before = self._known.get(presence.jid)
            self._known[presence.jid] = presence.status
            if before is not None and before is not presence.status:
                name = presence.name or presence.jid
                self._latest.append((_clock(presence.since), LOOKS[presence.status], name))

    def summary(self) -> Text:
        """Link, counts and subscriptions in a line."""
        counts, stats = self._gateway.presence_counts(), self._gateway.subscription_stats()
        account = self._gateway.account(self._account)
        return Text.assemble(
            ("● " if account.connected else "○ ", "green" if account.connected else "red"),
            f"link {account.state}   {counts.total} tracked: ",
            (f"{counts.online} online", "green"),
            f", {counts.offline} offline, ",
            (f"{counts.total - counts.observed} not observed", "yellow"),
            f"   {stats.active} subscribed",
            f", {stats.queue_length} queued" if stats.queue_length else "",
            f", {stats.failed} failed" if stats.failed else "",
        )

    def mail(self) -> Text:
        """Messages in a line."""
        return Text.assemble(
            ("✉ ", "cyan"), f"messages sent: {self._sent}, read: {self._read}; received: {self._received}"
        )

    def draw(self) -> Group:
        """The summary with the latest changes below it, then messages in the same way."""
        changes, messages = Table.grid(padding=(0, 2)), Table.grid(padding=(0, 2))
        for at, look, name in self._latest:
            changes.add_row(Text(at, style="dim"), look, name)
        for at, words in self._said:
            messages.add_row(Text(at, style="dim"), Text(words, no_wrap=True, overflow="ellipsis"))
        return Group(self.summary(), Text(), changes, Text(), self.mail(), Text(), messages)


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def said(message: Message) -> str:
    """Who said what, and where."""
    where = f" in {SUBJECTS[message.chat]}" if message.chat in SUBJECTS else ""
    kind = "" if message.kind is MessageKind.TEXT else f"[{message.kind}] "
    return f"{message.name or message.sender}{where}: {kind}{visible(message.text, one_line=True)}"

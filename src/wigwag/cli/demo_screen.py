# SPDX-License-Identifier: Apache-2.0
"""What the demo shows: where to look, and a live picture of counts and the latest changes.

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
from wigwag.domain.presence import Status

REFRESH, PLAIN = 0.5, 10.0  # seconds between pictures: in a terminal, and in plain lines
LATEST = 10  # changes shown


def say_where_to_look(screen: Console, url: str, simulator: str) -> None:
    """The addresses, and what to try."""
    places = (
        ("presence", f"{url}/api/presence"),
        ("counts", f"{url}/api/presence/stats"),
        ("metrics", f"{url}/metrics"),
        ("API", f"{url}/openapi.json"),
        ("simulator", f"{simulator}/sim/subscriptions"),
    )
    program = sys.argv[0] if sys.argv[0].endswith("wigwag") else "wigwag"  # from `make demo` it is not on the path
    grid = Table.grid(padding=(0, 2))
    for name, place in places:
        grid.add_row(Text(name, style="bold"), Text(place, style="cyan"))
    grid.add_row(Text("a table", style="bold"), f"{program} watch --url {url}")
    grid.add_row(Text("a fault", style="bold"), f'curl -X POST {simulator}/sim/faults -d \'{{"kind": "cut"}}\'')
    screen.print()
    screen.print(grid, soft_wrap=True)
    screen.print("Ctrl-C stops it.\n", style="dim")


async def follow(screen: Console, gateway: Gateway, account: str) -> None:
    """Show how things are, for ever."""
    picture = Picture(gateway, account)
    if not screen.is_terminal:
        while True:
            picture.look()
            screen.print(picture.summary(), soft_wrap=True)
            await asyncio.sleep(PLAIN)
    with Live(console=screen, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        while True:
            picture.look()
            live.update(picture.draw(), refresh=True)
            await asyncio.sleep(REFRESH)


class Picture:
    """What is seen of a gateway, and what changed since the last look."""

    def __init__(self, gateway: Gateway, account: str) -> None:
        self._gateway, self._account = gateway, account
        self._known: dict[str, Status] = {}
        self._latest: deque[tuple[str, Status, str]] = deque(maxlen=LATEST)

    def look(self) -> None:
        """Note who changed."""
        for presence in self._gateway.presences():
            before = self._known.get(presence.jid)
            self._known[presence.jid] = presence.status
            if before is not None and before is not presence.status:
                at = time.strftime("%H:%M:%S", time.localtime(presence.since))
                self._latest.append((at, presence.status, presence.name or presence.jid))

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

    def draw(self) -> Group:
        """The summary, and the latest changes below it."""
        grid = Table.grid(padding=(0, 2))
        looks = {
            Status.ONLINE: Text("● online", "green"),
            Status.OFFLINE: Text("○ offline"),
            Status.UNKNOWN: Text("? not observed", "yellow"),
        }
        for at, status, name in self._latest:
            grid.add_row(Text(at, style="dim"), looks[status], name)
        return Group(self.summary(), Text(), grid)

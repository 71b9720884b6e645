# SPDX-License-Identifier: Apache-2.0
"""How far a run of subscriptions is, and when it will be over: arithmetic, and one line or bar to show it."""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from wigwag.cli.client import Client
from wigwag.cli.screen import duration, err, note

LOOK_AGAIN = 0.5  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Where the subscriptions that we wait for stand. `ahead` counts all that wait, ours and others."""

    total: int
    waiting: int
    pending: int
    active: int
    failed: int
    ahead: int
    per_minute: float
    seconds: float
    trouble: str = ""

    @property
    def done(self) -> bool:
        return self.waiting + self.pending == 0

    @property
    def words(self) -> str:
        """The run in a line."""
        rest = (self.waiting, "queued"), (self.pending, "asked, no answer yet"), (self.failed, "failed")
        counts = [f"{self.active} of {self.total} active", *(f"{count} {name}" for count, name in rest if count)]
        pace = f"; {self.per_minute:.0f} a minute, about {duration(self.seconds)} to go" if self.waiting else ""
        return f"{', '.join(counts)}{pace}." + (f" {self.trouble}" if self.trouble else "")


def time_for(contacts: int, *, batch: int, gap: float, rest: float) -> float:
    """Seconds until so many contacts are subscribed, from the beginning of a batch (seed 001)."""
    return contacts * gap + max(0, contacts - 1) // batch * rest


def see(gateway: Client, jids: Collection[str] | None) -> Run:
    """How the run of these contacts stands, or of all. Raises Failure."""
    states = [each["state"] for each in gateway.get("subscriptions") if jids is None or each["jid"] in jids]
    pace, ahead = gateway.get("subscriptions", "pace"), gateway.get("subscriptions", "stats")["queue_length"]
    ill = [each["advice"] for each in gateway.get("accounts") if each["state"] != "connected"]
    counts = {state: states.count(state) for state in ("queued", "stale", "pending", "active", "failed")}
    return Run(
        total=len(states),
        waiting=counts["queued"] + counts["stale"],
        pending=counts["pending"],
        active=counts["active"],
        failed=counts["failed"],
        ahead=ahead,
        per_minute=pace["per_minute"] or float("inf"),
        seconds=time_for(
            ahead,
            batch=pace["batch_size"],
            gap=pace["subscription_delay_seconds"],
            rest=pace["batch_delay_seconds"],
        ),
        trouble=ill[0] if ill else "",
    )


def follow(look: Callable[[], Run], pause: Callable[[], None] = lambda: time.sleep(LOOK_AGAIN)) -> Run:
    """Show a run until it is done: a bar in a terminal, elsewhere a line whenever something changed."""
    if not err.is_terminal:
        return _tell(_runs(look, pause))
    with Live(console=err, auto_refresh=False, transient=True) as live:
        for run in _runs(look, pause):
            picture = Table.grid()
            picture.add_row(ProgressBar(total=run.total or 1, completed=run.active + run.failed, width=40))
            picture.add_row(run.words)
            live.update(picture, refresh=True)
    return run


def _tell(runs: Iterator[Run]) -> Run:
    said = ""
    for run in runs:
        if (news := f"{run.active} {run.failed} {run.trouble}") != said:
            note(run.words)
            said = news
    return run


def _runs(look: Callable[[], Run], pause: Callable[[], None]) -> Iterator[Run]:
    while not (run := look()).done:
        yield run
        pause()
    yield run

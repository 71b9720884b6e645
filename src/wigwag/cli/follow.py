# SPDX-License-Identifier: Apache-2.0
"""A message on its way, followed live: one line of steps in a terminal, a line for each step elsewhere."""

import time
from collections.abc import Callable, Iterator
from typing import Literal

from rich.console import Console
from rich.live import Live
from rich.text import Text

from wigwag.cli.client import Client
from wigwag.cli.jobs import Job, state, waiting
from wigwag.cli.moments import told
from wigwag.cli.screen import out, say, say_json
from wigwag.cli.snapshot import instant

LOOK_AGAIN = 0.5  # seconds
STEPS = {"accepted": "created_at", "sent": "sent_at", "delivered": "delivered_at", "read": "read_at"}
STUCK = ("failed", "cancelled", "unconfirmed")
VIEW = {"trouble", "goal"}  # what we add to a job that we look at
Goal = Literal["sent", "delivered", "read"]
END: Goal = "read"  # of a voice note, that it was played


def steps(job: Job) -> dict[str, str]:
    """The steps that lie on its way, and under which name each one's time is told."""
    return STEPS | ({"played": "played_at"} if job["type"] == "voice" else {})


def goal(job: Job, until: Goal) -> list[str]:
    """The steps that we wait for."""
    whole = list(steps(job))
    return whole if until == END else whole[: whole.index(until) + 1]


def arrived(job: Job) -> bool:
    """Whether nothing more is to come that we wait for."""
    order = [*steps(job), "played"]
    state = job["state"]
    return state in STUCK or (state in order and order.index(state) >= order.index(job["goal"][-1]))


def passed(job: Job) -> dict[str, float]:
    """The steps it made so far, with their times. A later step implies those before, though nobody told of them."""
    times = {step: instant(job[name]) for step, name in steps(job).items()}
    if job["state"] in STUCK:
        times[job["state"]] = instant(job["since"])
    return {step: at for step, at in times.items() if at}


def looks(
    gateway: Client, job_id: str, pause: Callable[[], None] = lambda: time.sleep(LOOK_AGAIN), *, until: Goal = END
) -> Iterator[Job]:
    """How it is, again and again until it arrived. Raises Failure."""
    while not arrived(job := _look(gateway, job_id, until)):
        yield job | {"trouble": _trouble(gateway, job)}
        pause()
    yield job


def _look(gateway: Client, job_id: str, until: Goal) -> Job:
    job: Job = gateway.get("messages", job_id)
    return job | {"goal": goal(job, until), "trouble": ""}


def _trouble(gateway: Client, job: Job) -> str:
    """Why nothing moves, if its account is not well."""
    if job["state"] != "accepted" or job["send_at"]:
        return ""
    account = gateway.get("accounts", job["account"])
    return "" if account["state"] == "connected" else f"{account['name']} is {account['state']}: {account['advice']}"


def follow(jobs: Iterator[Job], *, as_json: bool = False) -> Job:
    """Show it until it arrived. Returns how it is then."""
    if out.is_terminal and not as_json:
        return draw(jobs, out)
    known: dict[str, float] = {}
    for job in jobs:
        news = {step: at for step, at in passed(job).items() if step not in known}
        if as_json and (news or not known):
            say_json({name: value for name, value in job.items() if name not in VIEW}, indent=None)
        for step, at in {} if as_json else news.items():
            say(f"{told(at, time.time())}  {_sign(step)}")
        known |= news
    return job


def draw(jobs: Iterator[Job], console: Console) -> Job:
    """The line of steps in its place, with what is waited for below it until it arrived."""
    with Live(console=console, auto_refresh=False) as live:
        for job in jobs:
            live.update(picture(job, time.time()), refresh=True)
        live.update(line(job, time.time()), refresh=True)
    return job


def picture(job: Job, now: float) -> Text:
    """The line, and what is waited for."""
    hint = job["trouble"] or waiting(job, now)
    end = "" if arrived(job) else "Ctrl-C stops looking; the gateway goes on."
    return Text("\n").join([line(job, now), Text(hint, "yellow" if job["trouble"] else ""), Text(end, "dim")])


def line(job: Job, now: float) -> Text:
    """All steps: those it made with their times, those to come dim."""
    made = passed(job)
    ahead = [] if job["state"] in STUCK else [step for step in job["goal"] if step not in made]
    parts = [Text.assemble(_sign(step), (f" {told(at, now)}", "dim")) for step, at in made.items()]
    parts += [Text(f"· {step}", "dim") for step in ahead]
    return Text("   ").join(parts)


def _sign(step: str) -> Text:
    """A step that was made."""
    return state(step) if step in STUCK else Text.assemble(("✓", "green"), " ", step)

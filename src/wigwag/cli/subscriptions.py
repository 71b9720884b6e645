# SPDX-License-Identifier: Apache-2.0
"""`wigwag subscriptions`, `pace` and `groups`: how the asking of WhatsApp goes, and how fast it may."""

from typing import Annotated, Any, Literal

import typer

from wigwag.cli.client import HOME, AsJson, Client, Url
from wigwag.cli.progress import time_for
from wigwag.cli.screen import duration, say, say_json, say_table
from wigwag.domain.subscriptions import State

PRIORITIES = {1: "high", 2: "medium", 3: "low"}


def subscriptions(
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    stats: Annotated[bool, typer.Option("--stats", help="Only the counts.")] = False,
    as_json: AsJson = False,
    url: Url = HOME,
) -> None:
    """List the subscriptions and where each stands.

    Examples:
      wigwag subscriptions --state failed
      wigwag subscriptions --stats --json
    """
    with Client(url) as gateway:
        counts = gateway.get("subscriptions", "stats")
        rows = [] if stats else gateway.get("subscriptions", state=state)
    if as_json:
        say_json(counts if stats else rows)
        return
    say(
        f"{counts['total_subscriptions']} subscriptions: {counts['active']} active, {counts['stale']} stale, "
        f"{counts['failed']} failed, {counts['queue_length']} queued."
    )
    if rows:
        heads = ("Contact", "State", "Priority", "Attempts", "Account")
        say_table(heads, [_row(each) for each in rows])


def _row(each: dict[str, Any]) -> list[str]:
    priority = PRIORITIES.get(each["priority"], str(each["priority"]))
    return [each["jid"].partition("@")[0], each["state"], priority, str(each["attempts"]), each["account"]]


def pace(
    preset: Annotated[
        Literal["small", "medium", "large", "careful"] | None,
        typer.Argument(help="A pace by name: small is the fastest, careful the slowest.", show_default=False),
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, max=1000, help="Contacts in a batch.")] = None,
    rest: Annotated[float | None, typer.Option(min=0, max=3600, help="Seconds between batches.")] = None,
    gap: Annotated[float | None, typer.Option(min=0, max=60, help="Seconds between contacts of a batch.")] = None,
    as_json: AsJson = False,
    url: Url = HOME,
) -> None:
    """Show how fast WhatsApp is asked, or change it.

    Examples:
      wigwag pace
      wigwag pace careful
      wigwag pace medium --batch 10
    """
    given = {
        "preset": preset,
        "batch_size": batch,
        "batch_delay_seconds": rest,
        "subscription_delay_seconds": gap,
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    with Client(url) as gateway:
        path = "subscriptions", "pace"
        now = gateway.put(*path, body=wanted) if wanted else gateway.get(*path)
    if as_json:
        say_json(now)
    else:
        _explain(now)


def _explain(now: dict[str, Any]) -> None:
    batch, rest, gap = (now[key] for key in ("batch_size", "batch_delay_seconds", "subscription_delay_seconds"))
    hundred = duration(time_for(100, batch=batch, gap=gap, rest=rest))
    often = f"{now['per_minute']:.0f}" if now["per_minute"] else "any number of"
    say(
        f"{now['preset'] or 'own'}: {batch} contacts in a batch, {gap:g} s after each, {rest:g} s more after the batch."
    )
    say(f"That is {often} contacts a minute; 100 take {hundred}.")


def groups(
    account: Annotated[str | None, typer.Option(help="The account, if there are several.")] = None,
    as_json: AsJson = False,
    url: Url = HOME,
) -> None:
    """List the groups of an account, and which are tracked.

    Examples:
      wigwag groups
      wigwag track --group 120363400902171371@g.us
    """
    with Client(url) as gateway:
        rows = gateway.get("groups", account=account)
    if as_json:
        say_json(rows)
    elif not rows:
        say("The account is in no group.")
    else:
        say_table(("Group", "Name", "Tracked"), [(row["jid"], row["name"], _yes(row["tracked"])) for row in rows])


def _yes(value: bool) -> str:
    return "yes" if value else "no"

# SPDX-License-Identifier: Apache-2.0
"""`wigwag messages …`: what was sent and how far it is, and what was said in a chat."""

import time
from typing import Annotated, Any

import typer
from rich.text import Text

from wigwag.cli.client import HOME, AsJson, Client, Url
from wigwag.cli.jobs import Job, advice, party, state, visible, waiting, words
from wigwag.cli.moments import told
from wigwag.cli.screen import Cell, ago, aligned, note, out, say, say_json, say_table
from wigwag.cli.snapshot import instant
from wigwag.domain.delivery import State

app = typer.Typer(no_args_is_help=False, invoke_without_command=True)
Id = Annotated[str, typer.Argument(metavar="ID", help="The id that `wigwag send` told.")]
Account = Annotated[str | None, typer.Option(help="The account, if there are several.")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="At most so many.")]
TIMES = {
    "Created": "created_at",
    "Sent": "sent_at",
    "Delivered": "delivered_at",
    "Read": "read_at",
    "Played": "played_at",
}


@app.callback()
def messages(  # noqa: PLR0913, PLR0917  each is an option
    context: typer.Context,
    states: Annotated[
        list[State] | None, typer.Option("--state", help="Only those in this state. Repeatable.", show_default=False)
    ] = None,
    to: Annotated[str | None, typer.Option(help="Only those to this number or group.")] = None,
    scheduled: Annotated[bool, typer.Option("--scheduled", help="Only those that are due later.")] = False,
    account: Account = None,
    before: Annotated[str | None, typer.Option(help="Go on where the page before ended.")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
    url: Url = HOME,
) -> None:
    """List what was sent, newest first; or show and change one.

    Examples:
      wigwag messages
      wigwag messages --state failed --state unconfirmed
      wigwag messages retry nfpcikeobjdgkamepchflaibodnemfkg
      wigwag messages chat 919876543210
    """
    if context.invoked_subcommand is not None:
        return
    wanted = {"to": to, "account": account, "before": before, "limit": str(limit)}
    with Client(url) as gateway:
        page = gateway.get(
            "messages", state=[*states] if states else None, scheduled="true" if scheduled else None, **wanted
        )
        stats = gateway.get("messages", "stats")
    if as_json:
        say_json(page)
        return
    say(_counts(stats))
    if page["messages"]:
        say_table(("Since", "State", "To", "ID", "What"), [_row(job, time.time()) for job in page["messages"]])
    if page["next"]:
        note(f"There are older ones: --before {page['next']}")


@app.command()
def show(name: Id, as_json: AsJson = False, url: Url = HOME) -> None:
    """Show one message, how far it is, and what to do about it."""
    with Client(url) as gateway:
        job = gateway.get("messages", name)
    if as_json:
        say_json(job)
    else:
        _print(job, time.time())


@app.command()
def cancel(name: Id, url: Url = HOME) -> None:
    """Take a message back that was not sent yet."""
    with Client(url) as gateway:
        gateway.post("messages", name, "cancel")
    say(f"{name} is cancelled.")


@app.command()
def retry(name: Id, url: Url = HOME) -> None:
    """Try a message again that failed, or of which nobody knows.

    If nobody knows whether it was sent, the recipient may get it twice.
    """
    with Client(url) as gateway:
        gateway.post("messages", name, "retry")
    say(f"{name} is tried again; see `wigwag messages show {name}`.")


@app.command()
def chat(
    name: Annotated[str, typer.Argument(metavar="NUMBER|GROUP", help="With whom.")],
    account: Account = None,
    before: Annotated[
        str | None, typer.Option(metavar="TIME", help="Go on where the page before ended; or any time.")
    ] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    url: Url = HOME,
) -> None:
    """Read a chat, the newest message last.

    The ids are WhatsApp's; `wigwag send --reply-to` takes them.
    """
    with Client(url) as gateway:
        page = gateway.get("chats", name, "messages", account=account, before=before, limit=str(limit))
    if as_json:
        say_json(page)
    elif not page["messages"]:
        say("Nothing was said yet.")
    else:
        rows = [_said(message, time.time()) for message in reversed(page["messages"])]
        say_table(("At", "Who", "ID", "What"), rows)
        if page["next"]:
            note(f"More was said before that: --before {page['next']}")


def _counts(stats: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {state}" for state, count in stats["states"].items() if count)
    total = stats["total"]
    return f"{total} message{'' if total == 1 else 's'}{': ' if counts else ''}{counts}."


def _row(job: Job, now: float) -> list[Cell]:
    since = ago(now - (instant(job["since"]) or now))
    what = Text(words(job), no_wrap=True, overflow="ellipsis")
    return [since, state(job["state"]), party(job["to"]), job["id"], what]


def _print(job: Job, now: float) -> None:
    say(state(job["state"]).append(f"  {job['id']}"))
    told_times = {name: told(at, now) for name, key in TIMES.items() if (at := instant(job[key]))}
    facts = {"To": party(job["to"]), "From": job["account"], "Says": words(job), **told_times}
    facts |= {"WhatsApp's id": job["message_id"], "Key": job["idempotency_key"], "Failures": job["attempts"]}
    for line in aligned([(name, str(fact)) for name, fact in facts.items() if fact]):
        say(f"  {line}")
    for receipt in job["receipts"]:
        say(f"  {receipt['state']} by {party(receipt['reader'])} at {told(instant(receipt['at']) or now, now)}")
    if hint := advice(job) or waiting(job, now):
        say(hint)


def _said(message: dict[str, Any], now: float) -> list[Cell]:
    who = "we" if message["from_me"] else visible(message["name"] or party(message["sender"]), one_line=True)
    text = visible(message["text"] or "", one_line=not out.is_terminal)
    return [told(instant(message["at"]) or now, now), who, message["id"], told_what(message, text)]


def told_what(message: dict[str, Any], text: str) -> str:
    """What happened in a chat, in words."""
    kind, target = message["type"], message["target"]
    if message["deleted_at"]:
        return "(deleted)"
    if kind == "reaction":
        return f"{text} on {target}" if text else f"takes the reaction on {target} back"
    if kind in ("edit", "deletion", "vote"):
        return {"edit": f"changes {target}: {text}", "deletion": f"deletes {target}", "vote": f"votes in {target}"}[
            kind
        ]
    said = text if kind == "text" else f"[{kind}] {text}".rstrip()
    return f"{said} (edited)" if message["edited_at"] else said

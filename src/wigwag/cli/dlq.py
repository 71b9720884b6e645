# SPDX-License-Identifier: Apache-2.0
"""`wigwag dlq …`: envelopes from RabbitMQ that led to nothing, and what an operator does about them."""

import time
from typing import Annotated, Any

import typer

from wigwag.cli.client import HOME, AsJson, Client, Url
from wigwag.cli.outcome import ExitCode, Failure
from wigwag.cli.screen import Cell, ago, say, say_json, say_table
from wigwag.cli.snapshot import instant

app = typer.Typer(no_args_is_help=True, help="Dead letters: envelopes from RabbitMQ that led to nothing.")
Letter = Annotated[str, typer.Argument(metavar="ID", help="A dead letter's id, as `list` shows it.")]
Letters = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, as `list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]
Reason = Annotated[str | None, typer.Option(help="All with this reason.")]


@app.command(name="list")
def list_(
    reason: Annotated[str | None, typer.Option(help="Only those with this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, the oldest first.")] = 100,
    as_json: AsJson = False,
    url: Url = HOME,
) -> None:
    """List the dead letters, the oldest first, without what they say.

    Examples:
      wigwag dlq list
      wigwag dlq list --reason invalid_destination --json
    """
    with Client(url) as gateway:
        letters = gateway.get("dead-letters", reason=reason, limit=str(limit))
    if as_json:
        say_json(letters)
    elif not letters:
        say("There are no dead letters.")
    else:
        now = time.time()
        say_table(("Id", "Since", "Reason", "Queue", "Message", "Bytes"), [_row(letter, now) for letter in letters])


def _row(letter: dict[str, Any], now: float) -> list[Cell]:
    since = instant(letter["since"])
    when = ago(now - since) if since else "-"
    return [letter["id"], when, letter["reason"], letter["queue"], letter["job"] or "-", str(letter["size"])]


@app.command()
def show(letter: Letter, as_json: AsJson = False, url: Url = HOME) -> None:
    """Show one dead letter with all it says. Mind who reads along."""
    with Client(url) as gateway:
        found = gateway.get("dead-letters", letter)
    if as_json:
        say_json(found)
        return
    for name in ("id", "reason", "detail", "queue", "since", "job", "size"):
        say(f"{name:8}{found[name] if found[name] is not None else '-'}")
    say(found["body"] if found["body"] is not None else f"base64  {found['base64']}")


@app.command()
def replay(letters: Letters = None, every: All = False, reason: Reason = None, url: Url = HOME) -> None:
    """Try dead letters again.

    A message that had failed goes on from its first attempt; an envelope that
    was refused goes back to its queue.

    Examples:
      wigwag dlq replay 9f86d081884c7d65
      wigwag dlq replay --reason store_unavailable
      wigwag dlq replay --all
    """
    _check(letters, every=every, reason=reason)
    with Client(url) as gateway:
        for letter in letters or ():
            gateway.post("dead-letters", letter, "replay")
        done = len(letters) if letters else gateway.post("dead-letters", "replay", reason=reason)["count"]
    say(f"{_counted(done)} replayed. What cannot be sent comes back: see `wigwag dlq list`.")


@app.command()
def drop(letters: Letters = None, every: All = False, reason: Reason = None, url: Url = HOME) -> None:
    """Delete dead letters for good.

    Examples:
      wigwag dlq drop 9f86d081884c7d65
      wigwag dlq drop --reason text_too_long
    """
    _check(letters, every=every, reason=reason)
    with Client(url) as gateway:
        for letter in letters or ():
            gateway.delete("dead-letters", letter)
        done = len(letters) if letters else gateway.delete("dead-letters", reason=reason)["count"]
    say(f"{_counted(done)} dropped.")


def _check(letters: list[str] | None, *, every: bool, reason: str | None) -> None:
    if [bool(letters), every, reason is not None].count(True) != 1:
        raise Failure("which dead letters? Give ids, or --reason, or --all.", ExitCode.USAGE)


def _counted(number: int) -> str:
    return f"{number} dead letter was" if number == 1 else f"{number} dead letters were"

# SPDX-License-Identifier: Apache-2.0
"""`wigwag accounts …`: which accounts there are, how their links stand, and what an operator does about them."""

import time
from typing import Annotated, Any, Literal

import typer

from wigwag.cli.client import HOME, AsJson, Client, Url
from wigwag.cli.moments import told
from wigwag.cli.screen import Cell, ago, say, say_json, say_table
from wigwag.cli.snapshot import instant

app = typer.Typer(no_args_is_help=False, invoke_without_command=True)
COUNTED = ("accepted", "failed", "unconfirmed")  # messages that somebody may want to look at
HEADS = ("Account", "State", "Since", "Number", *(state.capitalize() for state in COUNTED), "Advice")
Name = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's name.")]


@app.callback()
def accounts(context: typer.Context, as_json: AsJson = False, url: Url = HOME) -> None:
    """List the accounts and how they stand; or change one.

    Examples:
      wigwag accounts
      wigwag accounts add support
      wigwag accounts connect default
    """
    if context.invoked_subcommand is None:
        with Client(url) as gateway:
            _print(gateway.get("accounts"), as_json=as_json)


@app.command()
def show(name: Name, as_json: AsJson = False, url: Url = HOME) -> None:
    """Show one account."""
    with Client(url) as gateway:
        account = gateway.get("accounts", name)
    if as_json:
        say_json(account)
    else:
        _print([account], as_json=False)


@app.command()
def add(name: Name, url: Url = HOME) -> None:
    """Begin a new account; then pair it."""
    with Client(url) as gateway:
        gateway.post("accounts", body={"name": name})
    say(f"{name} was added. Pair it: wigwag pair {name}")


@app.command()
def connect(name: Name, url: Url = HOME) -> None:
    """Make the link now.

    Also after a disconnect, or when another program took the session.
    """
    with Client(url) as gateway:
        gateway.post("accounts", name, "connect")
    say(f"{name} is being connected; see `wigwag accounts`.")


@app.command()
def disconnect(name: Name, url: Url = HOME) -> None:
    """Close the link, and leave it closed until `connect`."""
    with Client(url) as gateway:
        gateway.post("accounts", name, "disconnect")
    say(f"{name} is disconnected. Its contacts are not observed until `wigwag accounts connect {name}`.")


@app.command()
def appear(name: Name, wish: Annotated[Literal["on", "off"], typer.Argument()], url: Url = HOME) -> None:
    """Choose whether the account may appear available.

    WhatsApp tells presences only to whoever is available, and that silences
    the phone.
    """
    with Client(url) as gateway:
        gateway.patch("accounts", name, body={"appear": wish == "on"})
    say(f"{name} {'appears available while anything is tracked' if wish == 'on' else 'stays invisible'}.")


@app.command()
def remove(name: Name, url: Url = HOME) -> None:
    """Log out and forget an account that nothing is tracked through."""
    with Client(url) as gateway:
        gateway.delete("accounts", name)
    say(f"{name} is removed.")


def _print(accounts: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        say_json(accounts)
        return
    now = time.time()
    say_table(HEADS, [_row(account, now) for account in accounts])


def _row(account: dict[str, Any], now: float) -> list[Cell]:
    since, until = instant(account["since"]), account["until"]
    advice = account["advice"] + (f" It ends at {until}." if until else "")
    if restricted := instant(account["restricted_until"]):
        advice += f" WhatsApp refused a first message, so strangers wait until {told(restricted, now)}."
    number = (account["jid"] or "-").partition("@")[0]
    counts = account["messages"]
    counted = [str(counts[state]) if counts else "?" for state in COUNTED]
    return [account["name"], account["state"], ago(now - since) if since else "-", number, *counted, advice]

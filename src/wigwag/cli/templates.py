# SPDX-License-Identifier: Apache-2.0
"""`wigwag templates …`: texts that are kept under names, for `wigwag send --template`."""

from typing import Annotated

import typer

from wigwag.cli.client import HOME, AsJson, Client, Url
from wigwag.cli.jobs import visible
from wigwag.cli.screen import say, say_json, say_table
from wigwag.cli.send import read_text

app = typer.Typer(no_args_is_help=False, invoke_without_command=True)
Name = Annotated[str, typer.Argument(help="The template's name.")]


@app.callback()
def templates(context: typer.Context, as_json: AsJson = False, url: Url = HOME) -> None:
    """List the templates; or show and change one.

    Examples:
      wigwag templates
      wigwag templates set welcome 'Hello ${name}!'
      wigwag send 919876543210 --template welcome --value name=John
    """
    if context.invoked_subcommand is not None:
        return
    with Client(url) as gateway:
        found = gateway.get("templates")
    if as_json:
        say_json(found)
    elif not found:
        say("There are no templates yet; make one with `wigwag templates set`.")
    else:
        say_table(("Name", "Text"), [(each["name"], visible(each["text"], one_line=True)) for each in found])


@app.command()
def show(name: Name, as_json: AsJson = False, url: Url = HOME) -> None:
    """Print a template's text."""
    with Client(url) as gateway:
        found = gateway.get("templates", name)
    if as_json:
        say_json(found)
    else:
        say(found["text"])


@app.command(name="set")
def set_(
    name: Name,
    text: Annotated[str, typer.Argument(help="The text, with ${placeholders}; - is standard input.")],
    url: Url = HOME,
) -> None:
    """Keep a text under a name, in the place of what was there.

    Write placeholders as ${name}, and a dollar sign as $$. In a shell, single
    quotes keep them as they are.
    """
    with Client(url) as gateway:
        gateway.put("templates", name, body={"text": read_text(text)})
    say(f"{name} is kept. To use it: wigwag send NUMBER --template {name}")


@app.command()
def remove(name: Name, url: Url = HOME) -> None:
    """Keep a template no longer."""
    with Client(url) as gateway:
        gateway.delete("templates", name)
    say(f"{name} is removed.")

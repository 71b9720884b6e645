# SPDX-License-Identifier: Apache-2.0
"""`wigwag doctor`: looks an installation over and says what to do. What is looked at is decided in `compose.doctor`."""

import asyncio
from typing import Annotated

import typer
from rich.text import Text

from wigwag.cli import settings
from wigwag.cli.client import AsJson
from wigwag.cli.outcome import ExitCode, Failure
from wigwag.cli.screen import say, say_json

LOOKS = {"fine": ("✓", "green"), "notice": ("!", "yellow"), "wrong": ("✗", "bold red")}


def doctor(
    url: Annotated[
        str | None,
        typer.Option("--url", envvar="WIGWAG_URL", help="Where the gateway is.", show_default="this machine, APP_PORT"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look an installation over, from the settings to WhatsApp, and say what is wrong and what to do.

    Run it where the gateway runs: as its user, with its settings. It changes
    nothing. The exit code is 1 if something is wrong.

    Examples:
      wigwag doctor
      docker compose exec wigwag wigwag doctor
      wigwag doctor --json
    """
    found = _findings(url, quiet=as_json)
    bad = [finding for finding in found if finding["verdict"] == "wrong"]
    if as_json:
        say_json(found)
    elif bad:
        say(f"\n{len(bad)} of {len(found)} things are wrong: {', '.join(dict.fromkeys(each['part'] for each in bad))}.")
    else:
        say(f"\nAll {len(found)} things that were looked at are well enough.")
    if bad:
        raise typer.Exit(ExitCode.FAILED)


def _findings(url: str | None, *, quiet: bool) -> list[dict[str, str]]:
    """Everything, told as it is found unless it shall be quiet."""
    found: list[dict[str, str]] = []

    def add(part: str, verdict: str, words: str, advice: str = "") -> None:
        found.append({"part": part, "verdict": verdict, "found": words, "advice": advice})
        if not quiet:
            _tell(found[-1])

    for problem in settings.problems():
        add("settings", "wrong", problem, "See `wigwag config show`; a gateway does not start like this.")
    if not found:
        add("settings", "fine", "they fit together")
    try:
        chosen = settings.read()
    except Failure:  # nothing else can be looked at before that
        return found

    async def look() -> None:
        from wigwag.compose.doctor import examine  # noqa: PLC0415 - loads whatsmeow, which other verbs need not wait for

        async for finding in examine(chosen, url or f"http://127.0.0.1:{chosen.port}", chosen.shown_key):
            add(finding.part, finding.verdict.value, finding.found, finding.advice)

    asyncio.run(look())
    return found


def _tell(row: dict[str, str]) -> None:
    sign, style = LOOKS[row["verdict"]]
    say(Text.assemble((sign, style), f" {row['part']}: {row['found']}"))
    if row["advice"]:
        say(f"    {row['advice']}")

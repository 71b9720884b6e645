# SPDX-License-Identifier: Apache-2.0
"""The command line: `main`, and the list of verbs. Each verb is a module; none knows another's business.

Verbs do no work of their own: `serve`, `demo`, `backup` and `restore` run what `compose` puts together, the others ask
a gateway over HTTP.
"""

import io
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from wigwag import __version__
from wigwag.cli import (
    accounts,
    backup,
    config,
    dashboards,
    demo,
    dlq,
    doctor,
    keys,
    mcp,
    messages,
    pair,
    send,
    serve,
    simulate,
    subscriptions,
    templates,
    track,
    watch,
    webhooks,
)
from wigwag.cli.outcome import ExitCode, Failure
from wigwag.cli.screen import complain, say
from wigwag.domain.errors import GatewayError


class _Verbs(TyperGroup):
    """What is expected to go wrong ends with a sentence and an exit code instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Failure as failure:
            complain(str(failure))
            raise typer.Exit(failure.code) from failure
        except GatewayError as error:
            complain(str(error))
            raise typer.Exit(ExitCode.FAILED) from error
        except OSError as error:
            if error.filename is None:
                raise
            complain(f"{error.filename}: {error.strerror}.")
            raise typer.Exit(ExitCode.FAILED) from error


def _version(wanted: bool) -> None:
    if wanted:
        say(f"wigwag {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=_Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
RUN, ASK, SET_UP = "Run", "Ask a gateway", "Set up"
for verb, panel in (
    (demo.demo, RUN),
    (serve.serve, RUN),
    (simulate.simulate, RUN),
    (watch.watch, ASK),
    (track.track, ASK),
    (track.untrack, ASK),
    (track.erase, ASK),
    (subscriptions.subscriptions, ASK),
    (subscriptions.groups, ASK),
    (send.send, ASK),
    (mcp.mcp, ASK),
    (pair.pair, SET_UP),
    (subscriptions.pace, SET_UP),
    (doctor.doctor, SET_UP),
    (backup.backup, SET_UP),
    (backup.restore, SET_UP),
):
    app.command(rich_help_panel=panel)(verb)
app.add_typer(messages.app, name="messages", rich_help_panel=ASK)
app.add_typer(templates.app, name="templates", rich_help_panel=ASK)
app.add_typer(dlq.app, name="dlq", rich_help_panel=ASK)
app.add_typer(webhooks.app, name="webhooks", rich_help_panel=SET_UP)
app.add_typer(keys.app, name="keys", rich_help_panel=SET_UP)
app.add_typer(accounts.app, name="accounts", rich_help_panel=SET_UP)
app.add_typer(config.app, name="config", rich_help_panel=SET_UP)
app.add_typer(dashboards.app, name="dashboards", rich_help_panel=SET_UP)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version and stop.")
    ] = False,
) -> None:
    """A self-hosted WhatsApp gateway that knows who is online and tells the truth about its own health.

    Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 gateway not reachable, 4 refused or not found, 130 interrupted.
    """


def main() -> None:
    """Run the command line of this process. Letters that the terminal cannot show become question marks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(prog_name="wigwag")

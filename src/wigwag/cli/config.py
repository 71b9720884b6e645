# SPDX-License-Identifier: Apache-2.0
"""`wigwag config show|check`: what the settings are, where each came from, and what is wrong with them.

The settings themselves are in `wigwag.config`; nothing is named here.
"""

import os
from dataclasses import asdict, dataclass
from typing import Any

import typer
from rich.text import Text

from wigwag.cli import settings
from wigwag.cli.client import AsJson
from wigwag.cli.outcome import Failure
from wigwag.cli.screen import out, say, say_json, say_table
from wigwag.config import Settings

app = typer.Typer(no_args_is_help=True, help="See the settings, and check them.")
MASK = "••••••"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting as a person sees it. `source` is the variable it came from, or "default"."""

    name: str
    value: str
    default: str
    source: str
    meaning: str


@app.command()
def show(as_json: AsJson = False) -> None:
    """Print every setting, and where its value came from.

    Secrets are masked.

    Examples:
      wigwag config show
      APP_PORT=9000 wigwag config show --json
    """
    found = [_setting(name, field) for name, field in Settings.model_fields.items()]
    if as_json:
        say_json([asdict(setting) for setting in found])
    elif out.is_terminal:
        for each in found:
            origin = "default" if each.source == "default" else f"from {each.source}; default {each.default}"
            say(Text.assemble((each.name, "bold"), " = ", (each.value, "cyan"), (f"   {origin}", "dim")))
            say(f"    {each.meaning}")
    else:
        heads = ("Name", "Value", "Default", "From", "Meaning")
        say_table(heads, [(each.name, each.value, each.default, each.source, each.meaning) for each in found])


@app.command()
def check() -> None:
    """Say everything that is wrong with the settings at once.

    The exit code is 1 then.

    Examples:
      wigwag config check && wigwag serve
    """
    wrong = settings.problems()
    if wrong:
        raise Failure("\n".join(["the settings are not right.", *(f"  {line}" for line in wrong)]))
    say("The settings are right.")


def _setting(name: str, field: Any) -> Setting:
    names = [str(choice) for choice in field.validation_alias.choices] if field.validation_alias else [name.upper()]
    secret = "SecretStr" in str(field.annotation)
    given = {key.upper(): value for key, value in os.environ.items()}
    source = next((each for each in names if each in given), None)
    default = _text(field.default, secret=secret)
    return Setting(
        name=" or ".join(names),
        value=default if source is None else _text(given[source], secret=secret),
        default=default,
        source=source or "default",
        meaning=field.description or "",
    )


def _text(value: Any, *, secret: bool) -> str:
    raw = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    if raw is None or raw == "":
        return "-"
    return MASK if secret else str(raw)

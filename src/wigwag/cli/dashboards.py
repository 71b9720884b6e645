# SPDX-License-Identifier: Apache-2.0
"""`wigwag dashboards export`: the dashboards of this version, as files for Grafana. What is on them is known there."""

import json
from pathlib import Path
from typing import Annotated

import typer

from wigwag.adapters.grafana import BOARDS
from wigwag.cli.screen import say

app = typer.Typer(no_args_is_help=True, help="Dashboards for Grafana.")


@app.callback()
def dashboards() -> None:
    """Dashboards for Grafana, over what Prometheus scrapes from a gateway."""


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; it is made if it is not there.")],
) -> None:
    """Write the dashboards of this version into a folder, a file for each.

    Grafana takes them by its import, or reads the folder at start. Files of
    the same names are replaced.

    Examples:
      wigwag dashboards export /var/lib/grafana/dashboards
    """
    folder.mkdir(parents=True, exist_ok=True)
    for board in BOARDS:
        path = folder / f"{board.name}.json"
        path.write_text(json.dumps(board.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        say(str(path))

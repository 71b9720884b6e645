# SPDX-License-Identifier: Apache-2.0
"""The two ways out: results to standard output, words about them to standard error. And how times are said.

Texts are never read as markup, for names come from other people. Colour goes with the terminal and with NO_COLOR.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

out = Console(markup=False, highlight=False, emoji=False)
err = Console(markup=False, highlight=False, emoji=False, stderr=True)

Cell = str | Text


def say(text: Cell = "") -> None:
    """A line of the result, as long as it is."""
    out.print(text, soft_wrap=True)


def note(text: Cell) -> None:
    """A line for the person, not for the next program."""
    err.print(text, soft_wrap=True)


def complain(message: str) -> None:
    """What went wrong."""
    note(Text.assemble(("wigwag: ", "bold red"), message))


def say_json(value: Any, indent: int | None = 2) -> None:
    """The result for programs."""
    say(json.dumps(value, ensure_ascii=False, indent=indent))


def say_table(heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """A table in a terminal, whose last column wraps; elsewhere aligned plain lines, each as long as it is."""
    if not out.is_terminal:
        for line in aligned([heads, *rows]):
            say(line)
        return
    columns = [*(Column(head, no_wrap=True) for head in heads[:-1]), Column(heads[-1])]
    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def aligned(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Rows as lines of text whose columns stand below each other, however wide their letters are."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    return [
        "  ".join(text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in texts
    ]


@contextmanager
def own_the_screen(log: Path) -> Iterator[Console]:
    """A console for us alone: whatever else this process and its libraries print meanwhile goes to the file."""
    kept = os.dup(1), os.dup(2)
    with log.open("ab") as elsewhere, os.fdopen(os.dup(1), "w", encoding="utf-8") as mine:
        for descriptor in (1, 2):
            os.dup2(elsewhere.fileno(), descriptor)
        try:
            yield Console(file=mine, markup=False, highlight=False, emoji=False)
        finally:
            for descriptor, before in zip((1, 2), kept, strict=True):
                os.dup2(before, descriptor)
                os.close(before)


def duration(seconds: float) -> str:
    """A length of time in its two largest units: 45 s, 3 min, 2 h 5 min, 4 d 2 h."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60 % 60, whole // 3600 % 24, whole // 86400
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def ago(seconds: float) -> str:
    """How long ago: now, 12 s ago, 2 min ago, 3 h ago, 5 d ago."""
    whole = max(0, round(seconds))
    if whole < 2:
        return "now"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if whole >= size:
            return f"{whole // size} {unit} ago"
    return f"{whole} s ago"

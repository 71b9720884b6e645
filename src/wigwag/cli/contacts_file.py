# SPDX-License-Identifier: Apache-2.0
"""A file of contacts for `track --file`: CSV with a number, and perhaps a name and a priority, in each line.

Reads text, and finds everything that is wrong with it at once.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from wigwag.cli.outcome import ExitCode, Failure
from wigwag.domain.errors import InvalidJid
from wigwag.domain.ids import contact_jid

COLUMNS = ("phone", "name", "priority")
MOST = 10  # mistakes shown


class Priority(StrEnum):
    """How urgently a contact is wanted."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def number(self) -> int:
        """As the API has it."""
        return list(Priority).index(self) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Somebody to track."""

    phone: str
    name: str = ""
    priority: Priority


def read_contacts(lines: Iterable[str], usual: Priority) -> list[Wish]:
    """The wishes of a file. A first line with `phone` in it names the columns, else they are phone, name, priority.

    Args:
        usual: the priority of lines without one.

    Raises:
        Failure: with the number of each line that is wrong.
    """
    heads, wishes, mistakes = list(COLUMNS), [], []
    rows = csv.reader(lines)
    for cells in rows:
        fields = [cell.strip() for cell in cells]
        if rows.line_num == 1 and "phone" in [field.casefold() for field in fields]:
            heads = [field.casefold() for field in fields]
        elif any(fields):
            try:
                wishes.append(_wish(dict(zip(heads, fields, strict=False)), usual))
            except (InvalidJid, ValueError) as error:
                mistakes.append(f"  line {rows.line_num}: {error}")
    if mistakes:
        more = [f"  and {len(mistakes) - MOST} more"] if len(mistakes) > MOST else []
        raise Failure(
            "\n".join(["nobody was tracked: the file is not right.", *mistakes[:MOST], *more]), ExitCode.USAGE
        )
    return wishes


def _wish(fields: dict[str, str], usual: Priority) -> Wish:
    phone = fields.get("phone", "")
    contact_jid(phone)
    word = fields.get("priority", "").casefold()
    if word and word not in list(Priority):
        raise ValueError("the priority must be high, medium or low.")
    return Wish(phone=phone, name=fields.get("name", ""), priority=Priority(word) if word else usual)

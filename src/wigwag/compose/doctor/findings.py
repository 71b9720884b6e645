# SPDX-License-Identifier: Apache-2.0
"""What was found, of which part, and how bad it is. A value; nothing is looked at here."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is."""

    FINE = "fine"
    NOTICE = "notice"  # it works, and somebody should know
    WRONG = "wrong"  # something does not work until somebody does something


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `advice` says what to do; it is empty where all is well."""

    part: str
    verdict: Verdict
    found: str
    advice: str = ""


def fine(part: str, found: str) -> Finding:
    return Finding(part, Verdict.FINE, found)


def notice(part: str, found: str, advice: str) -> Finding:
    return Finding(part, Verdict.NOTICE, found, advice)


def wrong(part: str, found: str, advice: str) -> Finding:
    return Finding(part, Verdict.WRONG, found, advice)

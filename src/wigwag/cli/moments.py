# SPDX-License-Identifier: Apache-2.0
"""Times as people write them (`+2h`, `08:30`, `2026-01-31 08:30`) and as they read them. On this machine's clock."""

import re
from datetime import datetime, timedelta

from wigwag.cli.outcome import ExitCode, Failure

_AFTER = re.compile(r"\+([0-9]{1,6}) ?(s|min|m|h|d)", re.ASCII)
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


def when(text: str, now: float) -> float:
    """Unix seconds of a time to come. Without a zone it is this machine's; a bare hour is the next such one."""
    text = text.strip()
    if after := _AFTER.fullmatch(text):
        return now + int(after[1]) * _UNITS[after[2]]
    here = datetime.fromtimestamp(now)  # noqa: DTZ006  local time is what people mean
    if time := _TIME.fullmatch(text):
        moment = here.replace(hour=int(time[1]), minute=int(time[2]), second=0, microsecond=0)
        return (moment if moment > here else moment + timedelta(days=1)).timestamp()
    try:
        at = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise Failure(
            f"{text!r} is no time: write it like +2h, 08:30, 2026-01-31T08:30 or 2026-01-31T08:30+05:30.",
            ExitCode.USAGE,
        ) from error
    if at <= now:
        raise Failure(f"{text} has passed already.", ExitCode.USAGE)
    return at


def told(at: float, now: float) -> str:
    """The time of day, with its date unless that is today."""
    moment, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now).date()  # noqa: DTZ006
    return f"{moment:%H:%M:%S}" if moment.date() == today else f"{moment:%Y-%m-%d %H:%M}"

# SPDX-License-Identifier: Apache-2.0
"""How fast an account may send: a token bucket with jitter, quiet hours, and a pause for strangers.

A value that is told what happened and answers when the next message may go; who waits is not decided here. Instants are
Unix seconds.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from wigwag.domain.errors import InvalidSettings

MINUTE, DAY = 60.0, 24 * 3600.0  # seconds
COLD_PAUSE = DAY  # seconds without first messages to strangers, after WhatsApp refused one (error 463)
_HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Hours of the day in which nothing is sent, in a time zone. They may go over midnight."""

    start: time
    end: time
    zone: tzinfo = UTC

    def until(self, now: float) -> float:
        """When the quiet that holds now ends; `now` itself if there is none."""
        here = datetime.fromtimestamp(now, self.zone)
        clock = here.time()
        over_midnight = self.end <= self.start
        inside = (clock >= self.start or clock < self.end) if over_midnight else self.start <= clock < self.end
        if not inside:
            return now
        day = here.date() + timedelta(days=1) if over_midnight and clock >= self.start else here.date()
        # In the hour that comes twice, the end meant is that of the pass we are in.
        fold = here.fold if day == here.date() else 0
        return datetime.combine(day, self.end.replace(fold=fold), self.zone).timestamp()


def quiet_hours(text: str, zone: tzinfo) -> Quiet | None:
    """The quiet hours that `22:00-07:30` means; None for an empty text. Raises InvalidSettings."""
    if not text:
        return None
    found = _HOURS.fullmatch(text.strip())
    numbers = [int(group) for group in found.groups()] if found else [24, 0, 24, 0]
    try:
        start, end = time(numbers[0], numbers[1]), time(numbers[2], numbers[3])
    except ValueError as error:
        raise InvalidSettings("Quiet hours are written like 22:00-07:30.") from error
    if start == end:
        raise InvalidSettings("Quiet hours cannot be the whole day.")
    return Quiet(start=start, end=end, zone=zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Messages a minute (0: no limit), `burst` of them at once after a rest, each delayed at random by up to `jitter`.

    The jitter is a part of the time between two messages, from 0 to 1.
    """

    per_minute: float = 30.0
    burst: int = 5
    jitter: float = 0.3
    quiet: Quiet | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.per_minute <= 100_000 or not 1 <= self.burst <= 10_000 or not 0 <= self.jitter <= 1:
            raise InvalidSettings("Give 0 to 100,000 messages a minute, a burst from 1, and a jitter from 0 to 1.")

    @property
    def gap(self) -> float:
        """Seconds between two messages, over many."""
        return MINUTE / self.per_minute if self.per_minute else 0.0

    def is_quiet(self, now: float) -> bool:
        """Whether nothing is sent now on purpose."""
        return self.quiet is not None and self.quiet.until(now) > now


class Throttle:
    """One account's pace.

    Args:
        cold_until: until when no first message goes to a stranger; kept by the caller over a restart.
    """

    def __init__(self, rate: Rate, cold_until: float = 0.0) -> None:
        self.rate, self.cold_until = rate, cold_until
        self._full_at = 0.0  # when the bucket would be full again
        self._not_before = 0.0

    def free_at(self, now: float) -> float:
        """When the next message may go."""
        room = self._full_at - (self.rate.burst - 1) * self.rate.gap
        at = max(now, room, self._not_before)
        return self.rate.quiet.until(at) if self.rate.quiet else at

    def take(self, now: float, chance: float) -> None:
        """A message goes now.

        Args:
            chance: from 0 to 1, chooses the jitter before the next one.
        """
        self._full_at = max(self._full_at, now) + self.rate.gap
        self._not_before = now + self.rate.gap * self.rate.jitter * chance

    def refuse_strangers(self, now: float) -> None:
        """WhatsApp refused a first message: no more of these for a day."""
        self.cold_until = now + COLD_PAUSE

# SPDX-License-Identifier: Apache-2.0
"""How fast we may ask WhatsApp for things: batches, gaps and backoff.

Arithmetic only; who waits is not decided here.
"""

from dataclasses import dataclass

from wigwag.domain.errors import InvalidSettings

BACKOFF_FIRST, BACKOFF_MOST = 120.0, 3600.0  # seconds (seed 001: 2, 4, 8, 16, 32, then always 60 minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Subscribe in batches (seed 001): `gap` seconds after each contact, `rest` seconds more after each batch."""

    batch: int = 20
    gap: float = 0.2
    rest: float = 5.0

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= 1000:
            raise InvalidSettings("The batch size must be between 1 and 1000 contacts.")
        if not 0.0 <= self.gap <= 60.0 or not 0.0 <= self.rest <= 3600.0:
            raise InvalidSettings("The delay between contacts must be 0 to 60 s, that between batches 0 to 3600 s.")

    @property
    def per_minute(self) -> float:
        """Contacts a minute, over many batches."""
        cycle = self.batch * self.gap + self.rest
        return 60.0 * self.batch / cycle if cycle else float("inf")


PRESETS = {
    "small": Pace(batch=30, rest=3.0),
    "medium": Pace(),
    "large": Pace(batch=15, rest=8.0),
    "careful": Pace(batch=10, rest=10.0),
}


def backoff(attempts: int) -> float:
    """Seconds to wait after the given number of failures in a row (1 or more)."""
    return min(BACKOFF_FIRST * 2.0 ** min(attempts - 1, 10), BACKOFF_MOST)

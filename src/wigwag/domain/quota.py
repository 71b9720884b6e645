# SPDX-License-Identifier: Apache-2.0
"""How much somebody may ask in a window of time: the generic cell rate algorithm, as arithmetic on instants.

One number is the whole state: when the quota will be full again. Who keeps that number, and of whom, is not known here.
"""

from dataclasses import dataclass

_EXACT_ENOUGH = 1e-6  # seconds: sums of floats are never exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is left after a question.

    Args:
        full_at: when the quota is full again (Unix seconds): the state to keep.
        remaining: how many more may come now.
        reset: seconds until the quota is full again.
        retry_after: seconds until one may come; 0: this one may.
    """

    quota: "Quota"
    full_at: float
    remaining: int
    reset: float
    retry_after: float

    @property
    def allowed(self) -> bool:
        return self.retry_after == 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """`limit` at once, and as many again in each window (seconds), spread evenly."""

    limit: int
    window: float = 60.0

    def take(self, full_at: float, now: float) -> Usage:
        """One more comes now. If it may not, nothing is taken. `full_at` is what the last answer said, 0 at first."""
        step = self.window / self.limit
        before, after = max(full_at, now), max(full_at, now) + step
        over = after - now - self.window
        if over > _EXACT_ENOUGH:
            return Usage(quota=self, full_at=before, remaining=0, reset=before - now, retry_after=over)
        remaining = int((self.window - (after - now)) / step + _EXACT_ENOUGH)
        return Usage(quota=self, full_at=after, remaining=remaining, reset=after - now, retry_after=0.0)

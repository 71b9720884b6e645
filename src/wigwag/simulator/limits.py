# SPDX-License-Identifier: Apache-2.0
"""How much an account may subscribe: so many stanzas a minute, so many contacts alive at once.

The real server publishes no such numbers and gives no answer to a subscribe; clients of earlier years report that
beyond a limit nothing arrives any more. So the default answer to too much is silence.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

_MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None: no limit. `on_excess`: say nothing, send a presence of type error, or end the stream with an error."""

    subscriptions_per_minute: int | None = 200
    subscriptions_alive: int | None = None
    on_excess: Literal["drop", "error", "stream_error"] = "drop"


@dataclass(slots=True)
class Gate:
    """Counts the subscribe stanzas of each account over the last minute; refused ones do not count."""

    limits: Limits = field(default_factory=Limits)
    _passed: dict[str, deque[float]] = field(default_factory=dict)

    def excess(self, account: str, alive: int, now: float) -> str | None:
        """Why one more subscription is too much; None, and it is counted, when it is not."""
        passed = self._passed.setdefault(account, deque())
        while passed and passed[0] <= now - _MINUTE:
            passed.popleft()
        per_minute, at_once = self.limits.subscriptions_per_minute, self.limits.subscriptions_alive
        if per_minute is not None and len(passed) >= per_minute:
            return f"over {per_minute} subscriptions per minute"
        if at_once is not None and alive >= at_once:
            return f"over {at_once} subscriptions alive"
        passed.append(now)
        return None

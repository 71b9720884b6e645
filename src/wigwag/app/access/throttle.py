# SPDX-License-Identifier: Apache-2.0
"""How often a caller may ask, and an address may fail. In the memory of this process, and bounded."""

from collections import OrderedDict

from wigwag.domain.quota import Quota, Usage

MOST = 10_000  # keys or addresses remembered


class Throttle:
    """What is used of quotas, by name. The name that was not heard of for longest is forgotten first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, name: str, quota: Quota, now: float) -> Usage:
        """One more comes under this name."""
        usage = quota.take(self._full_at.get(name, 0.0), now)
        self._full_at[name] = usage.full_at
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        return usage

    def wait(self, name: str, quota: Quota, now: float) -> float:
        """Seconds until one may come under this name; 0: now. Takes nothing."""
        return quota.take(self._full_at.get(name, 0.0), now).retry_after

# SPDX-License-Identifier: Apache-2.0
"""How much one client may take, and all of them together. Pure: time is a parameter.

Who is refused what is decided where it is asked; nothing is sent or closed from here.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

from wigwag.adapters.realtime.door import CROWD, FULL, Refusal
from wigwag.adapters.realtime.packets import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    payload: int = 65_536  # bytes of a websocket message or of a polling request
    outbox: int = 1 << 20  # characters and bytes that may wait for a slow reader
    messages: float = 20.0  # packets a second from one connection
    messages_burst: float = 60.0
    bytes: float = 65_536.0  # a second from one connection
    bytes_burst: float = 262_144.0
    strikes: int = 100  # packets above these rates that are answered before the connection is closed
    connections: int = 20_000
    per_address: int = 1_000  # connections; for IPv6 of a /64
    connect: float = 10.0  # seconds from the handshake to the first CONNECT
    shape: Shape = field(default_factory=Shape)


class Bucket:
    """Tokens that come back with time, which never goes back."""

    __slots__ = ("_at", "_tokens")

    def __init__(self, burst: float, now: float) -> None:
        self._tokens, self._at = burst, now

    def take(self, amount: float, *, rate: float, burst: float, now: float) -> bool:
        """Take so many, if there are as many."""
        self._tokens = min(burst, self._tokens + (now - self._at) * rate)
        self._at = now
        if amount > self._tokens:
            return False
        self._tokens -= amount
        return True

    def full_at(self, rate: float, burst: float) -> float:
        """When nothing will be missing any more."""
        return self._at + (burst - self._tokens) / rate


class Budgets:
    """A bucket for each user, over all sockets; leaving and coming back fills it no faster."""

    def __init__(self, *, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: dict[Hashable, Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, user: Hashable, amount: float, now: float) -> bool:
        """Take so many, if there are as many."""
        bucket = self._buckets.get(user) or self._buckets.setdefault(user, Bucket(self._burst, now))
        return bucket.take(amount, rate=self._rate, burst=self._burst, now=now)

    def forget(self, now: float) -> None:
        """Whose bucket is full again needs none."""
        full = [user for user, bucket in self._buckets.items() if bucket.full_at(self._rate, self._burst) <= now]
        for user in full:
            del self._buckets[user]


class Occupancy:
    """Who holds how many connections."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._held = limits, Counter[str]()
        self.total = 0

    def enter(self, address: str) -> Refusal | None:
        """Count one more; or return why not."""
        if self.total >= self._limits.connections:
            return FULL
        if self._held[neighbourhood(address)] >= self._limits.per_address:
            return CROWD
        self._held[neighbourhood(address)] += 1
        self.total += 1
        return None

    def leave(self, address: str) -> None:
        place = neighbourhood(address)
        self._held[place] -= 1
        self.total -= 1
        if not self._held[place]:
            del self._held[place]


def neighbourhood(address: str) -> str:
    """What one client can have for itself: an IPv4 address, or the first half of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address  # of a socket file, or of a proxy that gives names
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return parsed.packed[:8].hex()
    return str(parsed)

# SPDX-License-Identifier: Apache-2.0
"""The day rhythm of contacts: they sleep at night and by day come online every now and then, as fast as one likes.

Who comes when is chance from a seed. Nothing happens by itself: `due` says who changes by now.
"""

import heapq
import random
from dataclasses import dataclass, field

from wigwag.simulator.world import Person

_DAY, _HOUR = 24 * 3600.0, 3600.0
_ONLINE, _AWAY = 240.0, 1500.0
"""Mean seconds online and away, by day."""
_SHORTEST = 20.0
_MOST_TURNS = 1000


@dataclass(slots=True)
class Rhythm:
    """`speed`: simulated seconds per second. The simulated day begins with the real one (UTC) at `start`."""

    chance: random.Random
    speed: float = 60.0
    _anchor: float = 0.0
    _turns: list[tuple[float, int, Person]] = field(default_factory=list)
    _days: dict[Person, tuple[float, float]] = field(default_factory=dict)

    def start(self, people: list[Person], speed: float, now: float) -> None:
        """Let these people, and nobody else, live by the rhythm. Everybody's first turn comes within half an hour."""
        self.speed, self._anchor = speed, now
        self._days = {person: (self.chance.gauss(7, 1) % 24, self.chance.gauss(23, 1) % 24) for person in people}
        first = [now + self.chance.uniform(0, _AWAY) for _ in people]
        self._turns = [(at, number, person) for number, (at, person) in enumerate(zip(first, people, strict=True))]
        heapq.heapify(self._turns)

    def stop(self) -> None:
        self._turns, self._days = [], {}

    def due(self, now: float) -> list[tuple[Person, bool]]:
        """Who comes (True) or goes (False) by now, in order; if it is very many, the others the next time."""
        simulated = self._anchor + (now - self._anchor) * self.speed
        changes: dict[Person, bool] = {}
        for _ in range(_MOST_TURNS):
            if not self._turns or self._turns[0][0] > simulated:
                break
            at, number, person = heapq.heappop(self._turns)
            awake = self._is_awake(person, at)
            online = awake and not changes.get(person, person.online)
            changes[person] = online
            heapq.heappush(self._turns, (at + self._length(online=online, awake=awake), number, person))
        return [(person, online) for person, online in changes.items() if online != person.online]

    def _length(self, *, online: bool, awake: bool) -> float:
        mean = _ONLINE if online else _AWAY
        length = max(self.chance.expovariate(1 / mean), _SHORTEST)
        return length if awake else max(length, _HOUR / 2)

    def _is_awake(self, person: Person, at: float) -> bool:
        wakes, sleeps = self._days[person]
        hour = at % _DAY / _HOUR
        return wakes <= hour < sleeps if wakes < sleeps else hour >= wakes or hour < sleeps

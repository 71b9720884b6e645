# SPDX-License-Identifier: Apache-2.0
"""Any number of things go wrong in any order, and what users see is right all the same: see `roster_world`.

`bench/roster_model.py` lets it run for long, and over a real Redis.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.app.roster_world import FRIENDS, Client, World
from wigwag.adapters.memory.roster import MemoryRoster
from wigwag.domain.users import Audience, Choice, Privacy
from wigwag.testing import FakeClock

NODES = 3
users = st.sampled_from(list(FRIENDS))
audiences = st.sampled_from(Audience)


class RosterMachine(RuleBasedStateMachine):
    """What hypothesis may ask of a world."""

    async def open(self) -> World:
        clock = FakeClock()
        roster = MemoryRoster(clock)

        async def lose() -> None:
            roster.lose()

        return World(clock, roster, lose)

    async def shut(self) -> None:
        """Nothing stays in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = self.run(self.open())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        try:
            self.run(self.world.check_at_rest())
        finally:
            self.run(self.world.close())
            self.run(self.shut())
            self.loop.close()

    @initialize()
    def begin(self) -> None:
        self.run(self.world.open())
        for number in range(NODES):
            self.run(self.world.start(number))

    # --- picking

    def _places(self, *, well: bool | None = None, going: bool | None = None) -> list[int]:
        return [
            number
            for number, place in self.world.places.items()
            if (well is None or place.well is well) and (going is None or place.line.going.is_set() is going)
        ]

    def _clients(self) -> list[Client]:
        places = self.world.places.values()
        found = [client for place in places if place.line.going.is_set() for client in place.clients]
        return sorted(found, key=lambda client: int(client.device[1:]))

    # --- users

    @precondition(lambda self: self._places(going=True))
    @rule(user=users, data=st.data())
    def enter(self, user: int, data: st.DataObject) -> None:
        self.run(self.world.enter(user, data.draw(st.sampled_from(self._places(going=True)))))

    @precondition(lambda self: any(place.clients for place in self.world.places.values()))
    @rule(goodbye=st.booleans(), data=st.data())
    def leave(self, goodbye: bool, data: st.DataObject) -> None:
        everybody = [client for place in self.world.places.values() for client in place.clients]
        everybody.sort(key=lambda client: int(client.device[1:]))
        client = data.draw(st.sampled_from(everybody))
        self.run(self.world.leave(client, goodbye=goodbye and client.node.line.going.is_set()))

    @precondition(lambda self: self._clients())
    @rule(choice=st.sampled_from(Choice), data=st.data())
    def choose(self, choice: Choice, data: st.DataObject) -> None:
        self.run(self.world.choose(data.draw(st.sampled_from(self._clients())), choice))

    @precondition(lambda self: self.world.places and not self._places(well=False) and not self.world.store.away)
    @rule(user=users, status=audiences, last_seen=audiences, data=st.data())
    def hide(self, user: int, status: Audience, last_seen: Audience, data: st.DataObject) -> None:
        privacy = Privacy(status=status, last_seen=last_seen)
        self.run(self.world.hide(user, privacy, data.draw(st.sampled_from(self._places()))))

    # --- nodes

    @precondition(lambda self: self.world.places)
    @rule(returning=st.none() | st.sampled_from([0.0, 3.0, 7.5]), data=st.data())
    def kill(self, returning: float | None, data: st.DataObject) -> None:
        """A node dies; its users may come back elsewhere within their grace."""
        number = data.draw(st.sampled_from(self._places()))
        gone = list(self.world.places[number].clients)
        self.run(self.world.kill(number))
        others = self._places(well=True)
        if returning is not None and others and not self.world.store.away:
            self.run(self.world.wait(returning))
            for client in gone:
                self.run(self.world.enter(client.user, data.draw(st.sampled_from(others))))

    @precondition(lambda self: self._places(well=True))
    @rule(data=st.data())
    def terminate(self, data: st.DataObject) -> None:
        self.run(self.world.terminate(data.draw(st.sampled_from(self._places(well=True)))))

    @precondition(lambda self: len(self.world.places) < NODES)
    @rule()
    def start(self) -> None:
        self.run(self.world.start(min(set(range(NODES)) - self.world.places.keys())))

    @precondition(lambda self: self._places(going=True))
    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        self.run(self.world.stop(data.draw(st.sampled_from(self._places(going=True)))))

    @precondition(lambda self: self._places(going=False))
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        self.run(self.world.go_on(data.draw(st.sampled_from(self._places(going=False)))))

    @precondition(lambda self: self._places())
    @rule(cut=st.booleans(), data=st.data())
    def cut(self, cut: bool, data: st.DataObject) -> None:
        self.run(self.world.cut(data.draw(st.sampled_from(self._places())), cut))

    @rule()
    def lose(self) -> None:
        self.run(self.world.lose())

    @rule(away=st.booleans())
    def store(self, away: bool) -> None:
        self.world.store.away = away

    @rule(seconds=st.sampled_from([0.1, 1.0, 2.5, 5.0, 7.0, 9.0, 30.0]))
    def wait(self, seconds: float) -> None:
        self.run(self.world.wait(seconds))

    @rule()
    def rest(self) -> None:
        self.run(self.world.check_at_rest())


TestRoster = RosterMachine.TestCase
TestRoster.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)

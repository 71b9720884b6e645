# SPDX-License-Identifier: Apache-2.0
"""Nodes, users, kills, stops, cuts and losses in any order, against a plain model: many runs, in virtual time.

    bench/roster_model.py [--runs 5000] [--redis-runs 200]

Hypothesis chooses what happens (tests/app/test_roster_model.py) and shrinks what goes wrong. The second part asks the
scripts of a real Redis instead of the roster in memory. Exits with an error if anything was not as it must be.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import servers
from tests.app.roster_world import World
from tests.app.test_roster_model import RosterMachine
from wigwag.adapters.redis import RedisRoster
from wigwag.domain.roster import Change
from wigwag.testing import FakeClock

STEPS = 25
done: Counter[str] = Counter()


class Counted(RosterMachine):
    """A machine that counts what it did."""

    def teardown(self) -> None:
        super().teardown()
        done["runs"] += 1
        done["told"] += self.world.told


class Watched(RedisRoster):
    """A roster that knows how many of its calls are on their way, and how far whoever waits for news has heard."""

    def __init__(self, url: str, prefix: str, now: Callable[[], float]) -> None:
        super().__init__(url, prefix, now=now, patience=30.0)
        self.asking, self.waiting = 0, Counter[int]()

    async def changes(self, after: int) -> list[Change]:
        self.waiting[after] += 1
        try:
            return await super().changes(after)
        finally:
            self.waiting[after] -= 1

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return self._counted(found) if name in ("join", "renew", "swap", "snapshot", "put_back") else found

    def _counted(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def counted(*arguments: Any) -> Any:
            self.asking += 1
            try:
                return await call(*arguments)
            finally:
                self.asking -= 1

        return counted

    async def quiet(self) -> bool:
        """Whether nothing is on its way."""
        told = await self._client.xrevrange(self._relay, count=1)
        last = int(told[0][0].partition(b"-")[0]) if told else 0
        return not self.asking and all(after >= last for after, who in self.waiting.items() if who)

    async def forget(self) -> None:
        await self._client.flushall()


class PatientClock(FakeClock):
    """Virtual time that goes on only when a real Redis has said all it has to say."""

    roster: Watched

    async def settle(self) -> None:
        await super().settle()
        while not await self.roster.quiet():
            await asyncio.sleep(0.0005)
            await super().settle()
        await super().settle()


class OnRedis(Counted):
    """The same over a real Redis. It takes a moment to come back: leases are numbered by its clock's milliseconds."""

    url = ""

    async def open(self) -> World:
        clock = PatientClock()
        self.roster = clock.roster = Watched(self.url, uuid4().hex, clock.now)

        async def lose() -> None:
            await clock.advance(0.01)
            await self.roster.forget()

        return World(clock, self.roster, lose)

    async def shut(self) -> None:
        await self.roster.forget()
        await self.roster.close()


def run(machine: type[RosterMachine], runs: int) -> None:
    """Let hypothesis do its worst."""
    began = time.monotonic()
    done.clear()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    seconds = time.monotonic() - began
    print(
        f"{machine.__name__}: {done['runs']} runs of up to {STEPS} steps, {done['told']} things told, {seconds:.0f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--redis-runs", type=int, default=200)
    wanted = parser.parse_args()
    if wanted.runs:
        run(Counted, wanted.runs)
    if wanted.redis_runs:
        with servers.private(servers.REDIS) as redis:
            OnRedis.url = redis.url
            run(OnRedis, wanted.redis_runs)


if __name__ == "__main__":
    main()

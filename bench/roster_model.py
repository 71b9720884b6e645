# SPDX-License-Identifier: Apache-2.0
"""Nodes, users, kills, stops, cuts and losses in any order, against a plain model: many runs, in virtual time.

    bench/roster_model.py [--runs 5000] [--redis-runs 200]

Hypothesis chooses what happens (tests/app/test_roster_model.py) and shrinks what goes wrong. The second part asks the
scripts of a real Redis instead of the roster in memory. Exits with an error if anything was not as it must be.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import servers
from tests.app.roster_world import World
from tests.app.test_roster_model import RosterMachine
from wigwag.adapters.redis import RedisRoster
from wigwag.testing import FakeClock

STEPS = 25
done: Counter[str] = Counter()


class Counted(RosterMachine):
    """A machine that counts what it did."""

    def teardown(self) -> None:
        super().teardown()
        done["runs"] += 1
        done["told"] += self.world.told


class OnRedis(Counted):
    """The same over a real Redis: each node has connections of its own."""

    url = ""

    async def open(self) -> World:
        clock, self.prefix = FakeClock(), uuid4().hex
        self.roster = RedisRoster(self.url, self.prefix, now=clock.now, listen=0.01)
        return World(clock, self.roster, self.lose)

    async def lose(self) -> None:
        await self.roster.forget()

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

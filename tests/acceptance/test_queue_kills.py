# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at every point of an envelope's way: nothing lost, nothing doubled, and what is in doubt is visible.

The short form; `bench/kills.py --door queue` and `--door nameless` are the long ones.
"""

import random
from pathlib import Path

import pytest

from tests.acceptance.doors import QueueDoor
from tests.acceptance.kills import kill_at, kill_somewhen, world
from tests.acceptance.mortal import QUEUE_POINTS
from tests.servers import Instance

pytestmark = [pytest.mark.slow, pytest.mark.chaos]


AT_THE_BROKER = ("before accept", "after accept", "before broker ack", "after broker ack")  # where an id matters


@pytest.mark.parametrize(
    ("named", "points"),
    [(True, AT_THE_BROKER), (False, QUEUE_POINTS)],
    ids=["with message_id", "without any id"],
)
def test_a_kill_at_each_point_loses_and_doubles_no_envelope(
    tmp_path: Path, breakable_rabbitmq: Instance, named: bool, points: tuple[str, ...]
) -> None:
    chance = random.Random(13)
    with world(tmp_path, QueueDoor(breakable_rabbitmq.url, named=named)) as here:
        for point in points:
            assert kill_at(here, point, chance), point
        with here.gateway() as gateway:
            here.write(gateway, 0)
            verdict = here.settle(gateway)
    assert verdict.faults == [], verdict
    assert sum(verdict.states.values()) == len(here.notes.asked)


@pytest.mark.parametrize("named", [True, False], ids=["with message_id", "without any id"])
def test_kills_while_envelopes_wait_lose_and_double_nothing(
    tmp_path: Path, breakable_rabbitmq: Instance, named: bool
) -> None:
    chance = random.Random(17)
    with world(tmp_path, QueueDoor(breakable_rabbitmq.url, named=named, prefetch=50)) as here:
        for _ in range(2):
            kill_somewhen(here, chance.uniform(0.1, 1.0), messages=100)
        with here.gateway() as gateway:
            here.write(gateway, 0)
            verdict = here.settle(gateway)
    assert verdict.faults == [], verdict
    assert verdict.arrived > 0

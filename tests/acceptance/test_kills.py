# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at every point of a message's way: nothing lost, nothing doubled, and what is in doubt is visible.

The short form; `bench/kills.py` is the long one.
"""

import random
from pathlib import Path

import pytest

from tests.acceptance.kills import kill_at, kill_somewhen, world
from tests.acceptance.mortal import POINTS

pytestmark = [pytest.mark.slow, pytest.mark.chaos]


def test_a_kill_at_each_point_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(7)
    with world(tmp_path) as here:
        for point in POINTS:
            assert kill_at(here, point, chance), point
        with here.gateway() as gateway:
            here.write(gateway, 0)
            verdict = here.settle(gateway)
    assert verdict.faults == [], verdict


def test_kills_under_load_lose_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(11)
    with world(tmp_path) as here:
        for _ in range(3):
            kill_somewhen(here, chance.uniform(0.1, 1.0))
        with here.gateway() as gateway:
            here.write(gateway, 0)
            verdict = here.settle(gateway)
    assert verdict.faults == [], verdict
    assert verdict.arrived > 0

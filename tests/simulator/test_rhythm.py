# SPDX-License-Identifier: Apache-2.0
"""Contacts live by day and night, the same way for the same seed."""

import random

import pytest

from wigwag.simulator.rhythm import Rhythm
from wigwag.simulator.world import Person, World

MIDNIGHT, HOUR = 1_790_035_200.0, 3600.0


def crowd(size: int = 50) -> list[Person]:
    world = World()
    return [world.put(f"1777{number:07}") for number in range(size)]


def live(people: list[Person], *, seed: int, speed: float = 1.0, hours: float = 24) -> list[tuple[float, str, bool]]:
    """Let them live; returns when (in hours of the day) who came or went."""
    rhythm = Rhythm(random.Random(seed))
    rhythm.start(people, speed, MIDNIGHT)
    events = []
    for step in range(int(hours * 60)):
        now = MIDNIGHT + step * 60 / speed
        for person, online in rhythm.due(now):
            person.online = online
            events.append((step / 60, person.phone, online))
    return events


def test_the_same_seed_gives_the_same_day() -> None:
    assert live(crowd(), seed=1) == live(crowd(), seed=1)
    assert live(crowd(), seed=1) != live(crowd(), seed=2)


def test_everybody_comes_and_goes_in_turn() -> None:
    events = live(crowd(), seed=1)
    for phone in {phone for _, phone, _ in events}:
        states = [online for _, who, online in events if who == phone]
        assert states == [number % 2 == 0 for number in range(len(states))]
    assert len({phone for _, phone, _ in events}) == 50


def test_the_night_is_quieter_than_the_day() -> None:
    events = live(crowd(), seed=1)
    night = sum(1 for hour, _, online in events if online and 2 <= hour < 5)
    day = sum(1 for hour, _, online in events if online and 12 <= hour < 15)
    assert day > 10 * max(night, 1)


@pytest.mark.parametrize("speed", [60.0, 3600.0])
def test_a_faster_day_is_the_same_day(speed: float) -> None:
    assert live(crowd(), seed=1, speed=speed) == live(crowd(), seed=1)


def test_a_stopped_rhythm_changes_nobody() -> None:
    people, rhythm = crowd(), Rhythm(random.Random(1))
    rhythm.start(people, 1.0, MIDNIGHT)
    rhythm.stop()
    assert rhythm.due(MIDNIGHT + 24 * HOUR) == []

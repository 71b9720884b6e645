# SPDX-License-Identifier: Apache-2.0
"""Real time: it goes forward with the monotonic clock, jumps with the wall clock, and never back."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.adapters.clock import AHEAD, SystemClock

NOON = 1_763_640_000.0
SAFETY = 30.0


@dataclass
class Machine:
    """A machine's two clocks."""

    wall: float = NOON
    ticks: float = 1000.0

    def pass_time(self, seconds: float, *, suspended: bool = False, set_by: float = 0.0) -> None:
        self.wall += seconds + set_by
        self.ticks += 0.0 if suspended else seconds


def clock_of(machine: Machine) -> SystemClock:
    return SystemClock(wall=lambda: machine.wall, monotonic=lambda: machine.ticks)


@pytest.mark.parametrize(
    ("seconds", "suspended", "set_by", "expected"),
    [
        (10.0, False, 0.0, 10.0),
        (3600.0, True, 0.0, 3600.0),
        (10.0, False, 5.0, 15.0),
        (10.0, False, 0.9, 10.0),
        (10.0, False, -3600.0, 10.0),
    ],
    ids=["passes", "slept", "set forward", "a little forward", "set back"],
)
def test_after_a_while(seconds: float, suspended: bool, set_by: float, expected: float) -> None:
    machine = Machine()
    clock = clock_of(machine)
    assert clock.now() == NOON
    machine.pass_time(seconds, suspended=suspended, set_by=set_by)
    assert clock.now() == pytest.approx(NOON + expected)


def test_a_clock_set_back_is_followed_again_once_it_has_caught_up() -> None:
    machine = Machine()
    clock = clock_of(machine)
    machine.pass_time(0.0, set_by=-60.0)
    machine.pass_time(30.0)
    assert clock.now() == NOON + 30.0
    machine.pass_time(30.0, set_by=120.0)
    assert clock.now() == machine.wall


@given(
    steps=st.lists(
        st.tuples(st.floats(0.0, 1e5), st.booleans(), st.floats(-1e6, 1e6)),
        max_size=30,
    )
)
def test_whatever_happens_it_never_goes_back_and_is_never_far_behind_the_wall(
    steps: list[tuple[float, bool, float]],
) -> None:
    machine = Machine()
    clock = clock_of(machine)
    before = clock.now()
    for seconds, suspended, set_by in steps:
        machine.pass_time(seconds, suspended=suspended, set_by=set_by)
        now = clock.now()
        assert now >= before
        assert now >= machine.wall - AHEAD - 1e-6
        before = now


async def test_waiting_ends_with_the_event() -> None:
    clock, event = clock_of(Machine()), asyncio.Event()
    async with asyncio.timeout(SAFETY), asyncio.TaskGroup() as tasks:
        tasks.create_task(clock.wait(event, None))
        tasks.create_task(clock.wait(event, NOON + 1e6))
        await asyncio.sleep(0)
        event.set()


async def test_waiting_ends_with_the_instant_and_not_before() -> None:
    clock, event = SystemClock(), asyncio.Event()
    async with asyncio.timeout(SAFETY):
        for delay in (-1.0, 0.0, 0.02):
            until = clock.now() + delay
            await clock.wait(event, until)
            assert clock.now() >= until
            assert not event.is_set()

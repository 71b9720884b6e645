# SPDX-License-Identifier: Apache-2.0
"""Group commit: who is written with whom, and what becomes of the others when one fails or goes away."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import DataError, OperationalError

from wigwag.adapters.storage.groups import Groups
from wigwag.domain.errors import StoreUnavailable

SAFETY = 30.0


class Disk:
    """Writes numbers when it is let to; refuses what is negative, and everything while it is away."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.free, self.begun = asyncio.Event(), asyncio.Event()
        self.away = False

    async def write(self, group: Sequence[int]) -> list[int]:
        self.groups.append(list(group))
        self.begun.set()
        await self.free.wait()
        if self.away:
            raise StoreUnavailable("away") from OperationalError("", {}, Exception("locked"))
        if min(group) < 0:
            raise StoreUnavailable("negative") from DataError("", {}, Exception("negative"))
        return [10 * number for number in group]


async def held(disk: Disk, groups: Groups[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    """Submit numbers of which the first is being written, and the others wait."""
    first = asyncio.create_task(groups.submit(numbers[0]), name="first")
    async with asyncio.timeout(SAFETY):
        await disk.begun.wait()
    rest = [asyncio.create_task(groups.submit(number), name=f"submit {number}") for number in numbers[1:]]
    await asyncio.sleep(0)
    return [first, *rest]


async def test_what_arrives_during_a_write_is_written_together_and_in_order() -> None:
    disk = Disk()
    groups = Groups(disk.write, SAFETY)
    tasks = await held(disk, groups, 1, 2, 3, 4)
    disk.free.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30, 40]
    assert disk.groups == [[1], [2, 3, 4]]


async def test_after_a_crowd_the_next_waits_a_moment_for_others() -> None:
    disk = Disk()
    groups = Groups(disk.write, SAFETY)
    disk.free.set()
    assert await groups.submit(1) == 10
    await asyncio.gather(groups.submit(2), groups.submit(3))
    first = asyncio.create_task(groups.submit(4), name="first")
    for _ in range(10):  # it has begun to wait
        await asyncio.sleep(0)
    assert [*await asyncio.gather(first, groups.submit(5))] == [40, 50]
    assert disk.groups == [[1], [2, 3], [4, 5]]
    await groups.submit(6)
    await groups.submit(7)
    assert disk.groups[3:] == [[6], [7]]


async def test_only_the_one_at_fault_fails() -> None:
    disk = Disk()
    groups = Groups(disk.write, SAFETY)
    tasks = await held(disk, groups, 1, 2, -3, 4)
    disk.free.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [answer for answer in answers if isinstance(answer, int)] == [10, 20, 40]
    assert isinstance(answers[2], StoreUnavailable)
    assert disk.groups == [[1], [2, -3, 4], [2], [-3], [4]]


async def test_an_outage_fails_everybody_at_once_and_the_next_call_works() -> None:
    disk = Disk()
    groups = Groups(disk.write, SAFETY)
    tasks = await held(disk, groups, 1, 2, 3)
    disk.away = True
    disk.free.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
    assert len({id(answer) for answer in answers}) == 3  # each its own, or tracebacks would grow into each other
    disk.away = False
    assert await groups.submit(5) == 50
    assert disk.groups == [[1], [2, 3], [5]]


async def test_who_is_cancelled_while_waiting_is_not_written_and_harms_nobody() -> None:
    disk = Disk()
    groups = Groups(disk.write, SAFETY)
    tasks = await held(disk, groups, 1, 2, 3)
    tasks[0].cancel()
    tasks[1].cancel()
    disk.free.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError, asyncio.CancelledError, int]
    assert disk.groups == [[1], [3]]


async def test_who_waits_too_long_is_told_so_and_not_written_later() -> None:
    disk = Disk()
    groups = Groups(disk.write, 0.01)
    tasks = await held(disk, groups, 1, 2)
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 2
    disk.free.set()
    await groups.finish()
    assert disk.groups == [[1]]


async def test_finish_waits_for_what_is_under_way() -> None:
    disk = Disk()
    groups = Groups(disk.write, SAFETY)
    await groups.finish()
    tasks = await held(disk, groups, 1, 2)
    disk.free.set()
    await groups.finish()
    assert disk.groups == [[1], [2]]
    assert await asyncio.gather(*tasks) == [10, 20]


@pytest.mark.parametrize("many", [450])
async def test_a_crowd_is_written_in_several_groups(many: int) -> None:
    disk = Disk()
    disk.free.set()
    groups = Groups(disk.write, SAFETY)
    assert await asyncio.gather(*(groups.submit(number) for number in range(many))) == [10 * n for n in range(many)]
    assert [len(group) for group in disk.groups] == [200, 200, 50]

# SPDX-License-Identifier: Apache-2.0
"""Many questions become few, and each is answered as if it had been asked alone."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from wigwag.adapters.storage.gathering import Gathered
from wigwag.domain.errors import StoreUnavailable


class Oracle:
    """Knows the square of every number below ten, when it is let."""

    def __init__(self) -> None:
        self.asked: list[Collection[int]] = []
        self.may_answer = asyncio.Event()
        self.fails = False

    async def __call__(self, keys: Collection[int]) -> Mapping[int, int]:
        self.asked.append(keys)
        await self.may_answer.wait()
        if self.fails:
            raise StoreUnavailable
        return {key: key * key for key in keys if key < 10}


def begin(gathered: Gathered[int, int], *keys: int) -> "asyncio.Task[dict[int, int]]":
    return asyncio.create_task(gathered(keys))


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_what_comes_while_one_is_under_way_is_asked_together() -> None:
    oracle = Oracle()
    gathered = Gathered(oracle)
    first = begin(gathered, 1)
    await turn()
    others = [begin(gathered, 2, 3), begin(gathered, 3, 4, 11), begin(gathered)]
    await turn()
    oracle.may_answer.set()
    assert await asyncio.gather(first, *others) == [{1: 1}, {2: 4, 3: 9}, {3: 9, 4: 16}, {}]
    assert oracle.asked == [{1}, {2, 3, 4, 11}]


async def test_a_question_never_joins_one_that_has_begun() -> None:
    oracle = Oracle()
    gathered = Gathered(oracle)
    first = begin(gathered, 1)
    await turn()
    again = begin(gathered, 1)
    oracle.may_answer.set()
    assert await first == await again == {1: 1}
    assert oracle.asked == [{1}, {1}]


async def test_everybody_hears_of_a_failure_and_the_next_question_is_asked_anew() -> None:
    oracle = Oracle()
    gathered = Gathered(oracle)
    oracle.fails = True
    oracle.may_answer.set()
    for failed in await asyncio.gather(gathered([1]), gathered([2]), return_exceptions=True):
        assert isinstance(failed, StoreUnavailable)
    oracle.fails = False
    assert await gathered([3]) == {3: 9}


async def test_who_is_cancelled_keeps_nobody_from_the_answer() -> None:
    oracle = Oracle()
    gathered = Gathered(oracle)
    leaves, stays = begin(gathered, 1), begin(gathered, 2)
    await turn()
    leaves.cancel()
    await turn()
    oracle.may_answer.set()
    assert await stays == {2: 4}
    with pytest.raises(asyncio.CancelledError):
        await leaves

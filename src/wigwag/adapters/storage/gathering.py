# SPDX-License-Identifier: Apache-2.0
"""Questions that come while one is under way are asked together afterwards, in one.

So thousands of users who come back at once ask the database a few times. What is asked is not known here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Found = TypeVar("Found")

_Waiting = tuple[Collection[Key], asyncio.Future[Mapping[Key, Found]]]


class Gathered(Generic[Key, Found]):
    """A question about keys. It sees all that was written before it came, since it never joins one that has begun.

    Args:
        ask: answers for many keys, and may leave some out. What it raises, everybody gets who asked.
    """

    def __init__(self, ask: Callable[[Collection[Key]], Awaitable[Mapping[Key, Found]]]) -> None:
        self._ask = ask
        self._waiting: list[_Waiting[Key, Found]] = []
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, keys: Collection[Key]) -> dict[Key, Found]:
        """Return what was found of these keys."""
        answer: asyncio.Future[Mapping[Key, Found]] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._work(), name="gathered questions")
        found = await answer
        return {key: found[key] for key in keys if key in found}

    async def _work(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                await self._answer(waiting)
        finally:
            self._asking = None

    async def _answer(self, waiting: Collection[_Waiting[Key, Found]]) -> None:
        answers = [answer for _, answer in waiting]
        try:
            found = await self._ask({key for keys, _ in waiting for key in keys})
        except Exception as error:  # noqa: BLE001  whatever it was, it is theirs who asked
            for answer in answers:
                if not answer.done():
                    answer.set_exception(error)
        else:
            for answer in answers:
                if not answer.done():
                    answer.set_result(found)
        finally:
            for answer in answers:
                answer.cancel()  # we were: nobody may wait for ever

# SPDX-License-Identifier: Apache-2.0
"""Group commit: requests that arrive while a transaction is under way are written together in the next one.

A commit costs the disk the same for one request as for a hundred. So under load a group waits a moment for more; a
request that comes alone never waits. What a request means is not known here.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import OperationalError

from wigwag.domain.errors import StoreUnavailable

Request = TypeVar("Request")
Answer = TypeVar("Answer")
AT_ONCE = 200  # requests in one transaction, so that nobody waits long for the others
GATHER = 0.020  # seconds in which more requests are gathered, if the group before had more than one


class Groups(Generic[Request, Answer]):
    """Hands requests to `write` in groups, in the order of arrival, one group at a time.

    Args:
        write: writes a group, all of it or nothing, and returns an answer for each request.
        patience: seconds after which a caller gives up.
    """

    def __init__(self, write: Callable[[Sequence[Request]], Awaitable[Sequence[Answer]]], patience: float) -> None:
        self._write, self._patience = write, patience
        self._waiting: deque[tuple[Request, asyncio.Future[Answer]]] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._crowded = False  # the last group had more than one request

    async def submit(self, request: Request) -> Answer:
        """Write a request with others. Whoever gives up before its turn has written nothing."""
        mine: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, mine))
        if self._writer is None:
            self._writer = asyncio.create_task(self._run(), name="group commit")
        try:
            async with asyncio.timeout(self._patience):
                return await mine
        except TimeoutError as error:
            raise StoreUnavailable("The database takes too long. It is tried again; check that it runs.") from error

    async def finish(self) -> None:
        """Return when nothing is under way."""
        if self._writer:
            await asyncio.wait([self._writer])

    async def _run(self) -> None:
        try:
            while self._waiting:
                if self._crowded and len(self._waiting) < AT_ONCE:
                    await asyncio.sleep(GATHER)
                group = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                self._crowded = len(group) > 1
                await self._serve([(request, mine) for request, mine in group if not mine.done()])
        finally:
            self._writer = None

    async def _serve(self, group: Sequence[tuple[Request, asyncio.Future[Answer]]]) -> None:
        """Write a group. If one of its requests is at fault, each is tried alone, so that only that one fails."""
        try:
            answers = await self._write([request for request, _mine in group]) if group else []
        except Exception as error:  # noqa: BLE001 - it is the callers' to handle
            if len(group) > 1 and not _outage(error):
                for one in group:
                    await self._serve([one])
                return
            for _request, mine in group:
                if not mine.done():
                    mine.set_exception(_copy(error))
            return
        for (_request, mine), answer in zip(group, answers, strict=True):
            if not mine.done():
                mine.set_result(answer)


def _outage(error: Exception) -> bool:
    """Whether the database is at fault, so that trying again at once is in vain."""
    cause = error.__cause__
    return isinstance(cause, OSError | OperationalError) or getattr(cause, "connection_invalidated", False)


def _copy(error: Exception) -> Exception:
    """Each caller raises an error of its own."""
    copy = type(error)(*error.args)
    copy.__cause__ = error.__cause__ or error
    return copy

# SPDX-License-Identifier: Apache-2.0
"""Whole transactions on SQLite, each in one trip to a thread.

A driver that awaits makes several trips for every statement, and each costs more than the statement itself. What is
done with every message goes this way.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")
THREADS = 4  # one writes, the others read or wait for a lock that somebody else has


class Trips:
    """Threads, and connections for them.

    Args:
        engine: of a driver that does not await.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(THREADS, "storage")

    async def make(self, work: Callable[[Connection], T]) -> T:
        """Do it in a transaction: all of it or nothing. Whoever gives up before the commit has written nothing."""
        given_up = Event()

        def trip() -> T:
            with self._engine.begin() as connection:
                answer = work(connection)
                if given_up.is_set():
                    connection.rollback()
                return answer

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, trip)
        except asyncio.CancelledError:
            given_up.set()
            raise

    def close(self) -> None:
        """Let the threads and connections go."""
        self._threads.shutdown(wait=False)
        self._engine.dispose()

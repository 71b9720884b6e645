# SPDX-License-Identifier: Apache-2.0
"""Keeps calls into neonize apart from changes to its list of clients.

neonize keeps all clients in one Go map without a lock. Reading it while it is written ends the whole process, so calls
(which read) share the gate, and making or ending a client (which writes) has it alone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Many may share it, or one may have it alone. Those who want it alone are not starved."""

    def __init__(self) -> None:
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._door = asyncio.Lock()

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        async with self._door:
            self._inside += 1
            self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with self._door:
            await self._empty.wait()
            yield

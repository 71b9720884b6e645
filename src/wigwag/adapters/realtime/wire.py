# SPDX-License-Identifier: Apache-2.0
"""Writing to a websocket without a task for each write, and ending the task that reads from it.

The first step of each send is taken by hand: a server that can write at once does so in that step. Only a send that
must wait, because the reader is slow, gets a task.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from types import coroutine
from typing import Any

from starlette.types import Message, Receive, Send

from wigwag.adapters.realtime.engine import Frame

_GONE = (OSError, RuntimeError)  # what servers raise when the other side has left; reading tells that too
LONGEST_REASON = 123  # bytes in a close frame (RFC 6455, section 5.5)


class Wire:
    """A websocket.

    Args:
        rested: told when a slow reader has taken what was on its way.
    """

    __slots__ = ("_listener", "_receive", "_rested", "_send", "_writer", "closed")

    def __init__(self, receive: Receive, send: Send, rested: Callable[[], None]) -> None:
        self._receive, self._send, self._rested = receive, send, rested
        self._writer: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[Any] | None = None  # whoever waits for the next message
        self.closed = False

    def write(self, frame: Frame) -> bool:
        """Send, and return without waiting. False: an earlier frame is still on its way, so this one was not taken."""
        if self._writer is not None:
            return False
        kind = "text" if isinstance(frame, str) else "bytes"
        self._start({"type": "websocket.send", kind: frame})
        return True

    def close(self, reason: str) -> None:
        """Close it, also for whoever reads. Nothing more is written, and a slow reader is not awaited."""
        if self.closed:
            return
        self.closed = True
        if self._writer is None:
            self._start({"type": "websocket.close", "code": 1000, "reason": reason[:LONGEST_REASON]})
        if self._writer is not None:
            self._writer.cancel()
        if self._listener is not None:
            self._listener.cancel()

    async def read(self) -> Frame | None:
        """Return the next frame; None when there will be none."""
        if self.closed:
            return None
        self._listener = task = asyncio.current_task()
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if not self.closed or (task is not None and task.uncancel()):  # somebody else wants the end
                raise
            return None
        finally:
            self._listener = None
        if message["type"] != "websocket.receive":
            return None
        text: str | None = message.get("text")
        return message["bytes"] if text is None else text

    def _start(self, message: Message) -> None:
        sending: Coroutine[Any, Any, None] = self._send(message)  # type: ignore[assignment]
        try:
            waited = sending.send(None)
        except StopIteration:
            return
        except _GONE:
            return
        self._writer = asyncio.create_task(self._finish(sending, waited), name="slow reader")

    async def _finish(self, sending: Coroutine[Any, Any, None], waited: object) -> None:
        try:
            with suppress(*_GONE):
                await _resume(sending, waited)
        finally:
            self._writer = None
        if not self.closed:
            self._rested()


@coroutine
def _resume(begun: Coroutine[Any, Any, None], waited: object) -> Generator[Any, Any, None]:
    """Go on with a coroutine that waits for `waited` already."""
    try:
        while True:
            yield waited
            waited = begun.send(None)
    except StopIteration:
        return
    finally:
        begun.close()

# SPDX-License-Identifier: Apache-2.0
"""The threads in which neonize's calls block. They are daemons, because some of them never come back.

A client that was stopped before anybody paired it keeps its thread for ever: neonize waits for a QR channel that
whatsmeow no longer closes. Waiting for such a thread would hang the end of the process.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Any


class DaemonThreads(ThreadPoolExecutor):
    """As many daemon threads as there are calls at once. A ThreadPoolExecutor only because asyncio wants one."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = Semaphore(0)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()

        def work() -> None:
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  whoever waits for the future gets it
                future.set_exception(error)
            else:
                future.set_result(result)

        if future.set_running_or_notify_cancel():
            self._calls.put(work)
            if not self._idle.acquire(blocking=False):
                Thread(target=self._serve, name="whatsapp", daemon=True).start()
        return future

    def _serve(self) -> None:
        while True:
            self._calls.get()()
            self._idle.release()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing to wait for."""

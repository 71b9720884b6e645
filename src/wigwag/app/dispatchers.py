# SPDX-License-Identifier: Apache-2.0
"""The dispatchers of all accounts: made when an account is first heard of, and told when its link turns."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

from wigwag.app.dispatcher import Dispatcher
from wigwag.domain.delivery import Job
from wigwag.domain.events import AccountChanged


class Dispatchers:
    """One dispatcher an account.

    Args:
        new: makes the dispatcher of an account.
    """

    def __init__(self, new: Callable[[str], Dispatcher]) -> None:
        self._new = new
        self._dispatchers: dict[str, Dispatcher] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def __iter__(self) -> Iterator[Dispatcher]:
        return iter(list(self._dispatchers.values()))

    async def restore(self, accounts: Iterable[str]) -> None:
        """Make them, and find out what became of what was under way when we died."""
        for account in accounts:
            await self.of(account).recover()

    async def run(self) -> None:
        """Run every dispatcher, also those that come later, for ever."""
        async with asyncio.TaskGroup() as self._tasks:
            for account in self._dispatchers:
                self._start(account)
            await asyncio.Event().wait()

    async def finish(self) -> None:
        """Take nothing more, and let what is under way come to its end."""
        await asyncio.gather(*(dispatcher.finish() for dispatcher in self._dispatchers.values()))

    def of(self, account: str) -> Dispatcher:
        """The account's dispatcher, made if there is none."""
        if account not in self._dispatchers:
            self._dispatchers[account] = self._new(account)
            self._start(account)
        return self._dispatchers[account]

    def restricted_until(self, account: str) -> float | None:
        """Until when an account sends no first message to a stranger. None if it does."""
        dispatcher = self._dispatchers.get(account)
        return None if dispatcher is None else dispatcher.restricted_until

    def wake(self, job: Job) -> None:
        """There is something new to send."""
        self.of(job.account).wake(job)

    def turn(self, change: AccountChanged) -> None:
        """An account changed: its link may have come or gone."""
        if change.after.connected is not change.before.connected:
            self.of(change.after.name).link(change.after.connected)

    def remove(self, account: str) -> None:
        """The account is no more."""
        self._dispatchers.pop(account, None)
        task = self._running.pop(account, None)
        if task is not None:
            task.cancel()

    def _start(self, account: str) -> None:
        if self._tasks is not None:
            self._running[account] = self._tasks.create_task(
                self._dispatchers[account].run(), name=f"dispatcher {account}"
            )

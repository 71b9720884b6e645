# SPDX-License-Identifier: Apache-2.0
"""The pacers of all accounts: made when an account is first heard of, ended with it, and told when its link turns."""

import asyncio
from collections.abc import Callable

from wigwag.app.pacer import Pacer
from wigwag.domain.events import AccountChanged
from wigwag.domain.subscriptions import Plan


class Pacers:
    """One pacer an account.

    Args:
        new_plan: makes the plan of an account.
        new_pacer: makes a pacer for (account, plan).
        lose_account: told (account, instant) when nothing more is heard through an account.
    """

    def __init__(
        self,
        new_plan: Callable[[], Plan],
        new_pacer: Callable[[str, Plan], Pacer],
        lose_account: Callable[[str, float], None],
    ) -> None:
        self.plans: dict[str, Plan] = {}
        self._new_plan, self._new_pacer, self._lose_account = new_plan, new_pacer, lose_account
        self._pacers: dict[str, Pacer] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Run every pacer, also those that come later, for ever."""
        async with asyncio.TaskGroup() as self._tasks:
            for account in self._pacers:
                self._start(account)
            await asyncio.Event().wait()

    def plan_of(self, account: str) -> Plan:
        """The account's plan, made with its pacer if there is none."""
        if account not in self.plans:
            self.plans[account] = self._new_plan()
            self._pacers[account] = self._new_pacer(account, self.plans[account])
            self._start(account)
        return self.plans[account]

    def in_use(self, account: str) -> bool:
        """Whether contacts are tracked through the account."""
        return account in self.plans and len(self.plans[account]) > 0

    def wake(self, account: str) -> None:
        """The account's plan changed."""
        self._pacers[account].wake()

    def turn(self, change: AccountChanged) -> None:
        """An account changed: its link may have come or gone."""
        name, up = change.after.name, change.after.connected
        if up is change.before.connected:
            return
        self.plan_of(name)
        if up:
            self._pacers[name].link_up()
        else:
            self._pacers[name].link_down()
            self._lose_account(name, change.at)

    def remove(self, account: str) -> None:
        """The account is no more."""
        self.plans.pop(account, None)
        self._pacers.pop(account, None)
        task = self._running.pop(account, None)
        if task is not None:
            task.cancel()

    def _start(self, account: str) -> None:
        if self._tasks is not None:
            name = f"pacer {account}"
            self._running[account] = self._tasks.create_task(self._pacers[account].run(), name=name)

# SPDX-License-Identifier: Apache-2.0
"""Drives the plans with real time: one task an account takes what is due and asks WhatsApp, at the plan's pace.

Nothing is decided here that the plan decides. What is: that we appear before we ask, and that a failed call costs one
contact its turn, never the account its task.
"""

import asyncio
from collections.abc import Awaitable, Callable

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, WatchStore, Wire
from wigwag.domain.errors import GatewayError
from wigwag.domain.events import Fact, SubscriptionChanged
from wigwag.domain.ids import Jid
from wigwag.domain.subscriptions import SILENT, Plan, State

APPEAR_AGAIN = 5.0  # seconds until we try again to be available; a fresh pairing lacks the name for it at first
CHECK_EVERY = 3600.0  # seconds between looks for stale subscriptions (seed 001)
CHECK_SLICE = 1_000  # contacts looked at without a breath
SAVE_EVERY = 5.0  # seconds between writes of changed subscriptions
IDLE = 60.0  # seconds; a bound on every wait, so that a missed wake costs little


class Pacer:
    """One account's subscriptions.

    Args:
        lose: called for contacts of whom we hear nothing any more.
        heard_at: when a contact was last heard of.
        relink: make a new link, so that others get their turn under the cap.
        may_appear: whether the account may be available to the world.
        refresh: see who is in the tracked groups now.
    """

    def __init__(  # noqa: PLR0913  wired by keyword, once
        self,
        *,
        account: str,
        plan: Plan,
        wire: Wire,
        store: WatchStore,
        clock: Clock,
        announce: Callable[[Fact], None],
        lose: Callable[[Jid], None],
        heard_at: Callable[[Jid], float],
        relink: Callable[[str], Awaitable[None]],
        refresh: Callable[[str], Awaitable[None]],
        may_appear: Callable[[str], bool],
    ) -> None:
        self.account, self.plan = account, plan
        self._wire, self._store, self._clock, self._announce = wire, store, clock, announce
        self._lose, self._heard_at, self._relink, self._refresh = lose, heard_at, relink, refresh
        self._may_appear = may_appear
        self._wake = asyncio.Event()
        self._linked = self._visible = False
        self._links = 0  # how many there were, to tell this one from one that came while we waited
        self._failures, self._part = Failures(clock, announce), f"pacer {account}"

    def wake(self) -> None:
        """The plan changed from outside."""
        self._wake.set()

    def link_up(self) -> None:
        """A new link. Subscriptions begin as soon as we are available on it."""
        self._linked, self._visible = True, False
        self._links += 1
        self.wake()

    def link_down(self) -> None:
        self._linked = self._visible = False
        self.plan.link_down()
        self.wake()

    async def run(self) -> None:
        """Subscribe, and look for stale and silent ones, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._drive(), name=f"pacer {self.account}: subscribe")
            tasks.create_task(self._watch(), name=f"pacer {self.account}: stale")
            tasks.create_task(self._keep(), name=f"pacer {self.account}: save")

    # --- subscribing

    async def _drive(self) -> None:
        while True:
            self._wake.clear()
            until = await self._step()
            now = self._clock.now()
            if until is not None and until <= now:
                await asyncio.sleep(0)
            else:
                await self._clock.wait(self._wake, now + IDLE if until is None else min(until, now + IDLE))

    async def _step(self) -> float | None:
        """Do one thing that is due. Returns when to come back."""
        now = self._clock.now()
        for silent in self.plan.expire(now):
            self._tell(silent, State.FAILED, SILENT)
            self._lose(silent)
        if self._linked and self._visible is not self._wants_to_appear():
            return await self._appear(not self._visible)
        rotation = self.plan.rotation_at()
        if rotation is not None and rotation <= now:
            self.plan.rotate()
            await self._failures.guard(self._part, self._relink(self.account))
            return None
        await self._learn(self.plan.upcoming(now))
        jid = self.plan.take(now)
        if jid is not None:
            await self._subscribe(jid)
        return self.plan.next_wake()

    def _wants_to_appear(self) -> bool:
        return len(self.plan) > 0 and self._may_appear(self.account)

    async def _appear(self, available: bool) -> float | None:
        link = self._links
        if not await self._failures.guard(self._part, self._wire.appear(self.account, available)):
            return self._clock.now() + APPEAR_AGAIN
        if not self._linked or link != self._links:  # it went while we asked, and perhaps another came
            return self._clock.now()
        self._visible = available
        if available:
            self.plan.link_up(self._clock.now())
            await self._failures.guard(self._part, self._refresh(self.account))
        else:
            self.plan.link_down()
        return self.plan.next_wake()

    async def _learn(self, jids: list[Jid]) -> None:
        if jids:
            await self._failures.guard(self._part, self._wire.learn(self.account, jids))

    async def _subscribe(self, jid: Jid) -> None:
        self._tell(jid, State.PENDING)
        try:
            await self._wire.subscribe(self.account, jid)
        except GatewayError as error:
            self.plan.fail(jid, self._clock.now())
            self._tell(jid, State.FAILED, str(error))

    # --- looking after them

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(CHECK_EVERY)
            jids = [subscription.jid for subscription in self.plan.subscriptions()]
            for start in range(0, len(jids), CHECK_SLICE):
                stale = self.plan.check(jids[start : start + CHECK_SLICE], self._clock.now(), self._heard_at)
                for jid in stale:
                    self._tell(jid, State.STALE)
                    self._lose(jid)
                await asyncio.sleep(0)
            self.wake()

    async def _keep(self) -> None:
        while True:
            await self._clock.sleep(SAVE_EVERY)
            changed = self.plan.take_changed()
            if not changed:
                continue
            if not await self._failures.guard("subscriptions", self._store.save_subscriptions(changed)):
                self.plan.put_back(changed)

    def _tell(self, jid: Jid, state: State, detail: str = "") -> None:
        subscription = self.plan.get(jid)
        attempts = subscription.attempts if subscription else 0
        now = self._clock.now()
        self._announce(
            SubscriptionChanged(account=self.account, jid=jid, state=state, attempts=attempts, at=now, detail=detail)
        )

# SPDX-License-Identifier: Apache-2.0
"""The use cases wired to one another, over ports.

No room is known here, so the same core runs in production and in tests.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from wigwag.app.accounts import Accounts
from wigwag.app.cleaner import Cleaner
from wigwag.app.fanout import Fanout
from wigwag.app.gateway import Gateway
from wigwag.app.intake import Intake
from wigwag.app.pacer import Pacer
from wigwag.app.pacers import Pacers
from wigwag.app.ports import AccountStore, Clock, Link, PresenceStore, WatchStore, Wire
from wigwag.app.recorder import Recorder
from wigwag.app.subscriber import Subscriber
from wigwag.app.tracker import Tracker
from wigwag.domain.book import Book
from wigwag.domain.pacing import Pace
from wigwag.domain.subscriptions import STALE_AFTER, Plan

RETENTION = 30 * 24 * 3600.0  # seconds (seed 000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The use cases, wired to one another."""

    book: Book
    fanout: Fanout
    tracker: Tracker
    pacers: Pacers
    subscriber: Subscriber
    recorder: Recorder
    accounts: Accounts
    intake: Intake
    cleaner: Cleaner
    gateway: Gateway
    clock: Clock

    async def restore(self) -> None:
        """Bring back what the stores kept."""
        await self.recorder.restore()
        await self.accounts.restore()
        wanted = await self.subscriber.restore()
        for jid in [jid for jid in self.book if jid not in wanted]:
            self.book.remove(jid)

    async def run(self) -> None:
        """Work for ever. Ends when cancelled, or with the error of a part that cannot go on."""
        async with asyncio.TaskGroup() as tasks:
            for part in (self.intake, self.accounts, self.pacers, self.tracker, self.recorder, self.cleaner):
                tasks.create_task(part.run(), name=type(part).__name__.lower())

    async def finish(self) -> None:
        """We stop listening: what was observed ends now, and all is written down."""
        for account in self.accounts.all():
            self.tracker.lose_account(account.name, self.clock.now())
        await self.recorder.flush()


def assemble(  # noqa: PLR0913  everything that the use cases need from outside, by name
    *,
    link: Link,
    wire: Wire,
    presence_store: PresenceStore,
    watch_store: WatchStore,
    account_store: AccountStore,
    clock: Clock,
    pace: Pace,
    cap: int | None = None,
    stale_after: float = STALE_AFTER,
    retention: float = RETENTION,
    on_sink_error: Callable[[str, Exception], None],
    chance: Callable[[], float] = random.random,
) -> Core:
    """Wire the use cases. Sinks are added to the fan-out by the caller."""
    book, fanout = Book(), Fanout(on_error=on_sink_error)

    def new_pacer(account: str, plan: Plan) -> Pacer:
        return Pacer(
            account=account,
            plan=plan,
            wire=wire,
            store=watch_store,
            clock=clock,
            announce=fanout.announce,
            lose=tracker.lose,
            heard_at=book.heard_at,
            relink=accounts.connect,
            refresh=subscriber.refresh_groups,
            may_appear=lambda name: accounts.get(name).appear,
        )

    pacers = Pacers(
        new_plan=lambda: Plan(subscriber.pace, cap=cap, stale_after=stale_after),
        new_pacer=new_pacer,
        lose_account=lambda account, at: tracker.lose_account(account, at),  # noqa: PLW0108  it is made below
    )
    tracker = Tracker(book, pacers.plans, clock, fanout.announce)
    subscriber = Subscriber(
        wire=wire,
        store=watch_store,
        choices=account_store,
        plan_of=pacers.plan_of,
        plans=pacers.plans,
        keep=tracker.add,
        drop=tracker.forget,
        wake=pacers.wake,
        pace=pace,
    )
    recorder = Recorder(book, presence_store, clock, fanout.announce)
    accounts = Accounts(
        link=link,
        store=account_store,
        clock=clock,
        announce=fanout.announce,
        chance=chance,
        in_use=pacers.in_use,
        turned=pacers.turn,
    )
    gateway = Gateway(tracker=tracker, subscriber=subscriber, recorder=recorder, accounts=accounts, pacers=pacers)
    intake = Intake(link=link, tracker=tracker, subscriber=subscriber, accounts=accounts, announce=fanout.announce)
    cleaner = Cleaner(
        book=book,
        clock=clock,
        retention=retention,
        accounts=accounts.all,
        forget=recorder.forget,
        erase=gateway.erase,
        announce=fanout.announce,
    )
    fanout.add("recorder", recorder.record)
    return Core(
        book=book,
        fanout=fanout,
        tracker=tracker,
        pacers=pacers,
        subscriber=subscriber,
        recorder=recorder,
        accounts=accounts,
        intake=intake,
        cleaner=cleaner,
        gateway=gateway,
        clock=clock,
    )

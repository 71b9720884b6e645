# SPDX-License-Identifier: Apache-2.0
"""The use cases wired to one another, over ports.

No room is known here, so the same core runs in production and in tests.
"""

import asyncio
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from wigwag.app.access import Access, Rules, Vault
from wigwag.app.accounts import Accounts
from wigwag.app.cleaner import Cleaner
from wigwag.app.correspondence import Correspondence, Mail, correspond, new_id
from wigwag.app.fanout import Fanout
from wigwag.app.gateway import Gateway
from wigwag.app.grants import Grants
from wigwag.app.intake import Intake
from wigwag.app.lobby import Host, Lobby
from wigwag.app.pacer import Pacer
from wigwag.app.pacers import Pacers
from wigwag.app.ports import AccountStore, Clock, Link, PresenceStore, WatchStore, Wire
from wigwag.app.pulses import Pulses
from wigwag.app.recorder import Recorder
from wigwag.app.subscriber import Subscriber
from wigwag.app.teller import Teller
from wigwag.app.tracker import Tracker
from wigwag.app.webhooks import Hooks, Webhooks
from wigwag.domain.book import Book
from wigwag.domain.events import AccountChanged, Fact
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
    correspondence: Correspondence
    teller: Teller
    webhooks: Webhooks
    lobby: Lobby
    grants: Grants
    access: Access
    gateway: Gateway
    clock: Clock

    async def restore(self) -> None:
        """Bring back what the stores kept."""
        await self.access.restore()
        await self.recorder.restore()
        await self.accounts.restore()
        await self.correspondence.restore([account.name for account in self.accounts.all()])
        await self.webhooks.restore()
        await self.lobby.start()
        wanted = await self.subscriber.restore()
        for jid in [jid for jid in self.book if jid not in wanted]:
            self.book.remove(jid)

    async def run(self) -> None:
        """Work for ever. Ends when cancelled, or with the error of a part that cannot go on."""
        parts = (self.intake, self.accounts, self.pacers, self.tracker, self.recorder, self.cleaner)
        async with asyncio.TaskGroup() as tasks:
            for part in (*parts, self.correspondence, self.teller, self.webhooks, self.lobby, self.grants, self.access):
                tasks.create_task(part.run(), name=type(part).__name__.lower())

    async def drain(self) -> None:
        """We are about to stop: let what is being sent come to its end, and begin nothing more."""
        await self.correspondence.finish()
        await self.lobby.node.finish()

    async def finish(self) -> None:
        """We stop listening: what was observed ends now, and all is written down."""
        for account in self.accounts.all():
            self.tracker.lose_account(account.name, self.clock.now())
        await self.recorder.flush()
        await self.teller.flush()
        await self.lobby.flush()
        await self.access.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Everything that the use cases need from outside."""

    link: Link
    wire: Wire
    presence_store: PresenceStore
    watch_store: WatchStore
    account_store: AccountStore
    mail: Mail
    hooks: Hooks
    host: Host
    vault: Vault
    rules: Rules
    clock: Clock
    pace: Pace
    cap: int | None = None  # subscriptions alive at once for each account
    stale_after: float = STALE_AFTER  # seconds
    retention: float = RETENTION  # seconds
    first_account: bool = True  # a gateway without accounts makes one
    on_sink_error: Callable[[str, Exception], None]
    chance: Callable[[], float] = random.random  # from 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watching:
    """The use cases of presence, wired to one another."""

    book: Book
    tracker: Tracker
    pacers: Pacers
    subscriber: Subscriber
    accounts: Accounts
    pulses: Pulses


def assemble(outside: Outside) -> Core:
    """Wire the use cases. Sinks are added to the fan-out by the caller."""
    fanout, clock = Fanout(outside.on_sink_error), outside.clock
    turned: list[Callable[[AccountChanged], None]] = []
    watching = _watching(outside, fanout, turned)
    accounts = watching.accounts
    correspondence = correspond(
        outside.mail,
        accounts=accounts,
        choices=outside.account_store,
        clock=clock,
        announce=fanout.announce,
        chance=outside.chance,
    )
    turned += [watching.pacers.turn, correspondence.dispatchers.turn]
    recorder = Recorder(watching.book, outside.presence_store, clock, fanout.announce)
    fanout.add("recorder", recorder.record)
    webhooks = _webhooks(outside, fanout)
    teller = Teller(outside.mail.events, clock, fanout.announce, webhooks.wanted)
    fanout.add("teller", teller.tell)
    fanout.add("webhooks", webhooks.hear)
    lobby = _lobby(outside.host, clock, fanout)
    grants = Grants(book=watching.book, store=outside.host.grants, clock=clock, announce=fanout.announce)
    fanout.add("grants", grants.sink)
    gateway = Gateway(
        tracker=watching.tracker,
        subscriber=watching.subscriber,
        recorder=recorder,
        accounts=accounts,
        pacers=watching.pacers,
        correspondence=correspondence,
        webhooks=webhooks,
        lobby=lobby,
        grants=grants,
        users=outside.host.users,
        pulses=watching.pulses,
    )
    return Core(
        book=watching.book,
        fanout=fanout,
        tracker=watching.tracker,
        pacers=watching.pacers,
        subscriber=watching.subscriber,
        recorder=recorder,
        accounts=accounts,
        intake=_intake(outside.link, watching, correspondence, fanout),
        cleaner=_cleaner(outside, watching.book, recorder, correspondence, gateway, fanout.announce),
        correspondence=correspondence,
        teller=teller,
        webhooks=webhooks,
        lobby=lobby,
        grants=grants,
        access=_access(outside, fanout),
        gateway=gateway,
        clock=clock,
    )


def _intake(link: Link, watching: _Watching, correspondence: Correspondence, fanout: Fanout) -> Intake:
    return Intake(
        link=link,
        tracker=watching.tracker,
        subscriber=watching.subscriber,
        accounts=watching.accounts,
        mailbox=correspondence.mailbox,
        receipts=correspondence.receipts,
        pulses=watching.pulses,
        announce=fanout.announce,
    )


def _lobby(host: Host, clock: Clock, fanout: Fanout) -> Lobby:
    return Lobby(
        directory=host.directory,
        store=host.last_seen,
        roster=host.roster,
        clock=clock,
        announce=fanout.announce,
        reciprocity=host.reciprocity,
    )


def _access(outside: Outside, fanout: Fanout) -> Access:
    return Access(
        outside.vault,
        outside.rules,
        outside.clock,
        fanout.announce,
        random=secrets.token_bytes,
        new_id=new_id,
    )


def _webhooks(outside: Outside, fanout: Fanout) -> Webhooks:
    return Webhooks(
        hooks=outside.hooks,
        events=outside.mail.events,
        clock=outside.clock,
        announce=fanout.announce,
        chance=outside.chance,
        new_id=new_id,
        random=secrets.token_bytes,
    )


def _watching(outside: Outside, fanout: Fanout, turned: list[Callable[[AccountChanged], None]]) -> _Watching:
    """Wire what follows presence.

    Args:
        turned: who is told of every change of an account, before the sinks are.
    """
    book, clock, announce = Book(), outside.clock, fanout.announce
    pacers = Pacers(
        new_plan=lambda: Plan(subscriber.pace, cap=outside.cap, stale_after=outside.stale_after),
        new_pacer=lambda account, plan: _pacer(account, plan, outside, fanout, tracker, accounts, subscriber),
        lose_account=lambda account, at: tracker.lose_account(account, at),  # noqa: PLW0108  it is made below
    )
    tracker = Tracker(book, pacers.plans, clock, announce)
    subscriber = Subscriber(
        wire=outside.wire,
        store=outside.watch_store,
        choices=outside.account_store,
        plan_of=pacers.plan_of,
        plans=pacers.plans,
        keep=tracker.add,
        drop=tracker.forget,
        wake=pacers.wake,
        pace=outside.pace,
    )
    accounts = Accounts(
        link=outside.link,
        store=outside.account_store,
        clock=clock,
        announce=announce,
        chance=outside.chance,
        in_use=pacers.in_use,
        first=outside.first_account,
        turned=turned,
    )
    pulses = Pulses(accounts.hear)
    fanout.add("pulses", pulses.follow)
    return _Watching(book=book, tracker=tracker, pacers=pacers, subscriber=subscriber, accounts=accounts, pulses=pulses)


def _pacer(
    account: str,
    plan: Plan,
    outside: Outside,
    fanout: Fanout,
    tracker: Tracker,
    accounts: Accounts,
    subscriber: Subscriber,
) -> Pacer:
    return Pacer(
        account=account,
        plan=plan,
        wire=outside.wire,
        store=outside.watch_store,
        clock=outside.clock,
        announce=fanout.announce,
        lose=tracker.lose,
        heard_at=tracker.book.heard_at,
        relink=accounts.connect,
        refresh=subscriber.refresh_groups,
        may_appear=lambda name: accounts.get(name).appear,
    )


def _cleaner(
    outside: Outside,
    book: Book,
    recorder: Recorder,
    correspondence: Correspondence,
    gateway: Gateway,
    announce: Callable[[Fact], None],
) -> Cleaner:
    return Cleaner(
        book=book,
        clock=outside.clock,
        retention=outside.retention,
        accounts=gateway.accounts,
        forget=(recorder.forget, correspondence.forget),
        drop=gateway.drop,
        announce=announce,
    )

# SPDX-License-Identifier: Apache-2.0
"""Users who may watch contacts on WhatsApp are told of them, and nobody else is."""

import asyncio

import pytest

from wigwag.adapters.memory.users import MemoryUserStore
from wigwag.app.fanout import Fanout
from wigwag.app.grants import MOST, Grants
from wigwag.app.ports import User
from wigwag.app.tracker import Tracker
from wigwag.domain.book import Book
from wigwag.domain.errors import Conflict, StoreUnavailable
from wigwag.domain.events import GrantedChanged, GrantsShown, PartFailed, PresenceReported
from wigwag.domain.ids import Jid
from wigwag.domain.pacing import PRESETS
from wigwag.domain.presence import Signal, Status
from wigwag.domain.subscriptions import Plan
from wigwag.testing import FakeClock, RecordingSink, build_trial, running

ANNA, BEN = 1, 2
ANN, BOB, STRANGER = (Jid(f"1555010004{n}@s.whatsapp.net") for n in range(3))


class World:
    """Ann and Bob are tracked; Anna may watch Ann."""

    def __init__(self) -> None:
        self.clock, self.store, self.facts, self.book = FakeClock(), MemoryUserStore(), RecordingSink(), Book()
        fanout = Fanout(lambda _name, error: pytest.fail(str(error)))
        self.plan = Plan(PRESETS["medium"])
        self.plan.link_up(self.clock.now())
        self.tracker = Tracker(self.book, {"default": self.plan}, self.clock, fanout.announce)
        self.grants = Grants(book=self.book, store=self.store, clock=self.clock, announce=fanout.announce)
        fanout.add("grants", self.grants.sink)
        fanout.add("facts", self.facts)
        for jid, name in ((ANN, "Ann"), (BOB, "Bob")):
            self.tracker.add(jid, name, "default")

    def hear(self, jid: Jid, signal: Signal) -> None:
        report = PresenceReported(account="default", jid=jid, signal=signal, at=self.clock.now())
        self.tracker.observe(report)

    def told(self) -> list[tuple[str, Status, tuple[object, ...]]]:
        changes = self.facts.of(GrantedChanged)
        return [(change.presence.name, change.presence.status, change.audience) for change in changes]


@pytest.fixture
async def world() -> World:
    world = World()
    await world.store.grant(ANNA, [ANN])
    return world


async def test_whoever_may_watch_a_contact_is_told_of_each_step_and_nobody_else(world: World) -> None:
    await world.grants.enter(ANNA)
    await world.grants.enter(BEN)
    for jid in (ANN, BOB):
        world.hear(jid, Signal.AVAILABLE)
    world.tracker.lose_account("default", world.clock.now())
    assert world.told() == [("Ann", Status.ONLINE, (ANNA,)), ("Ann", Status.UNKNOWN, (ANNA,))]


async def test_on_entry_unknown_is_unknown_and_so_is_whoever_is_not_tracked(world: World) -> None:
    await world.store.grant(ANNA, [STRANGER])
    seen = await world.grants.enter(ANNA)
    assert {found.jid: found.status for found in seen} == {ANN: Status.UNKNOWN, STRANGER: Status.UNKNOWN}
    world.hear(ANN, Signal.UNAVAILABLE)
    assert {found.jid: found.status for found in await world.grants.enter(ANNA)}[ANN] is Status.OFFLINE


async def test_a_grant_holds_at_once_and_so_does_its_end(world: World) -> None:
    await world.grants.enter(ANNA)
    await world.grants.grant(ANNA, [BOB])
    world.hear(BOB, Signal.AVAILABLE)
    await world.grants.revoke(ANNA, [ANN, BOB])
    world.hear(BOB, Signal.UNAVAILABLE)
    assert world.told() == [("Bob", Status.ONLINE, (ANNA,))]
    shown = [{presence.jid for presence in fact.presences} for fact in world.facts.of(GrantsShown)]
    assert shown == [{ANN, BOB}, set()]


async def test_who_is_gone_is_not_told_and_nothing_is_kept_of_them(world: World) -> None:
    await world.grants.enter(ANNA)
    world.grants.leave(ANNA)
    world.grants.leave(ANNA)
    world.hear(ANN, Signal.AVAILABLE)
    await world.grants.grant(ANNA, [BOB])
    assert world.told() == []
    assert not world.facts.of(GrantsShown)
    assert world.grants.view(ANNA) == []


async def test_an_erased_contact_is_let_go_of(world: World) -> None:
    await world.grants.enter(ANNA)
    await world.grants.erase(ANN)
    [shown] = world.facts.of(GrantsShown)
    assert (shown.user, shown.presences) == (ANNA, ())
    assert await world.grants.granted(ANNA) == []


async def test_who_is_erased_everywhere_is_watched_by_nobody_and_linked_to_nobody() -> None:
    async with running(build_trial()) as trial:
        gateway = trial.core.gateway
        await gateway.users.put([User(id=ANNA, jid=ANN)])
        await gateway.grants.grant(ANNA, [ANN, BOB])
        await gateway.erase(ANN)
        assert await gateway.grants.granted(ANNA) == [BOB]
        assert await gateway.users.get(ANNA) == User(id=ANNA)


async def test_nobody_may_watch_more_than_the_most(world: World) -> None:
    crowd = [Jid(f"1666{number:07}@s.whatsapp.net") for number in range(MOST)]
    with pytest.raises(Conflict, match="1000"):
        await world.grants.grant(ANNA, crowd)
    assert await world.grants.granted(ANNA) == [ANN]
    await world.grants.grant(BEN, crowd)


async def test_a_grant_that_is_taken_back_while_the_user_comes_in_does_not_count() -> None:
    """The store answers the first question with what was true before."""
    world, slow = World(), _Slow()
    await slow.grant(ANNA, [ANN])
    grants = Grants(book=world.book, store=slow, clock=world.clock, announce=world.facts)
    coming = asyncio.create_task(grants.enter(ANNA), name="enter")
    await world.clock.settle()
    going = asyncio.create_task(grants.revoke(ANNA, [ANN]), name="revoke")
    await world.clock.settle()
    slow.go_on.set()
    await asyncio.gather(coming, going)
    assert grants.view(ANNA) == []


async def test_who_comes_while_the_store_is_away_is_told_when_it_is_back() -> None:
    world, store = World(), _Away()
    await store.grant(ANNA, [ANN])
    grants = Grants(book=world.book, store=store, clock=world.clock, announce=world.facts)
    working = asyncio.create_task(grants.run(), name="grants")
    assert await grants.enter(ANNA) == []
    assert await grants.enter(BEN) == []
    grants.leave(BEN)
    await world.clock.advance(60.0)
    store.away = False
    await world.clock.advance(6.0)
    shown = [(fact.user, [presence.jid for presence in fact.presences]) for fact in world.facts.of(GrantsShown)]
    assert shown == [(ANNA, [ANN])]
    assert len(world.facts.of(PartFailed)) == 1
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


class _Slow(MemoryUserStore):
    """Answers late with what it saw early."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    async def granted(self, user: int | str) -> set[Jid]:
        seen = await super().granted(user)
        await self.go_on.wait()
        return seen


class _Away(MemoryUserStore):
    """Does not answer."""

    away = True

    async def granted(self, user: int | str) -> set[Jid]:
        if self.away:
            raise StoreUnavailable
        return await super().granted(user)

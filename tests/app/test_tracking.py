# SPDX-License-Identifier: Apache-2.0
"""From what WhatsApp tells to what we say of a contact: tables for each way in which it may come."""

import pytest

from wigwag.domain.account import LinkSignal
from wigwag.domain.errors import NotFound, StoreUnavailable
from wigwag.domain.events import PartFailed, PartRecovered, PresenceReported, Typing, TypingChanged, TypingReported
from wigwag.domain.history import Batch, Interval, Kind
from wigwag.domain.ids import Jid
from wigwag.domain.presence import HIDDEN, PresenceChanged, Signal, Status
from wigwag.testing import START, FakeClock, MemoryStores, Trial, build_trial, running

ANA = Jid("15550100001@s.whatsapp.net")
STRANGER = Jid("15550199999@s.whatsapp.net")
UP, DOWN = Signal.AVAILABLE, Signal.UNAVAILABLE


async def tracked(trial: Trial) -> Trial:
    """Ana is tracked and observed offline, with her last seen hidden; nothing has been counted."""
    await trial.core.gateway.track([(ANA, "Ana")])
    await trial.connect()
    await trial.clock.advance(10.0)
    trial.facts.facts.clear()
    return trial


def report(trial: Trial, signal: Signal, last_seen: float = HIDDEN, *, jid: Jid = ANA, ago: float = 0.0) -> None:
    at = trial.clock.now() - ago
    trial.whatsapp.tell(PresenceReported(account="default", jid=jid, signal=signal, last_seen=last_seen, at=at))


@pytest.mark.parametrize(
    ("story", "reports", "status", "seen", "online", "offline"),
    [
        ("comes", [(UP, HIDDEN, 0.0)], Status.ONLINE, 0.0, 1, 0),
        ("comes and goes", [(UP, HIDDEN, 0.0), (DOWN, START - 60, 0.0)], Status.OFFLINE, 0.0, 1, 1),
        ("comes twice", [(UP, HIDDEN, 0.0), (UP, HIDDEN, 0.0)], Status.ONLINE, 0.0, 1, 0),
        ("goes twice", [(UP, HIDDEN, 0.0), (DOWN, START, 0.0), (DOWN, START, 0.0)], Status.OFFLINE, 0.0, 1, 1),
        ("hides last seen", [(UP, HIDDEN, 0.0), (DOWN, HIDDEN, 0.0)], Status.OFFLINE, None, 1, 1),
        ("was seen long ago", [(DOWN, START - 3600, 0.0)], Status.OFFLINE, -3610.0, 0, 0),
        ("claims to be seen in the future", [(DOWN, START + 9999, 0.0)], Status.OFFLINE, 0.0, 0, 0),
        ("says it late", [(UP, HIDDEN, 0.0), (DOWN, START, 5.0)], Status.ONLINE, 0.0, 1, 0),
    ],
)
async def test_what_is_said_of_a_contact_who(
    story: str,
    reports: list[tuple[Signal, float, float]],
    status: Status,
    seen: float | None,
    online: int,
    offline: int,
) -> None:
    """Last seen in the table is relative to now, which is 10 s after the start."""
    async with running(build_trial()) as trial:
        await tracked(trial)
        for signal, last_seen, ago in reports:
            report(trial, signal, last_seen, ago=ago)
        await trial.clock.settle()
        ana = trial.core.gateway.presence(ANA)
        assert (ana.status, ana.went_online, ana.went_offline) == (status, online, offline), story
        assert ana.last_seen == (None if seen is None else trial.clock.now() + seen)


async def test_a_stranger_is_ignored_and_never_appears() -> None:
    async with running(build_trial()) as trial:
        await tracked(trial)
        report(trial, UP, jid=STRANGER)
        await trial.clock.settle()
        assert trial.facts.of(PresenceChanged) == []
        with pytest.raises(NotFound):
            trial.core.gateway.presence(STRANGER)


async def test_the_snapshot_after_a_subscribe_counts_nothing_and_what_follows_counts() -> None:
    async with running(build_trial()) as trial:
        trial.whatsapp.answers = False
        await trial.core.gateway.track([(ANA, "Ana")])
        await trial.connect()
        report(trial, UP)
        await trial.clock.settle()
        assert trial.core.gateway.presence(ANA).went_online == 0
        report(trial, DOWN, START)
        report(trial, UP)
        await trial.clock.settle()
        ana = trial.core.gateway.presence(ANA)
        assert (ana.went_online, ana.went_offline) == (1, 1)
        trial.whatsapp.tell_link(LinkSignal.DOWN)
        trial.whatsapp.tell_link(LinkSignal.UP)
        await trial.clock.advance(10.0)
        report(trial, UP)  # the snapshot on the new link
        await trial.clock.settle()
        assert trial.core.gateway.presence(ANA).went_online == 1


async def test_a_report_of_the_old_link_that_comes_after_its_end_changes_nothing() -> None:
    async with running(build_trial()) as trial:
        await tracked(trial)
        report(trial, UP)
        await trial.clock.advance(1.0)
        trial.whatsapp.tell_link(LinkSignal.DOWN)
        await trial.clock.settle()
        report(trial, UP, ago=2.0)
        await trial.clock.settle()
        assert trial.core.gateway.presence(ANA).status is Status.UNKNOWN


async def test_a_link_that_misses_keep_alives_is_believed_nothing() -> None:
    async with running(build_trial()) as trial:
        await tracked(trial)
        trial.whatsapp.tell_link(LinkSignal.STALLED)
        await trial.clock.settle()
        report(trial, UP)
        await trial.clock.settle()
        assert trial.core.gateway.presence(ANA).status is Status.UNKNOWN
        trial.whatsapp.tell_link(LinkSignal.RESTORED)
        await trial.clock.advance(10.0)
        assert trial.core.gateway.presence(ANA).status is Status.OFFLINE


async def test_typing_begins_changes_and_ends_by_itself_or_by_going_offline() -> None:
    async with running(build_trial()) as trial:
        await tracked(trial)

        def types(typing: Typing, jid: Jid = ANA) -> None:
            trial.whatsapp.tell(TypingReported(account="default", jid=jid, typing=typing, at=trial.clock.now()))

        types(Typing.COMPOSING)
        types(Typing.COMPOSING)
        types(Typing.COMPOSING, STRANGER)
        types(Typing.RECORDING)
        await trial.clock.settle()
        assert [t.typing for t in trial.core.gateway.typing()] == [Typing.RECORDING]
        types(Typing.PAUSED)
        types(Typing.COMPOSING)
        await trial.clock.advance(31.0)
        assert trial.core.gateway.typing() == []
        report(trial, UP)
        types(Typing.COMPOSING)
        report(trial, DOWN)
        await trial.clock.settle()
        told = [fact.typing.value for fact in trial.facts.of(TypingChanged)]
        assert told == ["composing", "recording", "paused", "composing", "paused", "composing", "paused"]


async def test_after_a_kill_everything_is_there_and_the_gap_is_unobserved_not_offline() -> None:
    stores = MemoryStores()
    async with running(build_trial(stores=stores)) as trial:
        await tracked(trial)
        report(trial, UP)
        await trial.clock.advance(30.0)
        killed_at = trial.clock.now()
    async with running(build_trial(stores=stores, clock=FakeClock(killed_at + 600.0))) as trial:
        ana = trial.core.gateway.presence(ANA)
        assert (ana.status, ana.went_online, ana.name) == (Status.UNKNOWN, 1, "Ana")
        assert ana.last_seen == START + 10.0
        trial.whatsapp.answers = False
        await trial.connect()
        report(trial, UP)
        await trial.clock.advance(5.0)
        history = await trial.core.gateway.history(ANA, START, trial.clock.now() + 1)
        observed = [(i.start, i.end) for i in history if i.kind is Kind.OBSERVED]
        online = [(i.start, i.end) for i in history if i.kind is Kind.ONLINE]
        assert observed == [(START, killed_at), (killed_at + 600.0, None)]
        assert online == [(START + 10.0, killed_at), (killed_at + 600.0, None)]


class LockedStore:
    """A presence store whose database is away until it is told to come back."""

    def __init__(self, stores: MemoryStores) -> None:
        self._store, self.away = stores.presence, False
        self.load, self.history, self.forget, self.erase = (
            self._store.load,
            self._store.history,
            self._store.forget,
            self._store.erase,
        )

    async def save(self, batch: Batch) -> None:
        if self.away:
            raise StoreUnavailable
        await self._store.save(batch)


async def test_presence_goes_on_while_the_store_is_away_and_nothing_of_it_is_lost() -> None:
    stores = MemoryStores()
    locked = LockedStore(stores)
    stores.presence = locked  # type: ignore[assignment]
    async with running(build_trial(stores=stores)) as trial:
        await tracked(trial)
        locked.away = True
        for _flip in range(10):
            report(trial, UP)
            await trial.clock.advance(3.0)
            report(trial, DOWN, START)
            await trial.clock.advance(3.0)
        assert trial.core.gateway.presence(ANA).went_online == 10
        with pytest.raises(StoreUnavailable):
            await trial.core.gateway.history(ANA, START, trial.clock.now())
        locked.away = False
        await trial.clock.advance(2.0)
        history: list[Interval] = await trial.core.gateway.history(ANA, START, trial.clock.now())
        assert len([i for i in history if i.kind is Kind.ONLINE and i.end is not None]) == 10
        assert len(trial.facts.of(PartFailed)) == len(trial.facts.of(PartRecovered)) == 1


async def test_an_erased_person_is_forgotten_everywhere_and_may_be_tracked_anew() -> None:
    stores = MemoryStores()
    async with running(build_trial(stores=stores)) as trial:
        await tracked(trial)
        report(trial, UP)
        await trial.clock.settle()
        await trial.core.gateway.erase(ANA)
        await trial.core.gateway.erase(STRANGER)
        await trial.clock.advance(10.0)
        with pytest.raises(NotFound):
            trial.core.gateway.presence(ANA)
        assert trial.core.gateway.subscriptions() == []
    async with running(build_trial(stores=stores)) as trial:
        assert list(trial.core.gateway.presences()) == []
        await tracked(trial)
        assert trial.core.gateway.presence(ANA).went_online == 0


async def test_a_contact_silent_for_thirty_days_is_removed_but_not_because_we_were_deaf() -> None:
    async with running(build_trial()) as trial:
        await tracked(trial)
        trial.whatsapp.answers = False
        await trial.clock.jump(29 * 86400.0)
        await trial.core.cleaner.clean()
        assert trial.core.gateway.presence(ANA).jid == ANA
        await trial.clock.jump(2 * 86400.0)
        with pytest.raises(NotFound):
            trial.core.gateway.presence(ANA)
    async with running(build_trial()) as trial:
        await tracked(trial)
        trial.whatsapp.tell_link(LinkSignal.REPLACED)
        await trial.clock.jump(60 * 86400.0)
        assert await trial.core.cleaner.clean() == []
        assert trial.core.gateway.presence(ANA).status is Status.UNKNOWN

# SPDX-License-Identifier: Apache-2.0
"""The lobby: devices come and go, and those who may know are told, over fakes and virtual time."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from wigwag.adapters.memory.roster import MemoryRoster
from wigwag.app.lobby import Lobby
from wigwag.domain.errors import Forbidden, StoreUnavailable
from wigwag.domain.events import ContactsShown, UserChanged
from wigwag.domain.users import GRACE, Audience, Choice, Privacy, Shown, UserId, UserPresence, View
from wigwag.testing import FakeClock, RecordingSink

ANNA, BEN, CLEO, STRANGER = 1, 2, 3, 9
NOBODY = Privacy(status=Audience.NOBODY, last_seen=Audience.NOBODY)


@dataclass
class Host:
    """The host's users, and what is kept of them: Anna knows Ben and Cleo."""

    known: dict[UserId, set[UserId]] = field(default_factory=lambda: {ANNA: {BEN, CLEO}, BEN: {ANNA}, CLEO: {ANNA}})
    private: dict[UserId, Privacy] = field(default_factory=dict)
    kept: dict[UserId, UserPresence] = field(default_factory=dict)
    away: bool = False

    async def contacts(self, user: UserId) -> set[UserId]:
        if self.away:
            raise StoreUnavailable
        return set(self.known.get(user, set()))

    async def privacy(self, users: Collection[UserId]) -> Mapping[UserId, Privacy]:
        return {user: self.private.get(user, Privacy()) for user in users if user in {*self.known, STRANGER}}

    async def settle(self) -> None:
        """Nobody is kept as online."""

    async def load(self, users: Collection[UserId]) -> list[UserPresence]:
        return [self.kept[user] for user in users if user in self.kept]

    async def save(self, presences: Sequence[UserPresence], alive_at: float) -> None:
        if self.away:
            raise StoreUnavailable
        self.kept |= {presence.user: presence for presence in presences}


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def facts() -> RecordingSink:
    return RecordingSink()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def lobby(host: Host, facts: RecordingSink, clock: FakeClock) -> AsyncIterator[Lobby]:
    async with at_work(
        Lobby(directory=host, store=host, roster=MemoryRoster(clock), clock=clock, announce=facts)
    ) as made:
        yield made


@asynccontextmanager
async def at_work(lobby: Lobby) -> AsyncIterator[Lobby]:
    await lobby.start()
    task = asyncio.create_task(lobby.run(), name="lobby")
    try:
        yield lobby
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def told(facts: RecordingSink, user: UserId) -> list[tuple[str, set[UserId]]]:
    """What was announced of a user, and to whom."""
    return [(fact.view.status.value, set(fact.audience)) for fact in facts.of(UserChanged) if fact.view.user == user]


async def test_contacts_who_are_here_are_told_and_nobody_else(
    lobby: Lobby, facts: RecordingSink, clock: FakeClock
) -> None:
    await lobby.enter(BEN, "b")
    await clock.settle()
    await lobby.enter(STRANGER, "s")
    await clock.settle()
    await lobby.enter(ANNA, "a")
    await clock.settle()
    assert told(facts, ANNA) == [("online", {ANNA, BEN})]


async def test_whoever_enters_sees_the_contacts(lobby: Lobby, clock: FakeClock) -> None:
    await lobby.enter(BEN, "b")
    await clock.settle()
    seen = await lobby.enter(ANNA, "a")
    await clock.settle()
    assert {found.user: found.status for found in seen or []} == {BEN: Shown.ONLINE, CLEO: Shown.OFFLINE}


async def test_a_second_device_changes_nothing(lobby: Lobby, facts: RecordingSink, clock: FakeClock) -> None:
    await lobby.enter(BEN, "b")
    await clock.settle()
    await lobby.enter(ANNA, "phone")
    await clock.settle()
    await lobby.enter(ANNA, "laptop")
    await clock.settle()
    lobby.leave(ANNA, "phone", goodbye=True)
    await clock.settle()
    assert len(told(facts, ANNA)) == 1
    lobby.leave(ANNA, "laptop", goodbye=True)
    await clock.settle()
    assert [status for status, _ in told(facts, ANNA)] == ["online", "offline"]


async def test_a_lost_device_is_told_at_the_end_of_its_grace(
    lobby: Lobby, facts: RecordingSink, clock: FakeClock
) -> None:
    await lobby.enter(BEN, "b")
    await clock.settle()
    await lobby.enter(ANNA, "a")
    await clock.settle()
    lost_at = clock.now()
    lobby.leave(ANNA, "a", goodbye=False)
    await clock.settle()
    await clock.advance(GRACE - 0.5)
    assert lobby.is_user_online(ANNA)
    await clock.advance(1.0)
    assert not lobby.is_user_online(ANNA)
    [_, gone] = [fact for fact in facts.of(UserChanged) if fact.view.user == ANNA]
    assert (gone.view.status, gone.view.last_seen, gone.audience) == (Shown.OFFLINE, lost_at, (BEN,))


async def test_a_flicker_within_the_grace_is_never_told(lobby: Lobby, facts: RecordingSink, clock: FakeClock) -> None:
    await lobby.enter(ANNA, "a")
    await clock.settle()
    for _ in range(5):
        lobby.leave(ANNA, "a", goodbye=False)
        await clock.settle()
        await clock.advance(GRACE / 2)
        await lobby.enter(ANNA, "a")
        await clock.settle()
    await clock.advance(10 * GRACE)
    assert len(told(facts, ANNA)) == 1


@pytest.mark.parametrize("choice", [Choice.AWAY, Choice.BUSY, Choice.INVISIBLE])
async def test_a_choice_is_told_once(choice: Choice, lobby: Lobby, facts: RecordingSink, clock: FakeClock) -> None:
    await lobby.enter(ANNA, "a")
    await clock.settle()
    await lobby.choose(ANNA, choice)
    await clock.settle()
    await lobby.choose(ANNA, choice)
    await clock.settle()
    expected = "offline" if choice is Choice.INVISIBLE else choice.value
    assert [status for status, _ in told(facts, ANNA)] == ["online", expected]


async def test_nobody_chooses_who_is_not_here(lobby: Lobby) -> None:
    with pytest.raises(Forbidden):
        await lobby.choose(ANNA, Choice.AWAY)


async def test_what_is_hidden_is_neither_pushed_nor_answered(
    lobby: Lobby, host: Host, facts: RecordingSink, clock: FakeClock
) -> None:
    host.private[ANNA] = NOBODY
    await lobby.enter(BEN, "b")
    await clock.settle()
    await lobby.enter(ANNA, "a")
    await clock.settle()
    assert told(facts, ANNA) == [("online", {ANNA})]
    [hidden, nobody] = await lobby.view(BEN, [ANNA, 12345])
    assert (hidden.status, hidden.last_seen, hidden.v) == (nobody.status, nobody.last_seen, nobody.v)


async def test_strangers_see_nothing_and_the_operator_all(lobby: Lobby, clock: FakeClock) -> None:
    await lobby.enter(ANNA, "a")
    await clock.settle()
    [hidden] = await lobby.view(STRANGER, [ANNA])
    assert (hidden.status, hidden.last_seen) == (Shown.OFFLINE, None)
    [whole] = await lobby.view(None, [ANNA])
    assert whole.status is Shown.ONLINE


async def test_the_store_may_be_away_and_nothing_is_lost(lobby: Lobby, host: Host, clock: FakeClock) -> None:
    await lobby.enter(ANNA, "a")
    host.away = True
    await clock.settle()
    lobby.leave(ANNA, "a", goodbye=True)
    await clock.settle()
    gone_at = clock.now()
    await clock.advance(60.0)
    assert ANNA not in host.kept
    host.away = False
    await clock.advance(6.0)
    assert (host.kept[ANNA].shown, host.kept[ANNA].last_seen) == (Shown.OFFLINE, gone_at)


async def test_who_comes_back_within_the_grace_comes_in_while_the_store_is_away(
    lobby: Lobby, host: Host, facts: RecordingSink, clock: FakeClock
) -> None:
    await lobby.enter(BEN, "b")
    await lobby.enter(ANNA, "a")
    await clock.settle()
    host.away = True
    lobby.leave(ANNA, "a", goodbye=False)
    await clock.advance(GRACE / 2)
    await lobby.enter(ANNA, "a")
    await clock.advance(10 * GRACE)
    assert told(facts, ANNA) == [("online", {ANNA, BEN})]
    lobby.leave(ANNA, "a", goodbye=False)
    await clock.advance(2 * GRACE)
    with pytest.raises(StoreUnavailable):  # that was too long ago
        await lobby.enter(ANNA, "a")
    assert told(facts, ANNA)[-1] == ("offline", {BEN})


async def test_nobody_was_last_seen_in_the_future(lobby: Lobby, host: Host, clock: FakeClock) -> None:
    host.kept[ANNA] = UserPresence(user=ANNA, last_seen=clock.now() + 3600, v=5)  # the clock was ahead once
    assert [found.last_seen for found in await lobby.view(None, [ANNA])] == [clock.now()]
    await lobby.enter(ANNA, "a")
    assert [found.last_seen for found in await lobby.view(None, [ANNA])] == [clock.now()]


async def test_v_goes_on_where_it_was(lobby: Lobby, host: Host, facts: RecordingSink, clock: FakeClock) -> None:
    ahead = 1 << 50
    host.kept[ANNA] = UserPresence(user=ANNA, v=ahead, last_seen=5.0)
    await lobby.enter(ANNA, "a")
    await clock.settle()
    assert [fact.view.v for fact in facts.of(UserChanged)] == [ahead + 1]
    assert lobby.active_users_count() == 1


async def test_privacy_and_contacts_that_change_hold_at_once(
    lobby: Lobby, host: Host, facts: RecordingSink, clock: FakeClock
) -> None:
    await lobby.enter(BEN, "b")
    await clock.settle()
    await lobby.enter(CLEO, "c")
    await clock.settle()
    await lobby.enter(ANNA, "a")
    await clock.settle()
    host.known[ANNA] = {CLEO}
    await lobby.refresh(ANNA)
    await clock.settle()
    await lobby.choose(ANNA, Choice.AWAY)
    await clock.settle()
    host.private[ANNA] = NOBODY
    await lobby.refresh(ANNA)
    await clock.settle()
    await lobby.choose(ANNA, Choice.BUSY)
    await clock.settle()
    await lobby.enter(ANNA, "laptop")
    await clock.settle()
    of_anna = [fact for fact in facts.of(UserChanged) if fact.view.user == ANNA]
    assert [(fact.view.status, set(fact.audience)) for fact in of_anna] == [
        (Shown.ONLINE, {ANNA, BEN, CLEO}),
        (Shown.OFFLINE, {BEN}),  # who is no contact any more lets go of what they saw
        (Shown.AWAY, {ANNA, CLEO}),
        (Shown.OFFLINE, {CLEO}),
        (Shown.BUSY, {ANNA}),
    ]
    for one in (ANNA, BEN, CLEO):
        rising = [fact.view.v for fact in of_anna if one in fact.audience]
        assert rising == sorted(set(rising))
    assert [fact.view.last_seen for fact in of_anna if fact.view.status is Shown.OFFLINE] == [None, None]


async def test_whoever_becomes_a_contact_is_seen_at_once(
    lobby: Lobby, host: Host, facts: RecordingSink, clock: FakeClock
) -> None:
    await lobby.enter(STRANGER, "s")
    await clock.settle()
    await lobby.enter(ANNA, "a")
    await clock.settle()
    host.known[ANNA].add(STRANGER)
    host.known[STRANGER] = {ANNA}
    await lobby.refresh(ANNA)
    await clock.settle()
    await lobby.refresh(STRANGER)
    await clock.settle()
    assert told(facts, ANNA)[-1] == ("online", {STRANGER})
    shown = {fact.user: {view.user: view.status for view in fact.views} for fact in facts.of(ContactsShown)}
    assert set(shown[ANNA]) == {BEN, CLEO, STRANGER}


async def test_a_refresh_that_changes_nothing_tells_nothing(
    lobby: Lobby, facts: RecordingSink, clock: FakeClock
) -> None:
    await lobby.enter(BEN, "b")
    await clock.settle()
    await lobby.enter(ANNA, "a")
    await clock.settle()
    before = len(facts.facts)
    for user in (ANNA, STRANGER):
        await lobby.refresh(user)
    await clock.settle()
    assert len(facts.facts) == before


async def test_who_shows_nothing_to_others_still_sees_themselves(
    lobby: Lobby, host: Host, facts: RecordingSink, clock: FakeClock
) -> None:
    host.private[ANNA] = NOBODY
    await lobby.enter(BEN, "b")
    await lobby.enter(ANNA, "a")
    await clock.settle()
    assert told(facts, ANNA) == [("online", {ANNA})]
    [own] = await lobby.view(ANNA, [ANNA])
    assert own.status is Shown.ONLINE


# --- reciprocity

HIDES_SEEN = Privacy(last_seen=Audience.NOBODY)


@pytest.fixture
async def mutual(host: Host, facts: RecordingSink, clock: FakeClock) -> AsyncIterator[Lobby]:
    """A lobby where nobody sees what they do not show. Anna and Ben are here; Cleo is gone since a while."""
    host.kept[CLEO] = UserPresence(user=CLEO, last_seen=5.0, v=5)
    roster = MemoryRoster(clock)
    made = Lobby(directory=host, store=host, roster=roster, clock=clock, announce=facts, reciprocity=True)
    async with at_work(made):
        yield made


async def test_who_hides_sees_nothing_on_entry_by_asking_and_by_push(
    mutual: Lobby, host: Host, facts: RecordingSink, clock: FakeClock
) -> None:
    host.private[ANNA] = NOBODY
    await mutual.enter(BEN, "b")
    await clock.settle()
    snapshot = await mutual.enter(ANNA, "a")
    await clock.settle()
    asked = await mutual.view(ANNA, [BEN, CLEO])
    assert {found.user: found for found in snapshot or []} == {found.user: found for found in asked}
    assert asked == [View(user=BEN), View(user=CLEO)]  # as if they did not exist
    await mutual.choose(BEN, Choice.AWAY)
    await clock.settle()
    assert told(facts, BEN)[-1] == ("away", {BEN})


async def test_each_is_told_as_much_as_they_show(
    mutual: Lobby, host: Host, facts: RecordingSink, clock: FakeClock
) -> None:
    host.private[BEN] = HIDES_SEEN
    for user in (BEN, CLEO, ANNA):
        await mutual.enter(user, "device")
        await clock.settle()
    await mutual.choose(ANNA, Choice.BUSY)
    await clock.settle()
    last = [fact for fact in facts.of(UserChanged) if fact.view.status is Shown.BUSY]
    assert {fact.audience: fact.view.last_seen is None for fact in last} == {(BEN,): True, (CLEO, ANNA): False}
    [ben] = await mutual.view(ANNA, [BEN])
    assert (ben.status, ben.last_seen) == (Shown.ONLINE, None)


async def test_who_begins_to_hide_lets_go_of_all_they_saw_and_may_come_back(
    mutual: Lobby, host: Host, facts: RecordingSink, clock: FakeClock
) -> None:
    await mutual.enter(BEN, "b")
    await clock.settle()
    await mutual.enter(ANNA, "a")
    await clock.settle()
    for privacy, ben in ((NOBODY, Shown.OFFLINE), (Privacy(), Shown.ONLINE)):
        host.private[ANNA] = privacy
        await mutual.refresh(ANNA)
        await clock.settle()
        shown = {view.user: view for view in facts.of(ContactsShown)[-1].views}
        assert shown[BEN].status is ben
        assert (shown[CLEO].last_seen is None) is (privacy == NOBODY)
    assert told(facts, ANNA)[-2:] == [("offline", {BEN}), ("online", {BEN})]


async def test_who_is_forgotten_is_gone_and_not_written(
    lobby: Lobby, host: Host, facts: RecordingSink, clock: FakeClock
) -> None:
    await lobby.enter(BEN, "b")
    await clock.settle()
    await lobby.enter(ANNA, "a")
    await clock.settle()
    await lobby.forget(ANNA)
    await clock.settle()
    await clock.advance(10.0)
    assert told(facts, ANNA)[-1] == ("offline", {ANNA, BEN})
    assert ANNA not in host.kept
    await lobby.forget(STRANGER)
    await clock.settle()

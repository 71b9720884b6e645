# SPDX-License-Identifier: Apache-2.0
"""From wishes to subscribes: order, pace, backoff, groups and restarts, on virtual time."""

import asyncio
from itertools import pairwise

import pytest

from wigwag.domain.account import LinkSignal
from wigwag.domain.errors import Conflict, NotFound, NotLinked, Refused
from wigwag.domain.events import AccountChanged, GroupReported, PartFailed, PartRecovered, SubscriptionChanged
from wigwag.domain.ids import Jid, contact_jid
from wigwag.domain.pacing import PRESETS, Pace
from wigwag.domain.presence import PresenceChanged, Status
from wigwag.domain.subscriptions import State
from wigwag.testing import START, FakeClock, FakeWhatsApp, MemoryStores, build_trial, running

GROUP = Jid("120363400902171371@g.us")


def numbers(count: int, first: int = 15550100000) -> list[str]:
    return [str(first + i) for i in range(count)]


def jids(count: int, first: int = 15550100000) -> list[Jid]:
    return [contact_jid(number) for number in numbers(count, first)]


def named(contacts: list[str]) -> list[tuple[str, str]]:
    return [(contact, "") for contact in contacts]


async def test_a_hundred_contacts_begin_in_batches_at_0_9_18_27_and_36_seconds_most_urgent_first() -> None:
    async with running(build_trial()) as trial:
        low, high, medium = numbers(40), numbers(30, 15550200000), numbers(30, 15550300000)
        for contacts, priority in ((low, 3), (high, 1), (medium, 2)):
            await trial.core.gateway.track(named(contacts), priority=priority)
        await trial.connect()
        await trial.clock.advance(60.0)
        sent = trial.whatsapp.subscribed
        begun = [at - START for at, _account, _jid in sent]
        assert begun[::20] == pytest.approx([0.0, 9.0, 18.0, 27.0, 36.0])
        assert begun[-1] == pytest.approx(39.8)
        wanted = [contact_jid(number) for number in (*high, *medium, *low)]
        assert [jid for _at, _account, jid in sent] == wanted
        assert trial.core.gateway.subscription_stats().active == 100


@pytest.mark.parametrize("preset", PRESETS)
async def test_a_pace_chosen_while_running_holds_at_once_and_after_a_restart(preset: str) -> None:
    stores, pace = MemoryStores(), PRESETS[preset]
    async with running(build_trial(stores=stores)) as trial:
        await trial.core.gateway.configure(pace)
        await trial.core.gateway.track(named(numbers(2 * pace.batch)))
        await trial.connect()
        await trial.clock.advance(60.0)
        begun = [at - START for at, _account, _jid in trial.whatsapp.subscribed]
        assert begun[pace.batch] == pytest.approx(pace.batch * pace.gap + pace.rest)
    async with running(build_trial(stores=stores)) as trial:
        assert trial.core.gateway.pace() == pace


async def test_a_thousand_contacts_at_the_defaults_never_make_two_hundred_a_minute() -> None:
    async with running(build_trial()) as trial:
        await trial.core.gateway.track(named(numbers(1000)))
        await trial.connect()
        await trial.clock.advance(500.0)
        sent = [at for at, _account, _jid in trial.whatsapp.subscribed]
        assert len(sent) == 1000
        assert max(sum(start <= at < start + 60.0 for at in sent) for start in sent) < 200


async def test_refused_subscribes_back_off_2_4_8_16_32_then_always_60_minutes() -> None:
    clock = FakeClock()
    async with running(build_trial(clock=clock, whatsapp=FakeWhatsApp(clock))) as trial:
        await trial.core.gateway.track(named(numbers(1)))
        await trial.connect()
        trial.whatsapp.answers = False
        await trial.clock.advance(121.0)  # the first subscribe was answered; have it fail from here on
        trial.whatsapp.refusal = Refused()
        trial.whatsapp.tell_link(LinkSignal.DOWN)
        trial.whatsapp.refusal = None
        trial.whatsapp.tell_link(LinkSignal.UP)
        await trial.clock.settle()
        trial.whatsapp.refusal = Refused()
        trial.whatsapp.subscribed.clear()
        failed: list[float] = []
        await trial.clock.advance(6 * 3600.0)
        failed = [fact.at for fact in trial.facts.of(SubscriptionChanged) if fact.state is State.FAILED]
        waits = [round((after - before) / 60) for before, after in pairwise(failed)]
        assert waits[:7] == [2, 4, 8, 16, 32, 60, 60]


async def test_a_subscribe_without_any_event_fails_after_two_minutes_and_its_contact_is_unknown() -> None:
    async with running(build_trial()) as trial:
        trial.whatsapp.answers = False
        await trial.core.gateway.track(named(numbers(1)))
        await trial.connect()
        await trial.clock.advance(119.0)
        assert trial.core.gateway.subscription_stats().failed == 0
        await trial.clock.advance(2.0)
        assert trial.core.gateway.subscription_stats().failed == 1
        assert trial.core.gateway.presence(numbers(1)[0]).status is Status.UNKNOWN


async def test_backoff_outlives_a_restart() -> None:
    stores = MemoryStores()
    first = build_trial(stores=stores)
    async with running(first):
        first.whatsapp.answers = False
        await first.core.gateway.track(named(numbers(1)))
        await first.connect()
        await first.clock.advance(130.0)
    second = build_trial(stores=stores, clock=FakeClock(START + 131.0))
    async with running(second):
        await second.connect()
        await second.clock.advance(100.0)
        assert second.whatsapp.subscribed == []
        await second.clock.advance(60.0)
        assert [jid for _at, _account, jid in second.whatsapp.subscribed] == jids(1)


async def test_nothing_is_subscribed_without_a_link_and_we_appear_before_the_first_one() -> None:
    async with running(build_trial()) as trial:
        await trial.core.gateway.track(named(numbers(3)))
        await trial.clock.advance(600.0)
        assert trial.whatsapp.subscribed == []
        await trial.connect()
        assert ("appear", "default") in trial.whatsapp.asked
        assert len(trial.whatsapp.subscribed) == 1


async def test_we_appear_only_while_something_is_tracked() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        await trial.clock.advance(120.0)
        assert ("appear", "default") not in trial.whatsapp.asked
        await trial.core.gateway.track(named(numbers(1)))
        await trial.clock.settle()
        assert trial.whatsapp.asked[-1] == ("appear", "default")
        await trial.core.gateway.untrack(numbers(1)[0])
        await trial.clock.advance(61.0)
        assert trial.whatsapp.asked[-1] == ("disappear", "default")


async def test_an_account_that_may_not_appear_subscribes_nobody_and_says_unknown() -> None:
    async with running(build_trial()) as trial:
        await trial.core.gateway.track(named(numbers(1)))
        await trial.core.gateway.set_appear("default", False)
        await trial.connect()
        await trial.clock.advance(60.0)
        assert trial.whatsapp.subscribed == []
        assert trial.core.gateway.presence(numbers(1)[0]).status is Status.UNKNOWN


async def test_a_fresh_pairing_without_a_push_name_is_asked_again_until_it_may_appear() -> None:
    async with running(build_trial()) as trial:
        trial.whatsapp.refusal = Refused("can't send presence without PushName set")
        await trial.core.gateway.track(named(numbers(1)))
        await trial.connect()
        await trial.clock.advance(12.0)
        assert [fact.part for fact in trial.facts.of(PartFailed)] == ["pacer default"]  # said once
        trial.whatsapp.refusal = None
        await trial.clock.advance(5.0)
        assert len(trial.facts.of(PartRecovered)) == 1
        assert trial.core.gateway.subscription_stats().active == 1


async def test_twenty_cuts_each_make_all_unknown_at_once_none_offline_and_bring_all_back_in_order() -> None:
    async with running(build_trial()) as trial:
        await trial.core.gateway.track(named(numbers(25)), priority=2)
        await trial.core.gateway.track(named(numbers(5, 15550200000)), priority=1)
        await trial.connect()
        await trial.clock.advance(30.0)
        order = [jid for _at, _account, jid in trial.whatsapp.subscribed]
        assert order != jids(25) + jids(5, 15550200000)  # the urgent ones came first
        for jid in order:
            trial.whatsapp.tell_presence(jid, online=True)
        await trial.clock.settle()
        for _cut in range(20):
            trial.facts.facts.clear()
            trial.whatsapp.subscribed.clear()
            trial.whatsapp.tell_link(LinkSignal.DOWN)
            await trial.clock.settle()
            changes = trial.facts.of(PresenceChanged)
            assert {change.after for change in changes} == {Status.UNKNOWN}
            assert trial.core.gateway.presence_counts().observed == 0
            trial.whatsapp.tell_link(LinkSignal.UP)
            await trial.clock.advance(30.0)
            assert [jid for _at, _account, jid in trial.whatsapp.subscribed] == order
            assert trial.core.gateway.presence_counts().observed == 30


async def test_under_a_cap_those_who_wait_get_their_turn_on_a_new_link() -> None:
    async with running(build_trial(cap=10, pace=Pace(gap=0.1, rest=1.0))) as trial:
        await trial.core.gateway.track(named(numbers(25)))
        seen: set[Jid] = set()
        await trial.connect()
        for _round in range(3):
            await trial.clock.advance(60.0)
            assert len(trial.whatsapp.subscribed) <= 10
            seen |= {jid for _at, _account, jid in trial.whatsapp.subscribed}
            trial.whatsapp.subscribed.clear()
            trial.whatsapp.asked.clear()
            await trial.clock.advance(3600.0)
            assert ("connect", "default") in trial.whatsapp.asked
            await trial.connect()
        assert seen == set(jids(25))


async def test_stale_contacts_are_subscribed_again_after_a_silent_day_and_lively_ones_are_not() -> None:
    async with running(build_trial()) as trial:
        await trial.core.gateway.track(named(numbers(2)))
        await trial.connect()
        await trial.clock.advance(10.0)
        trial.whatsapp.subscribed.clear()
        silent, lively = jids(2)
        for _hour in range(25):
            trial.whatsapp.tell_presence(lively, online=True)
            await trial.clock.advance(3600.0)
        assert [jid for _at, _account, jid in trial.whatsapp.subscribed] == [silent]
        lost = [fact.jid for fact in trial.facts.of(PresenceChanged) if fact.after is Status.UNKNOWN]
        assert lost == [silent]  # until the snapshot came
        assert trial.core.gateway.presence(silent).status is Status.OFFLINE


async def test_the_lids_of_a_batch_are_learned_in_one_request_before_it_begins() -> None:
    async with running(build_trial(pace=Pace(batch=3, gap=0.1, rest=1.0))) as trial:
        await trial.core.gateway.track(named(numbers(5)))
        await trial.connect()
        await trial.clock.advance(10.0)
        assert trial.whatsapp.learned == [jids(5)[:3], jids(5)[3:]]


async def test_a_contact_that_comes_in_the_middle_of_a_batch_is_learned_too() -> None:
    async with running(build_trial()) as trial:
        await trial.core.gateway.track(named(numbers(2)))
        await trial.connect()
        await trial.core.gateway.track(named(numbers(1, 15550200000)), priority=1)
        await trial.clock.advance(10.0)
        assert trial.whatsapp.learned == [jids(2), jids(1, 15550200000)]


# --- groups


async def test_a_groups_members_are_tracked_and_follow_who_joins_and_leaves() -> None:
    async with running(build_trial()) as trial:
        a, b, c = jids(3)
        trial.whatsapp.rooms[GROUP] = {a: "Ana", b: ""}
        await trial.connect()
        group = await trial.core.gateway.track_group(GROUP, priority=1)
        assert group.name == "a group"
        await trial.clock.settle()
        trial.whatsapp.tell(GroupReported(account="default", group=GROUP, joined=(c,), left=(a,), at=START))
        await trial.clock.settle()
        assert {p.jid for p in trial.core.gateway.presences()} == {b, c}
        await trial.core.gateway.untrack_group(GROUP)
        assert list(trial.core.gateway.presences()) == []
        with pytest.raises(NotFound):
            await trial.core.gateway.untrack_group(GROUP)


async def test_a_contact_wanted_by_name_and_by_group_stays_until_nobody_wants_it() -> None:
    async with running(build_trial()) as trial:
        (a,) = jids(1)
        trial.whatsapp.rooms[GROUP] = {a: "from the group"}
        await trial.connect()
        await trial.core.gateway.track([(a, "Ana")], priority=3)
        await trial.core.gateway.track_group(GROUP, priority=1)
        assert trial.core.gateway.subscriptions()[0].priority == 1
        assert trial.core.gateway.presence(a).name == "Ana"
        await trial.core.gateway.untrack(a)
        assert trial.core.gateway.presence(a).jid == a
        await trial.core.gateway.untrack_group(GROUP)
        with pytest.raises(NotFound):
            trial.core.gateway.presence(a)


async def test_members_who_changed_while_the_link_was_down_are_seen_at_the_next_link() -> None:
    stores = MemoryStores()
    a, b = jids(2)
    async with running(build_trial(stores=stores)) as trial:
        trial.whatsapp.rooms[GROUP] = {a: ""}
        await trial.connect()
        await trial.core.gateway.track_group(GROUP)
        await trial.clock.advance(5.0)
    async with running(build_trial(stores=stores)) as trial:
        trial.whatsapp.rooms[GROUP] = {b: ""}
        await trial.connect()
        await trial.clock.advance(5.0)
        assert {p.jid for p in trial.core.gateway.presences()} == {b}


async def test_a_group_that_we_were_put_out_of_keeps_none_of_the_others_back() -> None:
    stores, other = MemoryStores(), Jid("120363400902179999@g.us")
    a, b, c = jids(3)
    async with running(build_trial(stores=stores)) as trial:
        trial.whatsapp.rooms |= {GROUP: {a: ""}, other: {b: ""}}
        await trial.connect()
        await trial.core.gateway.track_group(GROUP)
        await trial.core.gateway.track_group(other)
    async with running(build_trial(stores=stores)) as trial:
        trial.whatsapp.rooms[other] = {b: "", c: ""}
        await trial.connect()
        await trial.clock.advance(5.0)
        assert {p.jid for p in trial.core.gateway.presences()} == {a, b, c}
        assert [fact.code for fact in trial.facts.of(PartFailed)] == ["not_found"]


async def test_a_link_that_changes_while_we_appear_is_told_anew() -> None:
    trial = build_trial()
    asked, answer = asyncio.Event(), asyncio.Event()

    async def appear(account: str, available: bool) -> None:
        asked.set()
        await answer.wait()
        trial.whatsapp.asked.append(("appear", account))

    trial.whatsapp.appear = appear  # type: ignore[method-assign]
    async with running(trial):
        await trial.core.gateway.track(named(numbers(1)))
        await trial.connect()
        assert asked.is_set()
        trial.whatsapp.tell_link(LinkSignal.DOWN)
        trial.whatsapp.tell_link(LinkSignal.UP)
        await trial.clock.settle()
        answer.set()
        await trial.clock.settle()
        assert trial.whatsapp.asked.count(("appear", "default")) == 2
        assert trial.core.gateway.subscription_stats().active == 1


async def test_a_group_that_the_account_is_not_in_is_not_found() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        with pytest.raises(NotFound):
            await trial.core.gateway.track_group(GROUP)
        assert trial.core.gateway.tracked_groups() == []


# --- several accounts


async def test_with_several_accounts_one_must_be_named_and_a_contact_stays_where_it_is() -> None:
    async with running(build_trial()) as trial:
        await trial.core.gateway.add_account("desk")
        with pytest.raises(Conflict):
            await trial.core.gateway.track(named(numbers(1)))
        await trial.core.gateway.track(named(numbers(1)), account="desk")
        await trial.core.gateway.track(named(numbers(1)), account="default")
        assert trial.core.gateway.presence(numbers(1)[0]).account == "desk"
        await trial.connect("default")
        await trial.clock.advance(10.0)
        assert trial.whatsapp.subscribed == []
        await trial.connect("desk")
        await trial.clock.advance(10.0)
        assert [account for _at, account, _jid in trial.whatsapp.subscribed] == ["desk"]
        with pytest.raises(Conflict):
            await trial.core.gateway.remove_account("desk")
        await trial.core.gateway.untrack(numbers(1)[0])
        await trial.core.gateway.remove_account("desk")
        assert [account.name for account in trial.core.gateway.accounts()] == ["default"]


async def test_one_accounts_lost_link_leaves_the_others_contacts_alone() -> None:
    async with running(build_trial()) as trial:
        await trial.core.gateway.add_account("desk")
        for number, account in zip(numbers(2), ("default", "desk"), strict=True):
            await trial.core.gateway.track([(number, "")], account=account)
            await trial.connect(account)
        await trial.clock.advance(10.0)
        trial.whatsapp.tell_link(LinkSignal.DOWN, "desk")
        await trial.clock.settle()
        statuses = [trial.core.gateway.presence(number).status for number in numbers(2)]
        assert statuses == [Status.OFFLINE, Status.UNKNOWN]


async def test_a_failed_call_costs_one_contact_its_turn_and_not_the_account_its_task() -> None:
    async with running(build_trial()) as trial:
        await trial.core.gateway.track(named(numbers(3)))
        await trial.connect()
        trial.whatsapp.refusal = NotLinked()
        await trial.clock.advance(0.2)
        trial.whatsapp.refusal = None
        await trial.clock.advance(10.0)
        stats = trial.core.gateway.subscription_stats()
        assert (stats.active, stats.failed) == (2, 1)
        assert not trial.facts.of(AccountChanged)[-1].after.failures

# SPDX-License-Identifier: Apache-2.0
"""How fast messages go, and whom we may not write to first: pace, quiet hours, look-ups, and error 463."""

from datetime import UTC

from tests.app.mailing import ANA, BEN, EVA, GROUP, acquaint, job, person, send, states, texts
from wigwag.domain.delivery import LADDER, Job, State
from wigwag.domain.errors import (
    Restricted,
    Unavailable,
)
from wigwag.domain.ids import Jid
from wigwag.domain.throttle import DAY, Rate, quiet_hours
from wigwag.testing import (
    START,
    FakeClock,
    FakeWhatsApp,
    MemoryStores,
    Point,
    Trial,
    build_trial,
    failing,
    running,
)

SENT, FAILED, ACCEPTED, UNCONFIRMED = State.SENT, State.FAILED, State.ACCEPTED, State.UNCONFIRMED


# --- pace


async def test_the_pace_is_kept_over_all_recipients() -> None:
    async with running(build_trial(rate=Rate(per_minute=6.0, burst=3, jitter=0.0))) as trial:
        await trial.connect()
        for n in range(6):
            await send(trial, person(n))
        await trial.clock.advance(60.0)
        assert [round(one.at - START) for one in trial.whatsapp.sent] == [0, 0, 0, 10, 20, 30]


async def test_jitter_spreads_what_would_go_in_one_burst() -> None:
    rate = Rate(per_minute=6.0, burst=3, jitter=0.3)
    async with running(build_trial(rate=rate, chance=lambda: 1.0)) as trial:
        await trial.connect()
        for n in range(3):
            await send(trial, person(n))
        await trial.clock.advance(60.0)
        assert [round(one.at - START) for one in trial.whatsapp.sent] == [0, 3, 6]


async def test_nothing_goes_in_quiet_hours_and_all_goes_after_them() -> None:
    """START is 2027-01-15 08:00 UTC."""
    rate = Rate(per_minute=0.0, quiet=quiet_hours("07:00-09:30", UTC))
    async with running(build_trial(rate=rate)) as trial:
        await trial.connect()
        await send(trial)
        await trial.clock.advance(5399.0)
        assert trial.whatsapp.sent == []
        await trial.clock.advance(1.0)
        assert [one.at for one in trial.whatsapp.sent] == [START + 5400.0]


# --- strangers


async def test_strangers_are_looked_up_in_one_request_and_only_once() -> None:
    async with running(build_trial()) as trial:
        await acquaint(trial.stores, ANA)
        for to in (ANA, BEN, EVA, GROUP, BEN):
            await send(trial, to)
        await trial.connect()
        await trial.clock.advance(1.0)
        await send(trial, BEN)
        await trial.clock.advance(1.0)
        assert [sorted(asked) for asked in trial.whatsapp.looked_up] == [sorted([BEN, EVA])]
        assert len(trial.whatsapp.sent) == 6


async def test_a_number_that_is_not_on_whatsapp_fails_and_says_so() -> None:
    whatsapp = FakeWhatsApp(clock := FakeClock(), registry={BEN: BEN})
    async with running(build_trial(clock=clock, whatsapp=whatsapp)) as trial:
        await trial.connect()
        absent, present = await send(trial, ANA), await send(trial, BEN)
        await trial.clock.advance(1.0)
        after = await job(trial, absent)
        assert (after.state, after.code) == (FAILED, "not_on_whatsapp")
        assert await states(trial, present) == [SENT]


async def test_a_number_that_came_to_whatsapp_later_is_found_when_asked_again() -> None:
    whatsapp = FakeWhatsApp(clock := FakeClock(), registry={})
    async with running(build_trial(clock=clock, whatsapp=whatsapp)) as trial:
        await trial.connect()
        one = await send(trial, ANA)
        await trial.clock.advance(1.0)
        whatsapp.registry = None
        await trial.core.gateway.messages.retry(one.id)
        await trial.clock.advance(1.0)
        assert await states(trial, one) == [SENT]


async def test_a_number_is_written_to_under_the_form_that_whatsapp_knows() -> None:
    new, old = Jid("5511987654321@s.whatsapp.net"), Jid("551187654321@s.whatsapp.net")
    whatsapp = FakeWhatsApp(clock := FakeClock(), registry={old: old})
    async with running(build_trial(clock=clock, whatsapp=whatsapp)) as trial:
        await trial.connect()
        one = await send(trial, "+55 11 98765-4321")
        await trial.clock.advance(1.0)
        assert (one.to, trial.whatsapp.sent[0].to) == (new, old)
        [kept] = await trial.core.gateway.messages.chat(old)
        assert (kept.job, kept.from_me) == (one.id, True)


async def test_after_a_restart_an_acquaintance_is_one_under_any_form_of_the_number() -> None:
    old = Jid("551187654321@s.whatsapp.net")
    async with running(build_trial()) as trial:
        await acquaint(trial.stores, old)
        await trial.connect()
        await send(trial, "+5511987654321")
        await trial.clock.advance(1.0)
        assert (trial.whatsapp.looked_up, trial.whatsapp.sent[0].to) == ([], old)


async def test_a_look_up_that_fails_is_made_again_for_each_in_its_turn() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.hooks[Point.LOOK_UP] = failing(Unavailable(), Unavailable())
        jobs = [await send(trial, to) for to in (ANA, BEN)]
        await trial.clock.advance(1.0)
        assert sorted(await states(trial, *jobs)) == [ACCEPTED, SENT]
        await trial.clock.advance(LADDER[0])
        assert await states(trial, *jobs) == [SENT, SENT]


async def paused(trial: Trial) -> list[Job]:
    """Ana is an old acquaintance; WhatsApp has just refused a first message to Ben."""
    await acquaint(trial.stores, ANA)
    await trial.connect()
    trial.whatsapp.hooks[Point.SEND] = failing(Restricted())
    jobs = [await send(trial, BEN, "ben 1"), await send(trial, BEN, "ben 2")]
    await trial.clock.advance(1.0)
    return jobs


async def test_a_refused_first_message_pauses_strangers_for_a_day_and_nobody_else() -> None:
    async with running(build_trial()) as trial:
        jobs = await paused(trial)
        jobs.append(await send(trial, EVA, "eva"))
        await send(trial, ANA, "ana")
        await send(trial, GROUP, "group")
        await trial.clock.jump(DAY - 2.0)
        assert texts(trial) == ["ana", "group"]
        assert {(await job(trial, one)).code for one in jobs} == {"restricted"}
        assert {(await job(trial, one)).attempts for one in jobs} == {0}
        await trial.clock.advance(2.0)
        assert texts(trial, EVA) == ["eva"]
        assert texts(trial, BEN) == ["ben 1", "ben 2"]


async def test_the_pause_of_strangers_outlives_a_restart() -> None:
    stores = MemoryStores()
    async with running(build_trial(stores=stores)) as trial:
        jobs = await paused(trial)
    async with running(build_trial(stores=stores, clock=FakeClock(START + 3600.0))) as trial:
        await trial.connect()
        jobs.append(await send(trial, EVA, "eva"))
        await trial.clock.jump(DAY - 3600.0 - 2.0)
        assert texts(trial) == []
        await trial.clock.advance(5.0)
        assert texts(trial, EVA) == ["eva"]
        assert texts(trial, BEN) == ["ben 1", "ben 2"]


async def test_strangers_who_were_already_read_are_held_back_as_well() -> None:
    async with running(build_trial(rate=Rate(per_minute=60.0, burst=1, jitter=0.0))) as trial:
        await acquaint(trial.stores, ANA)
        for to, text in ((BEN, "ben"), (EVA, "eva"), (ANA, "ana")):
            await send(trial, to, text)
        trial.whatsapp.hooks[Point.SEND] = failing(Restricted())
        await trial.connect()
        await trial.clock.advance(60.0)
        assert texts(trial) == ["ana"]


async def test_an_acquaintance_whom_whatsapp_calls_a_stranger_waits_with_them_in_order() -> None:
    async with running(build_trial()) as trial:
        await acquaint(trial.stores, ANA)
        await trial.connect()
        trial.whatsapp.hooks[Point.SEND] = failing(Restricted())
        await send(trial, ANA, "1")
        await trial.clock.advance(1.0)
        await send(trial, ANA, "2")
        await trial.clock.advance(60.0)
        assert texts(trial) == []
        await trial.clock.jump(DAY)
        assert texts(trial) == ["1", "2"]

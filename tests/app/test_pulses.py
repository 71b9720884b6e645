# SPDX-License-Identifier: Apache-2.0
"""A link that says it is connected while nothing moves: it turns degraded, says why, and is made anew."""

from collections.abc import AsyncIterator

import pytest

from wigwag.domain.account import LinkSignal, LinkState, Stall
from wigwag.domain.contents import Text
from wigwag.domain.drafts import Draft
from wigwag.domain.events import AccountChanged, Unanswered
from wigwag.domain.ids import Jid
from wigwag.domain.pacing import Pace
from wigwag.domain.pulse import ENOUGH
from wigwag.domain.subscriptions import FIRST_EVENT
from wigwag.testing import Trial, build_trial, running

MANY = [(f"+4915112345{index:03}", "") for index in range(ENOUGH[Stall.SUBSCRIPTIONS])]
ANNA = Jid("4915112345000@s.whatsapp.net")


@pytest.fixture
async def trial() -> AsyncIterator[Trial]:
    async with running(build_trial(pace=Pace(batch=50, gap=0.0, rest=0.0))) as trial:
        await trial.connect()
        yield trial


def stalls(trial: Trial) -> list[str]:
    changes = trial.facts.of(AccountChanged)
    return [change.after.detail for change in changes if change.after.state is LinkState.DEGRADED]


def state(trial: Trial) -> LinkState:
    return trial.core.gateway.account("default").state


def links(trial: Trial) -> int:
    return trial.whatsapp.asked.count(("connect", "default"))


def unanswered(trial: Trial, what: Stall, asked: float) -> None:
    trial.whatsapp.tell(Unanswered(account="default", what=what, asked=asked, at=trial.clock.now()))


async def test_subscriptions_that_all_stay_silent_cost_one_new_link(trial: Trial) -> None:
    trial.whatsapp.answers, before = False, links(trial)
    await trial.core.gateway.track(MANY)
    await trial.clock.advance(FIRST_EVENT - 1)
    assert state(trial) is LinkState.CONNECTED
    await trial.clock.advance(1)
    assert stalls(trial) == [Stall.SUBSCRIPTIONS]
    assert state(trial) is LinkState.DEGRADED
    await trial.clock.advance(3)
    assert links(trial) == before + 1
    trial.whatsapp.tell_link(LinkSignal.UP)
    await trial.clock.advance(2 * 3600)
    assert (stalls(trial), state(trial)) == ([Stall.SUBSCRIPTIONS], LinkState.CONNECTED), "they may all be hidden"


async def test_one_sign_of_life_is_enough(trial: Trial) -> None:
    trial.whatsapp.answers = False
    await trial.core.gateway.track(MANY)
    await trial.clock.advance(FIRST_EVENT - 1)
    trial.whatsapp.tell_presence(ANNA, online=True)
    await trial.clock.advance(60)
    assert (stalls(trial), state(trial)) == ([], LinkState.CONNECTED)


async def test_fewer_silent_contacts_prove_nothing(trial: Trial) -> None:
    trial.whatsapp.answers = False
    await trial.core.gateway.track(MANY[1:])
    await trial.clock.advance(FIRST_EVENT + 60)
    assert (stalls(trial), state(trial)) == ([], LinkState.CONNECTED)


async def test_a_message_without_a_word_is_enough_even_while_presences_come(trial: Trial) -> None:
    asked = trial.clock.now()
    await trial.clock.advance(90)
    trial.whatsapp.tell_presence(ANNA, online=True)
    unanswered(trial, Stall.MESSAGES, asked)
    await trial.clock.settle()
    assert stalls(trial) == [Stall.MESSAGES]
    assert state(trial) is LinkState.DEGRADED
    assert "messages" in trial.core.gateway.account("default").advice


async def test_requests_must_fail_twice_in_a_row_and_a_sent_message_is_a_sign_of_life(trial: Trial) -> None:
    unanswered(trial, Stall.REQUESTS, trial.clock.now())
    await trial.clock.advance(15)
    await trial.core.gateway.messages.send(Draft(to="+4915112345678", content=Text(text="Hi")))
    await trial.clock.settle()
    asked = trial.clock.now() + 1
    await trial.clock.advance(16)
    unanswered(trial, Stall.REQUESTS, asked)
    await trial.clock.settle()
    assert stalls(trial) == []
    unanswered(trial, Stall.REQUESTS, asked)
    await trial.clock.settle()
    assert stalls(trial) == [Stall.REQUESTS]


async def test_unanswered_keep_alives_leave_the_library_time_to_come_round(trial: Trial) -> None:
    before = links(trial)
    trial.whatsapp.tell_link(LinkSignal.STALLED, detail=Stall.KEEP_ALIVES)
    await trial.clock.advance(44)
    assert (stalls(trial), links(trial)) == ([Stall.KEEP_ALIVES], before)
    await trial.clock.advance(1)
    assert links(trial) == before + 1


async def test_nothing_is_heard_of_an_account_that_is_gone(trial: Trial) -> None:
    trial.whatsapp.tell_presence(ANNA, online=True)
    await trial.clock.settle()
    assert trial.core.gateway.heard_at("default") == trial.clock.now()
    await trial.core.gateway.remove_account("default")
    assert trial.core.gateway.heard_at("default") is None

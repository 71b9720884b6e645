# SPDX-License-Identifier: Apache-2.0
"""When a link that stands has stalled: after enough questions in vain, with nothing heard since they were asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.account import Account, LinkSignal, LinkState, Stall, advance, retry_at
from wigwag.domain.pulse import CERTAIN, DOUBTFUL, ENOUGH, Pulse


@pytest.mark.parametrize("what", list(ENOUGH))
def test_a_link_stalls_after_enough_questions_in_vain_and_not_before(what: Stall) -> None:
    pulse = Pulse()
    verdicts = [pulse.miss(what, float(turn)) for turn in range(ENOUGH[what])]
    assert verdicts == [False] * (ENOUGH[what] - 1) + [True]


@pytest.mark.parametrize("what", list(ENOUGH))
def test_whoever_was_heard_since_the_question_is_alive_unless_the_answer_is_certain(what: Stall) -> None:
    pulse = Pulse()
    pulse.hear(50.0)
    assert any(pulse.miss(what, 40.0) for _ in range(ENOUGH[what])) is (what in CERTAIN)
    assert any(pulse.miss(what, 60.0) for _ in range(ENOUGH[what])), "asked after that"


@pytest.mark.parametrize("what", list(ENOUGH))
def test_what_may_be_silent_for_good_costs_one_new_link_until_something_is_heard(what: Stall) -> None:
    pulse = Pulse()
    for link in range(3):
        pulse.renew()
        stalled = any(pulse.miss(what, float(link)) for _ in range(ENOUGH[what]))
        assert stalled is (link == 0 or what not in DOUBTFUL)
    pulse.hear(10.0)
    assert any(pulse.miss(what, 20.0) for _ in range(ENOUGH[what]))


def test_a_new_link_is_not_judged_by_what_the_one_before_left_unanswered() -> None:
    pulse = Pulse()
    assert not pulse.miss(Stall.REQUESTS, 1.0)
    pulse.renew()
    assert not pulse.miss(Stall.REQUESTS, 2.0)
    assert pulse.miss(Stall.REQUESTS, 3.0)


steps = st.lists(st.tuples(st.sampled_from(["hear", "renew", *ENOUGH]), st.integers(0, 100)), max_size=40)


@given(steps)
def test_no_link_is_judged_by_silence_alone(history: list[tuple[str, int]]) -> None:
    """Whatever happens: a verdict needs as many questions of its kind since the last sign of life."""
    pulse, asked = Pulse(), dict.fromkeys(ENOUGH, 0)
    for what, at in history:
        if what in ("hear", "renew"):
            pulse.hear(float(at)) if what == "hear" else pulse.renew()
            asked = dict.fromkeys(ENOUGH, 0)
        else:
            asked[Stall(what)] += 1
            assert not pulse.miss(Stall(what), float(at)) or asked[Stall(what)] >= ENOUGH[Stall(what)]


@pytest.mark.parametrize("what", list(Stall))
def test_a_stalled_link_is_degraded_and_says_what_was_not_answered(what: Stall) -> None:
    linked = Account(name="default", state=LinkState.CONNECTED)
    stalled = advance(linked, LinkSignal.STALLED, 100.0, until=100.0, detail=what)
    assert (stalled.state, stalled.detail) == (LinkState.DEGRADED, what)
    assert what in stalled.advice
    assert retry_at(stalled, 0.0) == 103.0, "nobody but us makes a new link"
    assert retry_at(advance(linked, LinkSignal.STALLED, 100.0), 0.0) == 145.0, "the library may still come round"


def test_only_a_link_that_stands_can_stall() -> None:
    for state in set(LinkState) - {LinkState.CONNECTED}:
        account = Account(name="default", state=state)
        assert advance(account, LinkSignal.STALLED, 1.0) is account

# SPDX-License-Identifier: Apache-2.0
"""A job's way: the whole table of states, the ladder of attempts, and receipts in any order."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.contents import Text
from wigwag.domain.delivery import (
    ARRIVED,
    LADDER,
    OPEN,
    Job,
    Mark,
    State,
    fold,
    held_up,
    move,
    reopened,
    sent,
)
from wigwag.domain.errors import Conflict
from wigwag.domain.ids import Jid

NOW = 1000.0
WAYS = {
    "accepted": "sending failed cancelled",
    "sending": "sent accepted failed unconfirmed",
    "unconfirmed": "sent delivered read played accepted cancelled",
    "sent": "delivered read played",
    "delivered": "read played",
    "read": "played",
    "played": "",
    "failed": "accepted",
    "cancelled": "",
}


def job(state: State = State.ACCEPTED, **more: object) -> Job:
    plain = Job(
        id="j", account="a", to=Jid("1@s.whatsapp.net"), content=Text(text="x"), since=1.0, created=1.0, due=1.0
    )
    return replace(plain, state=state, **more)  # type: ignore[arg-type]  # checked by the dataclass


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_a_job_goes_the_ways_of_the_table_and_no_other(before: State, after: State) -> None:
    if after.value in WAYS[before].split():
        moved = move(job(before), after, NOW, code="why")
        assert (moved.state, moved.since, moved.code) == (after, NOW, "why")
        return
    with pytest.raises(Conflict, match=before.value):
        move(job(before), after, NOW)


@pytest.mark.parametrize("state", State)
def test_a_job_is_open_or_has_arrived_or_has_ended_otherwise(state: State) -> None:
    ended = {State.FAILED, State.CANCELLED}
    assert [state in OPEN, state in ARRIVED, state in ended].count(True) == 1


def test_what_whatsapp_took_has_its_id_and_forgets_what_held_it_up() -> None:
    after = sent(job(State.SENDING, code="unavailable", detail="no", attempts=2), "M1", NOW)
    assert (after.state, after.message_id, after.sent_at, after.code, after.detail) == (State.SENT, "M1", NOW, "", "")
    assert after.attempts == 2


@pytest.mark.parametrize("state", [State.ACCEPTED, State.SENDING])
@pytest.mark.parametrize("attempts", range(len(LADDER)))
@given(chance=st.floats(0, 1))
def test_each_failure_waits_a_rung_longer_give_or_take_a_fifth(state: State, attempts: int, chance: float) -> None:
    after = held_up(job(state, attempts=attempts), NOW, "unavailable", "no answer", chance)
    assert (after.state, after.attempts, after.since) == (State.ACCEPTED, attempts + 1, NOW)
    assert (after.code, after.detail) == ("unavailable", "no answer")
    assert 0.8 * LADDER[attempts] <= after.due - NOW <= 1.2 * LADDER[attempts] + 1e-9


@pytest.mark.parametrize("state", [State.ACCEPTED, State.SENDING])
def test_beyond_the_ladder_it_has_failed(state: State) -> None:
    after = held_up(job(state, attempts=len(LADDER)), NOW, "unavailable", "no answer", 0.5)
    assert (after.state, after.attempts, after.code) == (State.FAILED, len(LADDER) + 1, "unavailable")


def test_the_wait_depends_on_chance() -> None:
    dues = {held_up(job(), NOW, "c", "d", chance).due for chance in (0.0, 0.5, 1.0)}
    assert dues == {NOW + 4.0, NOW + 5.0, NOW + 6.0}


@pytest.mark.parametrize("state", [State.FAILED, State.UNCONFIRMED])
def test_a_person_may_have_it_tried_from_the_first_rung(state: State) -> None:
    after = reopened(job(state, attempts=6, code="c", detail="d", due=5.0), NOW)
    assert (after.state, after.attempts, after.due, after.code, after.detail) == (State.ACCEPTED, 0, NOW, "", "")


@pytest.mark.parametrize("state", sorted(set(State) - {State.FAILED, State.UNCONFIRMED}))
def test_nobody_may_have_tried_again_what_is_on_its_way_or_has_ended(state: State) -> None:
    with pytest.raises(Conflict):
        reopened(job(state), NOW)


@pytest.mark.parametrize(
    ("state", "attempts", "due", "scheduled"),
    [
        (State.ACCEPTED, 0, 60.0, True),
        (State.ACCEPTED, 0, 1.0, False),
        (State.ACCEPTED, 1, 60.0, False),
        (State.SENDING, 0, 60.0, False),
    ],
)
def test_scheduled_is_what_was_asked_to_go_later(state: State, attempts: int, due: float, scheduled: bool) -> None:
    assert job(state, attempts=attempts, due=due).scheduled is scheduled


# --- receipts

RANK = [State.SENT, State.DELIVERED, State.READ, State.PLAYED]
RECEIPTS = st.lists(st.tuples(st.sampled_from(Mark), st.integers(1, 50).map(float)), min_size=1, max_size=6)


def folded(before: Job, receipts: list[tuple[Mark, float]]) -> Job:
    for mark, at in receipts:
        before = fold(before, mark, at)
    return before


@pytest.mark.parametrize("state", [State.UNCONFIRMED, *RANK])
@given(data=st.data(), receipts=RECEIPTS)
def test_receipts_in_any_order_and_any_number_come_to_the_same(
    state: State, data: st.DataObject, receipts: list[tuple[Mark, float]]
) -> None:
    """The last state, and of each kind the earliest instant. Only `since` tells in which order they came."""
    shuffled = data.draw(st.permutations(receipts + data.draw(st.lists(st.sampled_from(receipts)))))
    once = replace(folded(job(state), sorted(receipts, key=lambda receipt: receipt[1])), since=0.0)
    assert replace(folded(job(state), shuffled), since=0.0) == once

    earliest = {mark: min((at for m, at in receipts if m is mark), default=None) for mark in Mark}
    assert (once.delivered_at, once.read_at, once.played_at) == tuple(earliest[mark] for mark in Mark)
    marks = [State(mark.value) for mark, _ in receipts]
    known = [State.SENT if state is State.UNCONFIRMED else state, *marks]
    assert once.state is max(known, key=RANK.index)


@given(RECEIPTS)
def test_a_receipt_never_moves_a_job_back(receipts: list[tuple[Mark, float]]) -> None:
    states = [State.SENT]
    before = job(State.SENT)
    for mark, at in receipts:
        before = fold(before, mark, at)
        states.append(before.state)
    assert states == sorted(states, key=RANK.index)


@pytest.mark.parametrize("mark", Mark)
def test_a_receipt_settles_what_nobody_knew(mark: Mark) -> None:
    after = fold(job(State.UNCONFIRMED, since=7.0, code="interrupted"), mark, NOW)
    assert (after.state, after.sent_at, after.code, after.since) == (State(mark.value), 7.0, "", NOW)


@pytest.mark.parametrize("state", [State.ACCEPTED, State.SENDING, State.FAILED, State.CANCELLED])
@pytest.mark.parametrize("mark", Mark)
def test_a_receipt_for_what_was_not_sent_changes_no_state(state: State, mark: Mark) -> None:
    assert fold(job(state), mark, NOW).state is state

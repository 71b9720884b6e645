# SPDX-License-Identifier: Apache-2.0
"""The law of the port Ledger, on every kind of store."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.making import BRUNO, GROUP, NOW, ODD_TEXTS, WANDA, event, job, step
from wigwag.app.ports import EventLog, Ledger
from wigwag.domain.contents import ContactCard, Content, Kind, Location, Media, Poll, Reaction, Text
from wigwag.domain.delivery import Job, Quote, State

CONTENTS: list[Content] = [
    *(Text(text=text) for text in ODD_TEXTS),
    Media(kind=Kind.IMAGE, media="a" * 64, caption=ODD_TEXTS[0], filename="🦩.png", mimetype="image/png"),
    Media(kind=Kind.VOICE, url="https://example.org/voice"),
    Location(latitude=-33.8567844, longitude=151.2152967, name=ODD_TEXTS[1]),
    ContactCard(name=ODD_TEXTS[0], phone="+15550100042"),
    Poll(question="Tea?", options=("yes", "no 🦩"), selectable=0),
    Reaction(message_id="3EB0", emoji=""),
]
whole_jobs = st.builds(
    Job,
    id=st.just(""),  # each gets its own
    account=st.sampled_from(["default", "second", "a" * 32]),
    to=st.sampled_from([WANDA, BRUNO, GROUP]),
    content=st.sampled_from(CONTENTS),
    state=st.sampled_from(State),
    since=st.floats(0.0, 4e9),
    created=st.floats(0.0, 4e9),
    due=st.floats(0.0, 4e9),
    attempts=st.integers(0, 9),
    priority=st.integers(0, 9),
    fingerprint=st.sampled_from(["", "f" * 64]),
    quote=st.none() | st.builds(Quote, message_id=st.just("3EB0"), sender=st.just(BRUNO), from_me=st.booleans()),
    mentions=st.sampled_from([(), (WANDA,), (WANDA, BRUNO)]),
    door=st.sampled_from(["rest", "amqp"]),
    user_id=st.none() | st.sampled_from(["", "user \0 \ud83d", "7" * 1000]),
    trace=st.none() | st.just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    answer_to=st.none() | st.text(max_size=9),
    correlation=st.none() | st.text(max_size=9),
    secret=st.sampled_from(["", "5" * 64]),
    message_id=st.none() | st.just("3EB0" * 32),
    code=st.sampled_from(["", "not_linked"]),
    detail=st.sampled_from(["", "no link 🙃", "x" * 255]),
    sent_at=st.none() | st.floats(0.0, 4e9),
    delivered_at=st.none() | st.floats(0.0, 4e9),
    read_at=st.none() | st.floats(0.0, 4e9),
    played_at=st.none() | st.floats(0.0, 4e9),
)
on_one_store = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def due(ledger: Ledger, now: float = NOW, limit: int = 100, without: tuple[str, ...] = ()) -> list[str]:
    return [found.id for found in await ledger.due("default", now, limit, without)]


async def accepted(ledger: Ledger, *jobs: Job) -> list[Job]:
    return await ledger.accept(jobs)


# --- accepting


@on_one_store
@given(made=whole_jobs)
async def test_a_job_comes_back_as_it_was_given(ledger: Ledger, made: Job) -> None:
    made = replace(made, id=job().id)
    [kept] = await ledger.accept([made])
    assert kept == replace(made, place=kept.place)
    found = await ledger.in_state(made.account, made.state)
    assert [each for each in found if each.id == made.id] == [kept]


async def test_places_rise_in_the_order_of_acceptance(ledger: Ledger) -> None:
    first = await accepted(ledger, job(), job())
    second = await accepted(ledger, job(), job())
    places = [kept.place for kept in [*first, *second]]
    assert places == sorted(set(places))
    assert places[0] > 0


async def test_a_key_stands_for_one_job_whatever_comes_of_it(ledger: Ledger, log: EventLog) -> None:
    first, again = job(key="order 7"), job(BRUNO, key="order 7", account="second")
    [kept] = await ledger.accept([first], [event(job=first.id)])
    moved = step(kept, State.CANCELLED)
    await ledger.advance([moved])
    stranger = event(said="something else")
    assert await ledger.accept([again], [event(job=again.id), stranger]) == [moved.after]
    assert await ledger.in_state("second", State.ACCEPTED) == []
    assert [told.data for _position, told in await log.after(0, 9)] == [{"job": first.id}, stranger.data]


async def test_two_jobs_with_one_key_in_one_call_are_one(ledger: Ledger, log: EventLog) -> None:
    one, two, other = job(key="k"), job(key="k"), job(key="other")
    kept = await ledger.accept([one, two, other], [event(job=made.id) for made in (one, two, other)])
    assert [found.id for found in kept] == [one.id, one.id, other.id]
    assert [told.data["job"] for _position, told in await log.after(0, 9)] == [one.id, other.id]


async def test_a_job_that_is_given_twice_is_kept_once(ledger: Ledger) -> None:
    """As somebody does who was not told whether the first call reached the disk."""
    made = job()
    [kept] = await ledger.accept([made])
    assert await ledger.accept([made]) == [kept]
    assert await due(ledger) == [made.id]


@pytest.mark.parametrize(
    ("key", "other"),
    [("a", "A"), ("a", "a "), ("e", "é"), ("é", "e\u0301"), ("ß", "ss"), ("🦩", "🦚"), ("\u0131", "i"), (" a", "a")],
)
async def test_keys_are_compared_byte_by_byte(ledger: Ledger, key: str, other: str) -> None:
    await ledger.accept([job(key=key)])
    [kept] = await ledger.accept([job(key=other)])
    assert kept.key == other


async def test_a_key_may_be_long_in_any_script(ledger: Ledger) -> None:
    key = "🦩" * 256
    [kept] = await ledger.accept([job(key=key)])
    assert await ledger.accept([job(key=key)]) == [kept]
    assert kept.key == key


async def test_callers_at_the_same_time_with_one_key_get_one_job(ledger: Ledger) -> None:
    made = [job(key="same") for _ in range(20)]
    answers = await asyncio.gather(*(ledger.accept([each]) for each in made))
    assert {answer[0].id for answer in answers} == {made[0].id}


async def test_a_thousand_jobs_in_one_call_keep_their_order(ledger: Ledger) -> None:
    made = [job(key=f"key {number}") for number in range(1200)]
    kept = await ledger.accept(made, [event(job=each.id) for each in made])
    assert [found.id for found in kept] == [each.id for each in made]
    assert await due(ledger, limit=2000) == [each.id for each in made]
    moved = [step(each, State.SENDING) for each in kept]
    assert await ledger.advance(moved) == [True] * 1200
    assert await due(ledger) == []


# --- advancing


async def test_a_step_is_taken_from_the_state_that_it_names_only(ledger: Ledger, log: EventLog) -> None:
    [kept] = await accepted(ledger, job())
    sending = step(kept, State.SENDING)
    assert await ledger.advance([sending], [event(job=kept.id, now="sending")]) == [True]
    assert await ledger.advance([step(kept, State.CANCELLED)], [event(job=kept.id, now="cancelled")]) == [False]
    assert await ledger.in_state("default", State.SENDING) == [sending.after]
    assert [told.data["now"] for _position, told in await log.after(0, 9)] == ["sending"]


async def test_a_job_that_is_not_there_takes_no_step(ledger: Ledger, log: EventLog) -> None:
    gone = job()
    assert await ledger.advance([step(gone, State.SENDING)], [event(job=gone.id)]) == [False]
    assert await log.after(0, 9) == []


async def test_the_steps_of_one_call_are_taken_each_by_itself(ledger: Ledger, log: EventLog) -> None:
    one, two = await accepted(ledger, job(), job())
    await ledger.advance([step(two, State.CANCELLED)])
    steps = [step(one, State.SENDING), step(two, State.SENDING)]
    assert await ledger.advance(steps, [event(job=one.id), event(job=two.id)]) == [True, False]
    assert [told.data["job"] for _position, told in await log.after(0, 9)] == [one.id]


async def test_of_many_who_want_the_same_step_one_gets_it(ledger: Ledger) -> None:
    """The dispatcher and a person who cancels may meet."""
    [kept] = await accepted(ledger, job())
    wanted = [State.SENDING, State.CANCELLED] * 10
    answers = await asyncio.gather(*(ledger.advance([step(kept, state)]) for state in wanted))
    assert sorted(answers) == [[False]] * 19 + [[True]]
    winner = wanted[answers.index([True])]
    assert [found.id for found in await ledger.in_state("default", winner)] == [kept.id]


async def test_everything_that_moves_is_written(ledger: Ledger) -> None:
    [kept] = await accepted(ledger, job())
    moved = step(
        *(kept, State.PLAYED),
        sent_at=NOW + 1,
        delivered_at=NOW + 2,
        read_at=NOW + 3,
        played_at=NOW + 4,
        since=NOW + 4,
        to=BRUNO,
        due=NOW + 9,
        attempts=3,
        priority=9,
        secret="7" * 64,
        message_id="3EB0AA",
        code="code",
        detail="detail \0 \ud83d" + "x" * 300,
    )
    await ledger.advance([moved])
    [found] = await ledger.in_state("default", State.PLAYED)
    assert found == replace(moved.after, detail=("detail ? ?" + "x" * 300)[:255])


async def test_nothing_to_write_is_fine(ledger: Ledger, log: EventLog) -> None:
    assert await ledger.accept([]) == []
    assert await ledger.advance([]) == []
    await ledger.advance([], [event(alone=True)])
    assert await log.last() == 1


# --- finding who is due


async def test_the_highest_priority_goes_first_then_whoever_came_first(ledger: Ledger) -> None:
    a, b, c, d = (job(priority=priority) for priority in (4, 9, 4, 0))
    await accepted(ledger, d, a, b, c, job(account="second"))
    assert await due(ledger) == [b.id, a.id, c.id, d.id]
    assert await due(ledger, limit=2) == [b.id, a.id]
    assert await due(ledger, limit=2, without=(b.id, a.id)) == [c.id, d.id]


async def test_nobody_is_due_before_the_instant(ledger: Ledger) -> None:
    now, soon, later = job(), job(BRUNO, due=NOW + 1), job(BRUNO, due=NOW + 5)
    await accepted(ledger, later, soon, now)
    assert await due(ledger) == [now.id]
    assert await ledger.next_due("default", NOW) == NOW + 1
    assert await due(ledger, NOW + 1) == [soon.id, now.id]
    assert await ledger.next_due("default", NOW + 1) == NOW + 5
    assert await ledger.next_due("default", NOW + 5) is None
    assert await ledger.next_due("second", NOW) is None


@pytest.mark.parametrize("earlier", [{"state": State.SENDING}, {"attempts": 1, "due": NOW + 5}])
async def test_a_job_waits_for_an_earlier_one_to_the_same_recipient(ledger: Ledger, earlier: dict[str, object]) -> None:
    before, ahead, behind = job(), replace(job(), **earlier), job(priority=9)  # type: ignore[arg-type]
    elsewhere, other = job(BRUNO), job(account="second")
    await accepted(ledger, before, ahead, behind, elsewhere, other)
    assert await due(ledger) == [before.id, elsewhere.id]


@pytest.mark.parametrize(
    "earlier",
    [{"attempts": 1}, {"due": NOW + 5}, {"state": State.SENT}, {"state": State.UNCONFIRMED}, {"state": State.FAILED}],
)
async def test_nobody_waits_for_one_that_is_due_itself_or_scheduled_or_ended(
    ledger: Ledger, earlier: dict[str, object]
) -> None:
    ahead, behind = replace(job(), **earlier), job()  # type: ignore[arg-type]
    await accepted(ledger, ahead, behind)
    assert (await due(ledger))[-1] == behind.id


async def test_an_attempt_that_waits_is_what_is_next_due(ledger: Ledger) -> None:
    await accepted(ledger, job(attempts=1, due=NOW + 5), job(due=NOW + 7), job(state=State.SENDING, due=NOW + 1))
    assert await ledger.next_due("default", NOW) == NOW + 5


async def test_a_job_that_comes_back_for_another_attempt_keeps_its_place(ledger: Ledger) -> None:
    first, second = await accepted(ledger, job(), job())
    sending = step(first, State.SENDING)
    await ledger.advance([sending])
    assert await due(ledger) == []
    await ledger.advance([step(sending.after, State.ACCEPTED, attempts=1, due=NOW + 5)])
    assert await due(ledger) == []
    assert await due(ledger, NOW + 5) == [first.id, second.id]


async def test_two_hundred_can_be_left_out(ledger: Ledger) -> None:
    kept = await ledger.accept([job() for _ in range(230)])
    assert await due(ledger, limit=30, without=tuple(found.id for found in kept[:200])) == [
        found.id for found in kept[200:]
    ]


# --- finding otherwise


async def test_jobs_are_found_by_their_messages(ledger: Ledger) -> None:
    made = [job(message_id=f"3EB0{number}", state=State.SENT) for number in range(700)]
    await ledger.accept([*made, job(message_id="3EB01", account="second"), job()])
    found = await ledger.by_message("default", {f"3EB0{number}" for number in range(1, 800)})
    assert {each.id for each in found} == {each.id for each in made[1:]}
    assert await ledger.by_message("default", ["3eb01", "3EB01 "]) == []
    assert await ledger.by_message("default", []) == []


async def test_jobs_are_found_by_their_state_oldest_first(ledger: Ledger) -> None:
    a, b, c = await accepted(
        ledger, *(job(to, state=State.UNCONFIRMED, since=NOW - n) for n, to in enumerate([WANDA, BRUNO, WANDA]))
    )
    await accepted(ledger, job(), job(account="second", state=State.UNCONFIRMED))
    assert await ledger.in_state("default", State.UNCONFIRMED) == [a, b, c]
    assert await ledger.in_state("default", State.UNCONFIRMED, to=WANDA) == [a, c]
    assert await ledger.in_state("default", State.UNCONFIRMED, limit=2) == [a, b]

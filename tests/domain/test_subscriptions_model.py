# SPDX-License-Identifier: Apache-2.0
"""The plan against a model that is plain, slow and obviously right: lists that are sorted and counted at each look.

Times and delays are multiples of 1/4 s, so that floats are exact and the two may be compared with `==`.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from wigwag.domain.ids import Jid
from wigwag.domain.pacing import Pace, backoff
from wigwag.domain.subscriptions import FIRST_EVENT, ROTATE_AFTER, ROTATE_SOONER, Plan, State

QUEUED, PENDING, ACTIVE, STALE, FAILED = State
PEOPLE = [Jid(f"155500000{n:02}@s.whatsapp.net") for n in range(10)]
STALE_AFTER = 1000.0
people = st.sampled_from(PEOPLE)
priorities = st.sampled_from([1, 2, 3])
PACES = [Pace(batch=3, gap=0.25, rest=2.0), Pace(batch=1, gap=1.0, rest=0.0), Pace(batch=4, gap=0.0, rest=1.0)]


@dataclass(kw_only=True)
class Wish:
    """A contact of the model."""

    jid: Jid
    priority: int
    order: int
    state: State = QUEUED
    attempts: int = 0
    due: float = 0.0
    subscribed: float = 0.0
    turn: int = 0


@dataclass(kw_only=True)
class Model:
    """What the plan promises, said plainly."""

    pace: Pace
    cap: int | None
    wishes: dict[Jid, Wish] = field(default_factory=dict)
    placed: dict[Jid, int] = field(default_factory=dict)
    linked: bool = False
    turn_began: float | None = None
    turns: int = 0
    orders: int = 0
    batches: list[list[float]] = field(default_factory=list)
    named: set[Jid] = field(default_factory=set)

    def waiting(self) -> list[Wish]:
        waiting = [wish for wish in self.wishes.values() if wish.state in (QUEUED, STALE)]
        return sorted(waiting, key=lambda wish: (wish.priority, wish.turn, wish.order))

    def has_place(self, wish: Wish) -> bool:
        return self.cap is None or len(self.placed) < self.cap or wish.jid in self.placed

    def slot(self) -> float:
        if not self.batches:
            return 0.0
        last = self.batches[-1]
        return last[-1] + self.pace.gap + (self.pace.rest if len(last) == self.pace.batch else 0.0)

    def begins_batch(self, now: float) -> bool:
        return not self.batches or now >= self.batches[-1][-1] + self.pace.gap + self.pace.rest

    def next_taken(self, now: float) -> Wish | None:
        head = next(iter(self.waiting()), None)
        return head if head and self.linked and now >= self.slot() and self.has_place(head) else None

    def rotation_at(self) -> float | None:
        head = next(iter(self.waiting()), None)
        if not self.linked or head is None or self.has_place(head):
            return None
        assert self.turn_began is not None
        sooner = any(head.priority < priority for priority in self.placed.values())
        return self.turn_began + (ROTATE_SOONER if sooner else ROTATE_AFTER)

    def timers(self) -> list[Wish]:
        return sorted((w for w in self.wishes.values() if w.state in (PENDING, FAILED)), key=lambda wish: wish.due)

    def unlink(self) -> None:
        self.linked = False
        self.placed.clear()
        for wish in self.wishes.values():
            if wish.state is not FAILED:
                wish.state, wish.due = QUEUED, 0.0

    def fail(self, wish: Wish, now: float) -> None:
        wish.attempts += 1
        wish.state, wish.due = FAILED, now + backoff(wish.attempts)


class PlanMachine(RuleBasedStateMachine):
    """Each rule does the same to the plan and to the model, and compares what comes back."""

    now = 1000.0
    linked_at = 0.0

    @initialize(pace=st.sampled_from(PACES), cap=st.sampled_from([None, 1, 3, 6]))
    def begin(self, pace: Pace, cap: int | None) -> None:
        self.plan = Plan(pace, cap=cap, stale_after=STALE_AFTER)
        self.model = Model(pace=pace, cap=cap)
        self.heard: dict[Jid, float] = {}
        self.saved: dict[Jid, tuple[State, int, float, int]] = {}

    # --- wishes

    @rule(jid=people, priority=priorities)
    def want(self, jid: Jid, priority: int) -> None:
        self.plan.want(jid, priority)
        if jid in self.model.placed:
            self.model.placed[jid] = priority
        if jid in self.model.wishes:
            self.model.wishes[jid].priority = priority
        else:
            self.model.orders += 1
            self.model.wishes[jid] = Wish(jid=jid, priority=priority, order=self.model.orders)

    @rule(jid=people)
    def drop(self, jid: Jid) -> None:
        self.plan.drop(jid)
        self.model.wishes.pop(jid, None)
        self.saved.pop(jid, None)

    @rule(jid=people, priority=priorities, attempts=st.integers(0, 7), wait=st.integers(-200, 4000))
    def restore(self, jid: Jid, priority: int, attempts: int, wait: int) -> None:
        if jid in self.model.wishes:  # only at start
            return
        due = self.now + wait
        self.want(jid, priority)
        self.plan.drop(jid)
        self.plan.restore(jid, priority, attempts, due)
        wish = self.model.wishes[jid]
        if attempts:
            wish.state, wish.attempts, wish.due = FAILED, attempts, due
        self.saved[jid] = self._kept(jid)

    # --- the link

    @rule()
    def link_up(self) -> None:
        self.plan.link_up(self.now)
        self.model.unlink()
        self.model.linked, self.linked_at = True, self.now
        if self.model.turn_began is None:
            self.model.turn_began = self.now

    @rule()
    def link_down(self) -> None:
        self.plan.link_down()
        self.model.unlink()

    @precondition(lambda self: (self.model.rotation_at() or 1e18) <= self.now)
    @rule()
    def rotate(self) -> None:
        self.plan.rotate()
        self.model.turns += 1
        self.model.turn_began = None
        for jid in self.model.placed.keys() & self.model.wishes.keys():
            self.model.wishes[jid].turn = self.model.turns
        self.model.unlink()
        self.link_up()

    # --- time

    @rule(quarters=st.sampled_from([1, 2, 4, 11, 480, 1200, 4 * 3600, 8 * 3600]))
    def wait(self, quarters: int) -> None:
        self.now += quarters / 4

    @rule()
    def wake(self) -> None:
        self.now = max(self.now, self.plan.next_wake() or 0.0)

    @rule(times=st.integers(1, 6), on_time=st.booleans())
    def take(self, times: int, on_time: bool) -> None:
        for _take in range(times):
            if on_time and self.model.linked:
                self.now = max(self.now, self.model.slot())
            expected = self.model.next_taken(self.now)
            upcoming = self.plan.upcoming(self.now)
            taken = self.plan.take(self.now)
            assert taken == (expected.jid if expected else None)
            if expected is None:
                assert upcoming == []
                return
            self._take(expected, upcoming)

    def _take(self, wish: Wish, upcoming: list[Jid]) -> None:
        model, now = self.model, self.now
        first = [wish.jid for wish in model.waiting()][: model.pace.batch]
        if model.begins_batch(now):
            assert upcoming == first
            model.batches.append([])
            model.named = set(first)
        else:
            assert upcoming == ([] if wish.jid in model.named else [wish.jid])
        model.batches[-1].append(now)
        model.placed[wish.jid] = wish.priority
        wish.state, wish.subscribed, wish.due = PENDING, now, now + FIRST_EVENT

    @rule(jid=people)
    def fail(self, jid: Jid) -> None:
        self.plan.fail(jid, self.now)
        wish = self.model.wishes.get(jid)
        if wish and wish.state is PENDING:
            self.model.fail(wish, self.now)

    @rule()
    def expire(self) -> None:
        silent = []
        while self.model.timers() and self.model.timers()[0].due <= self.now:
            wish = self.model.timers()[0]
            if wish.state is PENDING:
                silent.append(wish.jid)
                self.model.fail(wish, self.now)
            else:
                wish.state, wish.due = QUEUED, 0.0
        assert sorted(self.plan.expire(self.now)) == sorted(silent)

    @rule(jid=people)
    def hear(self, jid: Jid) -> None:
        self.heard[jid] = self.now
        wish = self.model.wishes.get(jid)
        expected = wish is not None and wish.state is PENDING
        assert self.plan.hear(jid) is expected
        if wish and jid in self.model.placed and wish.state is not ACTIVE:
            wish.state, wish.attempts, wish.due = ACTIVE, 0, 0.0

    @rule(jids=st.lists(people, unique=True))
    def check(self, jids: list[Jid]) -> None:
        stale = self.plan.check(jids, self.now, lambda jid: self.heard.get(jid, 0.0))
        expected = []
        for wish in [self.model.wishes[jid] for jid in jids if jid in self.model.wishes]:
            silent = self.now - self.heard.get(wish.jid, 0.0) >= STALE_AFTER
            if wish.state is ACTIVE and silent and self.now - wish.subscribed >= STALE_AFTER:
                wish.state = STALE
                expected.append(wish.jid)
        assert stale == expected

    # --- what is kept

    @rule(failing=st.booleans())
    def save(self, failing: bool) -> None:
        changed = self.plan.take_changed()
        now_kept = {jid: self._kept(jid) for jid in self.model.wishes}
        assert {jid for jid, kept in now_kept.items() if self.saved.get(jid) != kept} <= {s.jid for s in changed}
        if failing:
            self.plan.put_back(changed)
        else:
            assert self.plan.take_changed() == []
            self.saved = now_kept

    def _kept(self, jid: Jid) -> tuple[State, int, float, int]:
        wish = self.model.wishes[jid]
        return wish.state, wish.attempts, wish.due, wish.priority

    # --- what always holds

    @invariant()
    def the_two_agree(self) -> None:
        plan = {
            s.jid: Wish(
                jid=s.jid,
                priority=s.priority,
                order=wish.order,  # order is told by the takes
                state=s.state,
                attempts=s.attempts,
                due=s.due,
                subscribed=s.subscribed,
                turn=s.turn,
            )
            for s in self.plan.subscriptions()
            for wish in [self.model.wishes[s.jid]]
        }
        assert plan == self.model.wishes
        assert len(self.plan) == len(plan)
        assert all((jid in self.plan) is (self.plan.get(jid) is not None) is (jid in plan) for jid in PEOPLE)

    @invariant()
    def counts_equal_a_recount(self) -> None:
        states = [subscription.state for subscription in self.plan.subscriptions()]
        assert self.plan.counts == {state: states.count(state) for state in State}
        assert self.plan.unconfirmed == {s.jid for s in self.plan.subscriptions() if s.state is not ACTIVE}
        stats = self.plan.stats()
        assert (stats.total_subscriptions, stats.active, stats.stale, stats.failed, stats.queue_length) == (
            len(states),
            states.count(ACTIVE),
            states.count(STALE),
            states.count(FAILED),
            states.count(QUEUED) + states.count(STALE),
        )

    @invariant()
    def the_cap_is_kept_and_a_link_that_is_down_carries_nothing(self) -> None:
        assert self.model.cap is None or len(self.model.placed) <= self.model.cap
        if not self.model.linked:
            assert self.plan.counts[PENDING] == self.plan.counts[ACTIVE] == self.plan.counts[STALE] == 0

    @invariant()
    def the_pace_is_kept(self) -> None:
        pace, takes = self.model.pace, [at for batch in self.model.batches for at in batch]
        assert all(later - sooner >= pace.gap for sooner, later in pairwise(takes))
        cycle = pace.batch * pace.gap + pace.rest  # no shorter window, open at one end, holds more than a batch
        assert all(later - sooner >= cycle for sooner, later in zip(takes, takes[pace.batch :], strict=False))
        assert all(len(batch) <= pace.batch for batch in self.model.batches)

    @invariant()
    def next_wake_never_lies(self) -> None:
        wakes = [wish.due for wish in self.model.timers()[:1]]
        if self.model.linked and self.model.waiting():
            rotation = self.model.rotation_at()
            wakes.append(max(self.model.slot(), self.linked_at) if rotation is None else rotation)
        wake = self.plan.next_wake()
        assert self.plan.rotation_at() == self.model.rotation_at()
        assert wake == min(wakes, default=None)

    @rule()
    def nothing_happens_before_next_wake_and_something_at_it(self) -> None:
        wake = self.plan.next_wake()
        before = self.now if wake is None else wake - 0.25
        if before >= self.now:
            assert not self._happens(before)
        if wake is not None:
            assert self._happens(max(wake, self.now))

    def _happens(self, at: float) -> bool:
        plan = deepcopy(self.plan)
        plan.take_changed()
        rotation = plan.rotation_at()
        return bool(plan.expire(at) or plan.take(at) or plan.take_changed() or (rotation or 1e18) <= at)


PlanMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
TestPlan = PlanMachine.TestCase

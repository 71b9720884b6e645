# SPDX-License-Identifier: Apache-2.0
"""The subscription plan: whom one account subscribes to, when, and in which order (seed 001). Sans-IO: it never sleeps.

The caller keeps a clock and a link. It asks `next_wake` when to come back, takes the contacts that are due with `take`,
and tells the plan what happened. WhatsApp gives no answer to a subscribe, so a contact goes

    QUEUED ──take──▶ PENDING ──first event──▶ ACTIVE ──24 h silent──▶ STALE ──take──▶ PENDING
                        │ send error, or 2 min without an event
                        ▼
                      FAILED ──2, 4, 8, 16, 32, 60 min──▶ QUEUED

Subscriptions die with the link, so `link_up` queues everything again, most urgent first. Only those that failed keep
their backoff. The pace outlives the link, because WhatsApp counts by account: a link that flaps earns no burst.

WhatsApp offers no unsubscribe: a place under the cap is free again only on a new link, so contacts that wait behind a
full cap get their turn when the caller makes a new link at `rotation_at`. Who had no place for longest comes first.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappop, heappush
from math import inf

from wigwag.domain.ids import Jid
from wigwag.domain.pacing import Pace, backoff
from wigwag.domain.watchlist import LOW

FIRST_EVENT = 120.0  # seconds within which the first event must come
SILENT = "no event in two minutes"  # why a subscription failed that was sent
STALE_AFTER = 24 * 3600.0  # seconds without an event, and since the subscribe
ROTATE_AFTER = 3600.0  # seconds from one rotation to the next, while anybody waits behind the cap
ROTATE_SOONER = 300.0  # the same, when somebody more urgent waits than one who has a place


class State(StrEnum):
    """Where a subscription stands."""

    QUEUED = "queued"
    PENDING = "pending"
    ACTIVE = "active"
    STALE = "stale"
    FAILED = "failed"


WAITING = (State.QUEUED, State.STALE)
Entry = tuple[int, int, int, int, Jid]  # of the queue: priority, turn, order, ticket, jid


@dataclass(slots=True, kw_only=True)
class Subscription:
    """One contact in the plan. The plan alone changes it.

    `due` is when its state times out, Unix seconds; `turn` is the rotation that last cost it a place, 0 for none.
    """

    jid: Jid
    priority: int
    order: int = 0
    state: State = State.QUEUED
    attempts: int = 0
    due: float = 0.0
    subscribed: float = 0.0
    turn: int = 0
    ticket: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The figures of seed 001. `queue_length` is who waits to be subscribed, `stale` of them for the second time."""

    total_subscriptions: int
    active: int
    stale: int
    failed: int
    queue_length: int

    def __add__(self, other: "Stats") -> "Stats":
        return Stats(
            total_subscriptions=self.total_subscriptions + other.total_subscriptions,
            active=self.active + other.active,
            stale=self.stale + other.stale,
            failed=self.failed + other.failed,
            queue_length=self.queue_length + other.queue_length,
        )


class Plan:
    """The subscriptions of one account.

    Args:
        pace: how fast.
        cap: subscriptions alive at once on one link; None for no cap.
        stale_after: seconds of silence after which to subscribe again (the seed's `resubscribeAfter`).
    """

    def __init__(self, pace: Pace, *, cap: int | None = None, stale_after: float = STALE_AFTER) -> None:
        self.pace, self.cap, self.stale_after = pace, cap, stale_after
        self.counts = dict.fromkeys(State, 0)
        self.unconfirmed: set[Jid] = set()  # who is not active; few for most of the time, so looking here is cheap
        self._all: dict[Jid, Subscription] = {}
        self._changed: set[Jid] = set()
        self._queue: list[Entry] = []
        self._timers: list[tuple[float, int, Jid]] = []  # due, ticket, jid
        self._placed: dict[Jid, int] = {}  # who was subscribed on this link, and how urgent it was
        self.linked = False
        self._linked_at = 0.0
        self._taken_at, self._in_batch = -inf, 0
        self._named: set[Jid] = set()  # the batch as `upcoming` told it
        self._turn_began = inf
        self._orders = self._tickets = self._turns = 0

    # --- wishes

    def want(self, jid: Jid, priority: int) -> None:
        """Track a contact, or change how urgent it is."""
        if jid in self._placed:
            self._placed[jid] = priority
        subscription = self._all.get(jid)
        if subscription is None:
            self._orders += 1
            subscription = self._all[jid] = Subscription(jid=jid, priority=priority, order=self._orders)
            self.counts[State.QUEUED] += 1
            self._enqueue(subscription, State.QUEUED)
        elif subscription.priority != priority:
            subscription.priority = priority
            self._changed.add(jid)
            if subscription.state in WAITING:
                self._enqueue(subscription, subscription.state)

    def drop(self, jid: Jid) -> None:
        """Track a contact no longer. It keeps its place on the link, because WhatsApp offers no unsubscribe."""
        if (subscription := self._all.pop(jid, None)) is not None:
            self.counts[subscription.state] -= 1
            self.unconfirmed.discard(jid)
            self._changed.discard(jid)

    def restore(self, jid: Jid, priority: int, attempts: int, due: float) -> None:
        """Put a contact back as it was before a restart: queued, or in the middle of its backoff."""
        self.want(jid, priority)
        subscription = self._all[jid]
        if attempts:
            subscription.attempts = attempts
            self._wait(subscription, State.FAILED, due)
        self._changed.discard(jid)

    # --- the link

    def link_up(self, now: float) -> None:
        """A new link: nothing is subscribed on it yet, so all queue, most urgent first. Backoffs go on."""
        self.link_down()
        self.linked, self._linked_at = True, now
        self._turn_began = min(self._turn_began, now)
        self._queue.clear()
        for subscription in self._all.values():
            if subscription.state is not State.FAILED:
                self._enqueue(subscription, State.QUEUED)

    def link_down(self) -> None:
        """The link is gone, and every subscription with it."""
        self.linked = False
        self._placed.clear()
        for subscription in self._all.values():
            if subscription.state is not State.FAILED:
                self._move(subscription, State.QUEUED, 0.0)

    def rotation_at(self) -> float | None:
        """When a new link should be made so that those who wait behind the cap get a turn; None for never."""
        if not self.linked or (head := self._head()) is None or self._has_place(head):
            return None
        more_urgent = head.priority < max(self._placed.values(), default=LOW)
        return self._turn_began + (ROTATE_SOONER if more_urgent else ROTATE_AFTER)

    def rotate(self) -> None:
        """Whoever had a place steps behind those of the same urgency who had none. Make a new link afterwards."""
        self._turns += 1
        for jid in self._placed:
            if jid in self._all:
                self._all[jid].turn = self._turns
        self._turn_began = inf
        self.link_down()

    # --- time

    def take(self, now: float) -> Jid | None:
        """The contact to subscribe to now, if one is due. It is pending from here on."""
        if (head := self._due(now)) is None:
            return None
        heappop(self._queue)
        self._in_batch = 1 if self._begins_batch(now) else self._in_batch + 1
        self._taken_at = now
        self._placed[head.jid] = head.priority
        head.subscribed = now
        self._wait(head, State.PENDING, now + FIRST_EVENT)
        return head.jid

    def upcoming(self, now: float) -> list[Jid]:
        """Who is about to be subscribed and was not named before: the batch that begins now, or a late comer to it."""
        head = self._due(now)
        if head is None:
            return []
        if not self._begins_batch(now):
            return [] if head.jid in self._named else [head.jid]
        entries: list[Entry] = []
        while len(entries) < self.pace.batch and self._head() is not None:
            entries.append(heappop(self._queue))
        for entry in entries:
            heappush(self._queue, entry)
        self._named = {entry[-1] for entry in entries}
        return [entry[-1] for entry in entries]

    def fail(self, jid: Jid, now: float) -> None:
        """The subscribe could not be sent."""
        subscription = self._all.get(jid)
        if subscription is not None and subscription.state is State.PENDING:
            self._fail(subscription, now)

    def expire(self, now: float) -> list[Jid]:
        """Let timers run out: silent ones fail and are returned, failed ones whose backoff is over queue again."""
        silent = []
        while self._timers and self._timers[0][0] <= now:
            _due, ticket, jid = heappop(self._timers)
            subscription = self._all.get(jid)
            if subscription is None or subscription.ticket != ticket:
                continue
            if subscription.state is State.FAILED:
                self._enqueue(subscription, State.QUEUED)
            else:
                self._fail(subscription, now)
                silent.append(jid)
        return silent

    def hear(self, jid: Jid) -> bool:
        """An event came from a contact. True if it is the snapshot that answers our subscribe."""
        if jid not in self.unconfirmed or jid not in self._placed:
            return False
        subscription = self._all[jid]
        snapshot = subscription.state is State.PENDING
        subscription.attempts = 0
        self._move(subscription, State.ACTIVE, 0.0)
        return snapshot

    def check(self, jids: Iterable[Jid], now: float, heard_at: Callable[[Jid], float]) -> list[Jid]:
        """Of these contacts, those that went stale: silent, and subscribed, for too long. They are queued again."""
        stale = []
        for jid in jids:
            subscription = self._all.get(jid)
            if subscription is None or subscription.state is not State.ACTIVE:
                continue
            if now - max(heard_at(jid), subscription.subscribed) >= self.stale_after:
                self._enqueue(subscription, State.STALE)
                stale.append(jid)
        return stale

    def next_wake(self) -> float | None:
        """When something is due, Unix seconds (perhaps past); None if only an event from outside can change that."""
        while self._timers and not self._is_live(self._timers[0]):
            heappop(self._timers)
        wakes = [self._timers[0][0]] if self._timers else []
        if self.linked and self._head() is not None:
            rotation = self.rotation_at()
            wakes.append(max(self._slot, self._linked_at) if rotation is None else rotation)
        return min(wakes, default=None)

    # --- what readers see

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, jid: object) -> bool:
        return jid in self._all

    def get(self, jid: Jid) -> Subscription | None:
        return self._all.get(jid)

    def subscriptions(self) -> list[Subscription]:
        return list(self._all.values())

    def take_changed(self) -> list[Subscription]:
        """Whose subscription changed since the caller last asked."""
        changed, self._changed = self._changed, set()
        return [self._all[jid] for jid in changed if jid in self._all]

    def put_back(self, changed: list[Subscription]) -> None:
        """What was taken could not be kept: hand it out again."""
        self._changed.update(subscription.jid for subscription in changed if subscription.jid in self._all)

    def stats(self) -> Stats:
        counts = self.counts
        return Stats(
            total_subscriptions=len(self._all),
            active=counts[State.ACTIVE],
            stale=counts[State.STALE],
            failed=counts[State.FAILED],
            queue_length=counts[State.QUEUED] + counts[State.STALE],
        )

    # --- the machinery. A ticket makes older queue and timer entries of the same contact void.

    @property
    def _slot(self) -> float:
        """When the next subscribe may go out, on any link. Whoever comes late does not catch up."""
        full = self._in_batch >= self.pace.batch
        return self._taken_at + self.pace.gap + (self.pace.rest if full else 0.0)

    def _begins_batch(self, now: float) -> bool:
        """Whether a subscribe is the first of a batch: the one before is full, or the queue ran dry for that long."""
        return now >= self._taken_at + self.pace.gap + self.pace.rest

    def _due(self, now: float) -> Subscription | None:
        """Who is to be subscribed now."""
        if not self.linked or now < self._slot or (head := self._head()) is None:
            return None
        return head if self._has_place(head) else None

    def _has_place(self, subscription: Subscription) -> bool:
        return self.cap is None or len(self._placed) < self.cap or subscription.jid in self._placed

    def _head(self) -> Subscription | None:
        """The most urgent contact that waits."""
        while self._queue:
            *_key, ticket, jid = self._queue[0]
            subscription = self._all.get(jid)
            if subscription is not None and subscription.ticket == ticket:
                return subscription
            heappop(self._queue)
        return None

    def _is_live(self, timer: tuple[float, int, Jid]) -> bool:
        _due, ticket, jid = timer
        return jid in self._all and self._all[jid].ticket == ticket

    def _move(self, subscription: Subscription, state: State, due: float) -> None:
        self._tickets += 1
        self.counts[subscription.state] -= 1
        self.counts[state] += 1
        subscription.state, subscription.due, subscription.ticket = state, due, self._tickets
        if state is State.ACTIVE:
            self.unconfirmed.discard(subscription.jid)
        else:
            self.unconfirmed.add(subscription.jid)
        self._changed.add(subscription.jid)

    def _enqueue(self, subscription: Subscription, state: State) -> None:
        self._move(subscription, state, 0.0)
        key = (subscription.priority, subscription.turn, subscription.order, subscription.ticket, subscription.jid)
        heappush(self._queue, key)

    def _wait(self, subscription: Subscription, state: State, due: float) -> None:
        self._move(subscription, state, due)
        heappush(self._timers, (due, subscription.ticket, subscription.jid))

    def _fail(self, subscription: Subscription, now: float) -> None:
        subscription.attempts += 1
        self._wait(subscription, State.FAILED, now + backoff(subscription.attempts))

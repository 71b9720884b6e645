# SPDX-License-Identifier: Apache-2.0
"""The book: a state machine drives it against plain objects in a dict, and its size is weighed."""

import gc
import tracemalloc
from dataclasses import replace
from math import nan

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wigwag.domain.book import BLOCK, NOBODY, Book
from wigwag.domain.ids import Jid
from wigwag.domain.presence import HIDDEN, Presence, PresenceChanged, Signal, Status

PEOPLE = [Jid(f"1555000000{n}@s.whatsapp.net") for n in range(6)]
ACCOUNTS = ["default", "shop"]
JOHN = PEOPLE[0]
U, OFF, ON = Status.UNKNOWN, Status.OFFLINE, Status.ONLINE

people = st.sampled_from(PEOPLE)
accounts = st.sampled_from(ACCOUNTS)
signals = st.sampled_from([Signal.AVAILABLE, Signal.UNAVAILABLE])
instants = st.integers(1, 40).map(float)
last_seens = st.none() | instants


class BookMachine(RuleBasedStateMachine):
    """Each rule does the same to the book and to the model, and compares what comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.model: dict[Jid, Presence] = {}
        self.dirty: set[Jid] = set()

    # --- who is in the book

    @rule(jid=people, account=accounts, status=st.sampled_from(Status), since=instants, seen=last_seens, heard=instants)
    def put(self, jid: Jid, account: str, status: Status, since: float, seen: float | None, heard: float) -> None:
        if status is not U:
            heard = max(heard, since)  # what is known was heard; only not to know may be newer
        presence = Presence(
            jid=jid,
            name=f"{jid} of {account}",
            account=account,
            status=status,
            since=since,
            last_seen=seen,
            heard=heard,
            went_online=int(heard),
            went_offline=int(since),
        )
        revision = sum(self.book.revisions())
        self.book.put(presence)
        self.model[jid] = presence
        self.dirty.add(jid)
        assert sum(self.book.revisions()) > revision

    @rule(jid=people)
    def put_new(self, jid: Jid) -> None:
        self.book.put(Presence(jid=jid, name="", account="default"))
        self.model[jid] = Presence(jid=jid, name="", account="default")
        self.dirty.add(jid)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        jid = data.draw(st.sampled_from(sorted(self.model)))
        revision = sum(self.book.revisions())
        self.book.remove(jid)
        del self.model[jid]
        self.dirty.discard(jid)
        assert sum(self.book.revisions()) > revision

    @precondition(lambda self: self.model)
    @rule(data=st.data(), name=st.text())
    def rename(self, data: st.DataObject, name: str) -> None:
        jid = data.draw(st.sampled_from(sorted(self.model)))
        revision = sum(self.book.revisions())
        self.book.rename(jid, name)
        self.model[jid] = replace(self.model[jid], name=name)
        self.dirty.add(jid)
        assert sum(self.book.revisions()) > revision

    # --- what happens to it

    @rule(jid=people, signal=signals, at=instants, reported=last_seens, account=accounts, snapshot=st.booleans())
    def report(self, jid: Jid, signal: Signal, at: float, reported: float | None, account: str, snapshot: bool) -> None:
        known = self.model.get(jid)
        revision = sum(self.book.revisions())
        said = HIDDEN if reported is None else reported
        news = self.book.report(jid, signal, at, said, account=account, snapshot=snapshot)
        if known is None or known.account != account or at < max(known.heard, known.since):
            assert news is None
            assert sum(self.book.revisions()) == revision
            return
        then = self._reported(known, signal, at, reported, snapshot)
        self.model[jid] = then
        turned = then.status is not known.status
        counted = then.went_online + then.went_offline > known.went_online + known.went_offline
        expected = PresenceChanged(jid, known.status, then.status, at, then.last_seen, counted)
        assert news == (expected if turned else None)
        visible = turned or then.last_seen != known.last_seen
        assert (sum(self.book.revisions()) > revision) is visible
        if visible:
            self.dirty.add(jid)

    @staticmethod
    def _reported(known: Presence, signal: Signal, at: float, reported: float | None, snapshot: bool) -> Presence:
        if signal is Signal.AVAILABLE:
            then = replace(known, status=ON, last_seen=max(at, known.last_seen or 0.0))
        elif reported is None:
            then = replace(known, status=OFF, last_seen=None)
        else:
            then = replace(known, status=OFF, last_seen=max(min(reported, at), known.last_seen or 0.0))
        if then.status is not known.status:
            then = replace(then, since=at)
            first = known.status is U and not known.heard
            if then.status is ON and not snapshot and not first:
                then = replace(then, went_online=known.went_online + 1)
            if then.status is OFF and not snapshot and known.status is ON:
                then = replace(then, went_offline=known.went_offline + 1)
        return replace(then, heard=at)

    @rule(jid=people, at=instants)
    def lose(self, jid: Jid, at: float) -> None:
        expected = self._lost(jid, at)
        revision = sum(self.book.revisions())
        assert self.book.lose(jid, at) == expected
        assert (sum(self.book.revisions()) > revision) is (expected is not None)

    @rule(account=st.sampled_from([*ACCOUNTS, "nobody's"]), at=instants)
    def lose_account(self, account: str, at: float) -> None:
        lost = [jid for jid, known in self.model.items() if known.account == account]
        expected = [change for jid in lost if (change := self._lost(jid, at))]
        assert sorted(self.book.lose_account(account, at)) == sorted(expected)

    def _lost(self, jid: Jid, at: float) -> PresenceChanged | None:
        known = self.model.get(jid)
        if known is None or known.status is U:
            return None
        at = max(at, known.since)
        self.model[jid] = replace(known, status=U, since=at)
        self.dirty.add(jid)
        return PresenceChanged(jid, known.status, U, at, known.last_seen, counted=False)

    # --- what is to be kept

    @rule(limit=st.integers(0, 4))
    def take_dirty(self, limit: int) -> None:
        taken = self.book.take_dirty(limit)
        jids = {presence.jid for presence in taken}
        assert len(taken) == len(jids) == min(limit, len(self.dirty))
        assert jids <= self.dirty
        assert all(presence == self.model[presence.jid] for presence in taken)
        self.dirty -= jids

    @rule(jids=st.lists(people))
    def mark_dirty(self, jids: list[Jid]) -> None:
        self.book.mark_dirty(jids)
        self.dirty |= self.model.keys() & set(jids)

    # --- what readers see

    @invariant()
    def everybody_reads_the_same(self) -> None:
        assert {presence.jid: presence for presence in self.book.views()} == self.model
        assert set(self.book) == self.model.keys()
        assert len(self.book) == len(self.model)
        for jid in PEOPLE:
            known = self.model.get(jid)
            assert (jid in self.book) is (known is not None)
            assert self.book.get(jid) == known
            assert self.book.heard_at(jid) == (known.heard if known else 0.0)
            assert self.book.name_of(jid) == (known.name if known else "")

    @invariant()
    def counts_equal_a_recount(self) -> None:
        for status in Status:
            assert self.book.count(status) == sum(known.status is status for known in self.model.values())

    @invariant()
    def free_rows_show_nobody(self) -> None:
        shown = {jid: self.book.names[row] for row, jid in enumerate(self.book.jids) if jid != NOBODY}
        assert shown == {jid: known.name for jid, known in self.model.items()}
        assert len(self.book.jids) <= len(PEOPLE)
        assert all(name == "" for row, name in enumerate(self.book.names) if self.book.jids[row] == NOBODY)


BookMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestBook = BookMachine.TestCase


def book_of(size: int) -> Book:
    book = Book()
    for n in range(size):
        book.put(Presence(jid=Jid(f"1555{n:07}@s.whatsapp.net"), name=f"Contact {n}", account="default"))
    return book


@pytest.mark.parametrize(
    ("row", "revisions"), [(0, [1, 0, 0]), (BLOCK - 1, [1, 0, 0]), (BLOCK, [0, 1, 0]), (2 * BLOCK, [0, 0, 1])]
)
def test_a_change_raises_the_revision_of_its_own_block_alone(row: int, revisions: list[int]) -> None:
    book = book_of(2 * BLOCK + 1)
    before = list(book.revisions())
    book.report(book.jids[row], Signal.AVAILABLE, 10.0, account="default")
    assert [after - once for once, after in zip(before, book.revisions(), strict=True)] == revisions


@pytest.mark.parametrize(
    ("signal", "at", "reported", "news"),
    [
        (Signal.AVAILABLE, 20.0, nan, True),  # here a moment longer: last seen moved
        (Signal.AVAILABLE, 10.0, nan, False),  # the very same again
        (Signal.AVAILABLE, 9.0, nan, False),  # out of order
        (Signal.UNAVAILABLE, 9.0, nan, False),
        (Signal.UNAVAILABLE, 20.0, nan, True),
    ],
)
def test_twice_and_out_of_order_change_nothing(signal: Signal, at: float, reported: float, news: bool) -> None:
    book = book_of(1)
    jid = next(iter(book))
    book.report(jid, Signal.AVAILABLE, 10.0, account="default")
    book.take_dirty(1)
    book.report(jid, signal, at, reported, account="default")
    assert bool(book.take_dirty(1)) is news


def test_hidden_last_seen_said_twice_is_no_news() -> None:
    book = book_of(1)
    jid = next(iter(book))
    book.report(jid, Signal.UNAVAILABLE, 10.0, account="default")
    book.take_dirty(1)
    book.report(jid, Signal.UNAVAILABLE, 11.0, account="default")
    assert book.take_dirty(1) == []


def test_what_was_said_before_the_loss_does_not_undo_it() -> None:
    book = book_of(1)
    jid = next(iter(book))
    book.report(jid, Signal.AVAILABLE, 10.0, account="default")
    book.lose(jid, 20.0)
    assert book.report(jid, Signal.AVAILABLE, 15.0, account="default") is None
    assert book.count(U) == 1
    assert book.report(jid, Signal.AVAILABLE, 20.0, account="default") is not None


def test_a_contact_takes_at_most_300_bytes() -> None:
    gc.collect()
    tracemalloc.start()
    try:
        book = book_of(10_000)
        for jid in book:
            book.report(jid, Signal.AVAILABLE, 1.8e9, account="default")
        book.take_dirty(10_000)
        gc.collect()
        size, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / len(book) <= 300

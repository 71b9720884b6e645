# SPDX-License-Identifier: Apache-2.0
"""The watchlist: the most urgent wish counts, and a contact is tracked until the last wish is withdrawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.errors import InvalidSettings
from wigwag.domain.ids import Jid
from wigwag.domain.watchlist import BY_NAME, HIGH, LOW, MEDIUM, Watch, WatchedGroup, Watchlist

JOHN, JANE = Jid("15550000001@s.whatsapp.net"), Jid("15550000002@s.whatsapp.net")
FAMILY, WORK = Jid("111111@g.us"), Jid("222222@g.us")
SOURCES = [BY_NAME, FAMILY, WORK]


def wish(jid: Jid = JOHN, source: str = BY_NAME, priority: int = MEDIUM, name: str = "") -> Watch:
    return Watch(jid=jid, source=source, account="default", priority=priority, name=name)


def watchlist(*wishes: Watch) -> Watchlist:
    made = Watchlist()
    for each in wishes:
        made.add(each)
    return made


@pytest.mark.parametrize("priority", [HIGH, MEDIUM, LOW])
def test_there_are_three_priorities(priority: int) -> None:
    assert wish(priority=priority).priority == priority


@pytest.mark.parametrize("priority", [0, 4, -1, 100])
def test_any_other_priority_is_refused(priority: int) -> None:
    with pytest.raises(InvalidSettings, match=r"1 \(high\), 2 \(medium\) or 3 \(low\)"):
        wish(priority=priority)


@pytest.mark.parametrize(
    ("priorities", "counts"), [([], LOW), ([LOW], LOW), ([LOW, HIGH], HIGH), ([MEDIUM, LOW, MEDIUM], MEDIUM)]
)
def test_the_most_urgent_wish_counts(priorities: list[int], counts: int) -> None:
    wishes = [wish(source=source, priority=priority) for source, priority in zip(SOURCES, priorities, strict=False)]
    assert watchlist(*wishes).priority(JOHN) == counts


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ({}, ""),
        ({BY_NAME: ""}, ""),
        ({BY_NAME: "Boss", FAMILY: "Dad"}, "Boss"),
        ({FAMILY: "Dad", BY_NAME: "Boss"}, "Boss"),
        ({FAMILY: "", WORK: "John", BY_NAME: ""}, "John"),
    ],
)
def test_who_named_the_contact_itself_names_it_first(names: dict[str, str], name: str) -> None:
    assert watchlist(*(wish(source=source, name=text) for source, text in names.items())).name(JOHN) == name


def test_a_newer_wish_of_the_same_source_takes_the_place_of_the_older() -> None:
    watches = watchlist(wish(priority=HIGH), wish(priority=LOW))
    assert watches.priority(JOHN) == LOW
    assert len(watches.wishes(JOHN)) == 1


def test_a_stranger_has_no_account_no_name_and_no_wishes() -> None:
    watches = watchlist(wish())
    assert JANE not in watches
    assert watches.account(JANE) is None
    assert watches.name(JANE) == ""
    assert watches.wishes(JANE) == []
    assert watches.forget(JANE) == []


def test_members_are_those_wanted_through_the_group() -> None:
    watches = watchlist(wish(source=FAMILY), wish(JANE, source=FAMILY), wish(JANE, source=WORK), wish(JOHN))
    assert watches.members(FAMILY) == {JOHN, JANE}
    assert watches.members(WORK) == {JANE}
    assert watches.members(Jid("333333@g.us")) == set()


def test_forgetting_a_contact_withdraws_every_wish_and_says_which() -> None:
    wishes = [wish(), wish(source=FAMILY)]
    watches = watchlist(*wishes, wish(JANE))
    assert watches.forget(JOHN) == wishes
    assert JOHN not in watches
    assert JANE in watches


def test_a_watched_group_is_of_medium_urgency_unless_told() -> None:
    assert WatchedGroup(jid=FAMILY, account="default").priority == MEDIUM


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([JOHN, JANE]), st.sampled_from(SOURCES), st.sampled_from([1, 2, 3])),
        max_size=30,
    )
)
def test_a_contact_is_tracked_until_the_last_wish_is_withdrawn(steps: list[tuple[bool, Jid, str, int]]) -> None:
    watches = Watchlist()
    model: dict[tuple[Jid, str], int] = {}
    for wanted, jid, source, priority in steps:
        if wanted:
            watches.add(wish(jid, source, priority))
            model[jid, source] = priority
        else:
            model.pop((jid, source), None)
            assert watches.remove(jid, source) is all(other != jid for other, _source in model)
        for each in (JOHN, JANE):
            wanted_by = {source: urgent for (other, source), urgent in model.items() if other == each}
            assert (each in watches) is bool(wanted_by)
            assert {watch.source: watch.priority for watch in watches.wishes(each)} == wanted_by
            assert watches.priority(each) == min(wanted_by.values(), default=LOW)
            assert watches.account(each) == ("default" if wanted_by else None)
        for group in (FAMILY, WORK):
            assert watches.members(group) == {jid for jid, source in model if source == group}

# SPDX-License-Identifier: Apache-2.0
"""The inbox under any load: bounded, in order, and never without the newest presence of a contact."""

from hypothesis import given
from hypothesis import strategies as st

from wigwag.adapters.whatsapp.inbox import Heard, Inbox

LIMIT = 5
things = st.lists(st.one_of(st.sampled_from("abcdefgh"), st.none()))  # whose presence, or a word about the link


def fill(inbox: Inbox, whose: list[str | None]) -> list[Heard]:
    heard = [Heard("default", float(at), f"message {at}", who) for at, who in enumerate(whose)]
    for each in heard:
        inbox.put(each)
    return heard


@given(whose=things)
async def test_it_drops_nothing_but_presences_that_a_newer_one_replaces(whose: list[str | None]) -> None:
    inbox = Inbox(limit=LIMIT)
    heard = fill(inbox, whose)
    if not heard:
        return
    taken = await inbox.take()
    assert len(heard) - len(taken) == inbox.dropped
    assert [each for each in taken if each.whose is None] == [each for each in heard if each.whose is None]
    for who in set(whose) - {None}:
        assert [h for h in taken if h.whose == who][-1] == [h for h in heard if h.whose == who][-1]


@given(whose=things)
async def test_what_is_said_of_one_contact_and_of_the_link_stays_in_order(whose: list[str | None]) -> None:
    inbox = Inbox(limit=LIMIT)
    if not fill(inbox, whose):
        return
    taken = await inbox.take()
    for who in set(whose):
        about = [each.at for each in taken if each.whose in (who, None)]
        assert about == sorted(about)


@given(whose=st.lists(st.sampled_from("abcdefgh")))
def test_it_never_holds_more_than_its_limit_and_one_for_each_contact(whose: list[str]) -> None:
    inbox = Inbox(limit=LIMIT)
    fill(inbox, list(whose))
    assert len(inbox) <= LIMIT + len(set(whose))


async def test_after_it_was_emptied_it_waits_for_something_new() -> None:
    inbox = Inbox()
    first, second = fill(inbox, ["a", None])
    assert await inbox.take() == [first, second]
    assert len(inbox) == 0
    inbox.put(first)
    assert await inbox.take() == [first]

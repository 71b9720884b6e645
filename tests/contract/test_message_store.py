# SPDX-License-Identifier: Apache-2.0
"""The law of the port MessageStore, on every kind of store."""

import asyncio
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.making import BRUNO, GROUP, NOW, ODD_TEXTS, WANDA, event, message
from wigwag.app.ports import EventLog, MessageStore
from wigwag.domain.messages import Message, MessageKind

whole_messages = st.builds(
    Message,
    account=st.sampled_from(["default", "second"]),
    chat=st.sampled_from([WANDA, GROUP]),
    id=st.just(""),  # each gets its own
    sender=st.sampled_from([WANDA, BRUNO]),
    from_me=st.booleans(),
    kind=st.sampled_from([kind for kind in MessageKind if kind not in (MessageKind.EDIT, MessageKind.DELETION)]),
    at=st.floats(0.0, 4e9),
    name=st.sampled_from(["", "Ané 👩🏽\u200d🚀"]),
    text=st.sampled_from(["", *ODD_TEXTS, "🦩" * 65_536]),
    target=st.sampled_from(["", "3EB0"]),
    quoted=st.sampled_from(["", "3EB0" * 32]),
    mimetype=st.sampled_from(["", "image/png"]),
    size=st.integers(0, 2**40),
    raw=st.binary(max_size=99) | st.just(bytes(range(256)) * 300),
    media=st.sampled_from(["", "a" * 64]),
    job=st.sampled_from(["", "b" * 32]),
    edited=st.none() | st.floats(0.0, 4e9),
    deleted=st.none() | st.floats(0.0, 4e9),
)
on_one_store = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def kept(store: MessageStore, wanted: Message) -> Message | None:
    return await store.get(wanted.account, wanted.chat, wanted.id)


@on_one_store
@given(made=whole_messages)
async def test_a_message_comes_back_as_it_was(messages: MessageStore, made: Message) -> None:
    made = replace(made, id=message().id)
    assert await messages.keep([made]) == [True]
    assert await kept(messages, made) == made
    assert made in await messages.chat(made.account, made.chat, 100)


async def test_a_text_that_no_database_holds_is_kept_as_far_as_it_goes(messages: MessageStore) -> None:
    odd = message(text="a\0\ud83db" + "x" * 300, name="n\0" + "x" * 300, mimetype="\ud83d")
    await messages.keep([odd])
    expected = replace(odd, text="a??b" + "x" * 300, name=("n?" + "x" * 300)[:255], mimetype="?")
    assert await kept(messages, odd) == expected


async def test_keeping_a_message_twice_is_keeping_it_once(messages: MessageStore, log: EventLog) -> None:
    one, two = message(text="one"), message(text="two")
    again = replace(one, text="something else")
    assert await messages.keep([one], [event(message=one.id)]) == [True]
    news = [replace(event(message=each.id, again=True)) for each in (again, two)]
    assert await messages.keep([again, two, two], news) == [False, True, False]
    assert await messages.chat("default", WANDA, 9) == sorted([one, two], key=lambda each: each.id, reverse=True)
    assert [told.data["message"] for _position, told in await log.after(0, 9)] == [one.id, two.id]


async def test_a_message_is_known_by_account_chat_and_id(messages: MessageStore, log: EventLog) -> None:
    one = message(GROUP)
    others = [replace(one, account="second"), replace(one, chat=WANDA), replace(one, id=one.id.lower())]
    await messages.keep([one])
    assert await messages.keep(others, [replace(event(message=one.id), account="second")]) == [True] * 3
    assert await log.last() == 1
    assert await messages.get("third", one.chat, one.id) is None


async def test_nothing_to_keep_is_fine(messages: MessageStore, log: EventLog) -> None:
    assert await messages.keep([]) == []
    await messages.keep([], [event()])
    assert await log.last() == 1


# --- what is about other messages


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_edits_count_in_the_order_of_their_instants(messages: MessageStore, order: tuple[int, ...]) -> None:
    """In whichever order they are heard; the message itself may come last."""
    first = message(text="first")
    edits = [
        message(kind=MessageKind.EDIT, target=first.id, text=f"edit {number}", at=NOW + number) for number in (1, 2, 3)
    ]
    for turn in order:
        await messages.keep([[first, *edits][turn]])
    assert await kept(messages, first) == replace(first, text="edit 3", edited=NOW + 3)
    assert await kept(messages, edits[0]) == edits[0]


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("together", [False, True])
async def test_a_deleted_message_stays_empty(messages: MessageStore, order: tuple[int, ...], together: bool) -> None:
    first = message(text="first", raw=b"bytes", kind=MessageKind.IMAGE, media="a" * 64)
    edit = message(kind=MessageKind.EDIT, target=first.id, text="edit", at=NOW + 1)
    deletion = message(kind=MessageKind.DELETION, target=first.id, text="", at=NOW + 2)
    told = [[first, edit, deletion][turn] for turn in order]
    for batch in [told] if together else [[each] for each in told]:
        await messages.keep(batch)
    found = await kept(messages, first)
    assert found is not None
    assert replace(found, edited=None) == replace(first, text="", raw=b"", deleted=NOW + 2)


@pytest.mark.parametrize("kind", [MessageKind.EDIT, MessageKind.DELETION])
@pytest.mark.parametrize("late", [False, True])
async def test_nobody_changes_what_another_said(messages: MessageStore, kind: MessageKind, late: bool) -> None:
    first = message(GROUP, sender=WANDA)
    for about in ({"sender": BRUNO}, {"account": "second"}, {"chat": WANDA}, {"target": first.id.lower()}):
        change = message(**{"chat": GROUP, "kind": kind, "target": first.id, "text": "no", "at": NOW + 1} | about)  # type: ignore[arg-type]
        for each in [change, first] if late else [first, change]:
            await messages.keep([each])
        assert await kept(messages, first) == first


async def test_a_reaction_changes_nothing(messages: MessageStore) -> None:
    first = message()
    await messages.keep([first, message(kind=MessageKind.REACTION, target=first.id, text="🦩", at=NOW + 1)])
    assert await kept(messages, first) == first


# --- reading


async def test_a_chat_is_read_newest_first(messages: MessageStore) -> None:
    said = [message(at=NOW + number) for number in range(5)]
    await messages.keep([*said[::2], *said[1::2], message(BRUNO), message(account="second")])
    assert await messages.chat("default", WANDA, 9) == said[::-1]
    assert await messages.chat("default", WANDA, 2) == said[:2:-1]
    assert await messages.chat("default", WANDA, 2, before=(NOW + 3, "")) == [said[2], said[1]]
    assert await messages.chat("default", GROUP, 9) == []


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_a_chat_is_read_in_pages_without_a_gap_and_without_a_repeat(messages: MessageStore, size: int) -> None:
    """Many may be said at one instant, and a third of a second is no round number."""
    ids = ["3EB0", "3eb0", "A", "a", "Z", "z-1", "0"]
    said = [message(id=f"{name}{third}", at=NOW + third / 3) for third in range(3) for name in ids]
    await messages.keep([*said[1::2], *said[::2], message(at=NOW + 9)])
    read: list[Message] = []
    edge = NOW + 9, ""
    while page := await messages.chat("default", WANDA, size, before=edge):
        assert len(page) <= size
        read += page
        edge = page[-1].at, page[-1].id
    assert read == sorted(said, key=lambda each: (each.at, each.id), reverse=True)


async def test_a_chat_is_known_when_either_side_spoke(messages: MessageStore) -> None:
    await messages.keep([message(), message(GROUP, from_me=True), message(BRUNO, account="second")])
    assert await messages.known("default", [WANDA, BRUNO, GROUP]) == {WANDA, GROUP}
    assert await messages.known("default", []) == set()


async def test_media_are_noted_with_their_message(messages: MessageStore) -> None:
    one, two = message(kind=MessageKind.IMAGE), message(kind=MessageKind.IMAGE)
    await messages.keep([one, two])
    await messages.put_media("default", WANDA, one.id, "a" * 64)
    await messages.put_media("default", WANDA, "not there", "a" * 64)
    assert await kept(messages, one) == replace(one, media="a" * 64)
    assert await kept(messages, two) == two


async def test_what_was_said_before_is_forgotten(messages: MessageStore) -> None:
    old, young = [message() for _ in range(5001)], message(at=NOW + 1.0)
    await messages.keep([*old, young])
    assert await messages.forget(NOW + 1.0) == 5001
    assert await messages.chat("default", WANDA, 9) == [young]


async def test_whoever_keeps_at_the_same_time_keeps_each_once(messages: MessageStore, log: EventLog) -> None:
    said = [message() for _ in range(30)]
    answers = await asyncio.gather(
        *(messages.keep(part, [event(message=each.id) for each in part]) for part in [said[:20], said[10:], said])
    )
    assert sum(map(sum, answers)) == 30
    assert len(await messages.chat("default", WANDA, 99)) == 30
    assert len(await log.after(0, 99)) == 30

# SPDX-License-Identifier: Apache-2.0
"""The laws of the ports UserStore and Directory, on every kind of store."""

from dataclasses import replace
from typing import Protocol

import pytest

from tests.contract.making import ODD_TEXTS
from wigwag.app.ports import Directory, User, UserStore
from wigwag.domain.errors import Conflict
from wigwag.domain.ids import Jid
from wigwag.domain.users import Audience, Privacy, UserId

WHOLE = User(
    id=7,
    name="Anna",
    phone_number="+15550100042",
    profile_pic="https://example.org/anna.png",
    privacy=Privacy(status=Audience.EVERYONE, last_seen=Audience.NOBODY),
    jid=Jid("15550100042@s.whatsapp.net"),
)
IDS: list[UserId] = [0, 7, 10, (1 << 63) - 1, "anna", "Anna", "a", "!", "~" * 64, "9" * 40, "a:7"]


class Users(UserStore, Directory, Protocol):
    """Both ports."""


async def test_a_new_store_knows_nobody(users: Users) -> None:
    assert await users.get(7) is None
    assert await users.find(None, 9) == []
    assert await users.contacts(7) == set()
    assert await users.privacy([7]) == {}
    assert await users.remove(7) is False
    await users.put([])


@pytest.mark.parametrize("user", [WHOLE, User(id="anna")], ids=["all", "nothing but an id"])
async def test_a_user_comes_back_as_put_and_the_last_one_counts(users: Users, user: User) -> None:
    for put in (user, replace(user, name="Bruno", privacy=Privacy(), jid=None), user):
        await users.put([put])
        assert await users.get(user.id) == put
        assert await users.privacy([user.id, 99]) == {user.id: put.privacy}


@pytest.mark.parametrize("text", [*ODD_TEXTS, "a\0b", "\ud83d"])
async def test_no_text_of_others_makes_a_user_unwritable(users: Users, text: str) -> None:
    await users.put([replace(WHOLE, name=text, phone_number=text, profile_pic=text)])
    kept = await users.get(7)
    assert kept is not None
    whole = text.replace("\0", "?").replace("\ud83d", "?")
    assert (kept.name, kept.phone_number, kept.profile_pic) == (whole[:255], whole[:20], whole)


async def test_ids_are_numbers_or_words_told_apart_byte_by_byte_and_listed_in_the_order_of_their_texts(
    users: Users,
) -> None:
    await users.put([User(id=user, name=f"user {user}") for user in IDS])
    in_order = sorted(IDS, key=str)
    found: list[User] = []
    while (page := await users.find(found[-1].id if found else None, 3)) and len(found) < len(IDS):
        assert len(page) <= 3
        found += page
    assert page == []
    assert [user.id for user in found] == in_order
    assert [user.name for user in found] == [f"user {user}" for user in in_order]


async def test_a_phone_number_has_one_user_and_a_clash_changes_nothing(users: Users) -> None:
    await users.put([WHOLE, User(id=8), User(id=9)])
    taken, twice = replace(WHOLE, id=9), [User(id=9, phone_number="5"), User(id=10, phone_number="5")]
    for clash in ([taken], [replace(taken, id=10)], twice):
        with pytest.raises(Conflict, match="phone number"):
            await users.put([User(id=11), User(id=8, name="Bruno"), *clash])
    assert await users.find(None, 9) == [WHOLE, User(id=8), User(id=9)]


async def test_users_may_swap_their_phone_numbers(users: Users) -> None:
    await users.put([User(id=1, phone_number="1"), User(id=2, phone_number="2")])
    swapped = [User(id=1, phone_number="2"), User(id=2, phone_number="1")]
    await users.put(swapped)
    assert await users.find(None, 9) == swapped


async def test_contacts_are_mutual_and_nobody_is_a_contact_of_oneself(users: Users) -> None:
    for _ in range(2):
        await users.add_contacts(7, [8, "anna", 7])
    assert await users.contacts(7) == {8, "anna"}
    assert await users.contacts(8) == await users.contacts("anna") == {7}
    await users.remove_contacts(8, [7, 99])
    await users.remove_contacts(8, [])
    assert await users.contacts(7) == {"anna"}
    assert await users.contacts(8) == set()


async def test_a_removed_user_leaves_no_contact_behind_and_takes_nobody_along(users: Users) -> None:
    await users.put([WHOLE, User(id=8)])
    await users.add_contacts(7, [8, 9])
    await users.add_contacts(8, [9])
    assert await users.remove(7) is True
    assert await users.remove(7) is False
    assert await users.find(None, 9) == [User(id=8)]
    assert await users.contacts(8) == {9}
    await users.put([WHOLE])
    assert await users.contacts(7) == set()


async def test_a_thousand_contacts_and_their_privacy_are_told_at_once(users: Users) -> None:
    crowd: list[UserId] = list(range(100, 1300))
    await users.put([User(id=user, phone_number=f"+{user}") for user in crowd])
    await users.add_contacts(7, crowd)
    assert await users.contacts(7) == set(crowd)
    assert await users.privacy(crowd) == dict.fromkeys(crowd, Privacy())

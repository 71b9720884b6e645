# SPDX-License-Identifier: Apache-2.0
"""The laws of the port GrantStore, on every kind of store."""

from wigwag.adapters.memory.users import MemoryUserStore
from wigwag.adapters.storage.users import SqlUserStore
from wigwag.app.ports import GrantStore, User
from wigwag.domain.ids import Jid

ANN, BOB = Jid("15550100042@s.whatsapp.net"), Jid("15550100043@s.whatsapp.net")


async def test_grants_add_up_and_are_taken_back_one_by_one(grants: GrantStore) -> None:
    assert await grants.granted(7) == set()
    for _ in range(2):
        await grants.grant(7, [ANN, BOB])
    await grants.grant("anna", [ANN])
    await grants.grant(8, [])
    await grants.revoke(7, [BOB, Jid("15550100099@s.whatsapp.net")])
    await grants.revoke(8, [BOB])
    assert [await grants.granted(user) for user in (7, "anna", 8)] == [{ANN}, {ANN}, set()]


async def test_a_removed_user_may_watch_nobody(grants: GrantStore, users: MemoryUserStore | SqlUserStore) -> None:
    await users.put([User(id=7), User(id=8)])
    for user in (7, 8):
        await grants.grant(user, [ANN])
    await users.remove(7)
    await users.put([User(id=7)])
    assert [await grants.granted(user) for user in (7, 8)] == [set(), {ANN}]


async def test_an_erased_contact_is_watched_by_nobody_and_linked_to_nobody(
    grants: GrantStore, users: MemoryUserStore | SqlUserStore
) -> None:
    await users.put([User(id=7, jid=ANN), User(id=8, jid=BOB)])
    for user in (7, 8):
        await grants.grant(user, [ANN, BOB])
    await grants.erase_contact(ANN)
    assert [await grants.granted(user) for user in (7, 8)] == [{BOB}, {BOB}]
    assert await users.find(None, 9) == [User(id=7), User(id=8, jid=BOB)]


async def test_a_thousand_contacts_are_granted_at_once(grants: GrantStore) -> None:
    crowd = {Jid(f"1555{number:07}@s.whatsapp.net") for number in range(1000)}
    await grants.grant(7, crowd)
    assert await grants.granted(7) == crowd
    await grants.revoke(7, crowd)
    assert await grants.granted(7) == set()

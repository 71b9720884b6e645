# SPDX-License-Identifier: Apache-2.0
"""The law of the port AccountStore, on every kind of store."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wigwag.app.ports import AccountStore
from wigwag.domain.account import Account, LinkState
from wigwag.domain.ids import Jid

instants = st.floats(0.0, 4e9)
saved_accounts = st.builds(
    Account,
    name=st.sampled_from(["default", "second", "a" * 32]),
    state=st.sampled_from(LinkState),
    since=instants,
    jid=st.none() | st.just(Jid("15550000000@s.whatsapp.net")),
    until=st.none() | instants,
    detail=st.sampled_from(["", "replaced 🙃", "x" * 255]),
    reconnects=st.integers(0, 2**40),
    failures=st.integers(0, 2**40),
    appear=st.booleans(),
)
on_one_store = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def test_a_new_store_has_no_accounts_and_no_choices(accounts: AccountStore) -> None:
    assert await accounts.load() == []
    assert await accounts.choices() == {}


@on_one_store
@given(steps=st.lists(st.tuples(st.booleans(), saved_accounts), max_size=8))
async def test_accounts_read_like_a_dictionary(accounts: AccountStore, steps: list[tuple[bool, Account]]) -> None:
    for account in await accounts.load():
        await accounts.remove(account.name)
    known: dict[str, Account] = {}
    for put, account in steps:
        if put:
            await accounts.put(account)
            known[account.name] = account
        else:
            await accounts.remove(account.name)
            known.pop(account.name, None)
    assert await accounts.load() == [known[name] for name in sorted(known)]


async def test_a_long_or_odd_reason_is_cut_and_not_refused(accounts: AccountStore) -> None:
    odd = Account(name="default", detail="\ud83d\0" + "🙃" * 300)
    await accounts.put(odd)
    assert await accounts.load() == [replace(odd, detail="??" + "🙃" * 253)]


async def test_the_last_choice_counts(accounts: AccountStore) -> None:
    for key, value in [("pace", "20 0.2 5.0"), ("greeting", "שלום 👋🏽"), ("pace", "10 0.2 10.0"), ("empty", "")]:
        await accounts.choose(key, value)
    assert await accounts.choices() == {"pace": "10 0.2 10.0", "greeting": "שלום 👋🏽", "empty": ""}

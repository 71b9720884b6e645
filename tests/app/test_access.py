# SPDX-License-Identifier: Apache-2.0
"""The desk over several processes, while the database is away, and after what was shown has ended."""

import asyncio
from collections.abc import Awaitable

import pytest

from wigwag.adapters.memory.access import MemoryKeyStore
from wigwag.app.access import Access, Rules, Vault
from wigwag.app.access.audit import MOST_WAITING, Audit
from wigwag.app.access.keyring import MOST_STAYS, READ_EVERY
from wigwag.app.access.throttle import Throttle
from wigwag.domain.access import AuditEntry, Caller, Means, Scope, digest
from wigwag.domain.credentials import Credentials
from wigwag.domain.errors import StoreUnavailable, Unauthenticated
from wigwag.domain.quota import Quota
from wigwag.testing import FakeClock, MemoryStores, RecordingSink

OPERATOR = Caller(id="a", name="a", scopes=frozenset({Scope.ADMIN}), means=Means.KEY)


class Away(MemoryKeyStore):
    """A store that may be away."""

    away = False

    async def keys(self) -> list[object]:  # type: ignore[override]
        if self.away:
            raise StoreUnavailable
        return list(await super().keys())


def process(clock: FakeClock, stores: MemoryStores, rules: Rules = Rules()) -> Access:  # noqa: B008  frozen
    """One of several processes on the same stores."""
    numbers = iter(range(10_000))
    name = f"{id(stores)}{len(stores.__dict__)}"
    return Access(
        Vault(keys=stores.keys, audit=stores.audit),
        rules,
        clock,
        RecordingSink(),
        random=lambda size: f"{name}{next(numbers)}".encode().ljust(size, b".")[-size:],
        new_id=lambda: f"{next(numbers):012d}".translate(str.maketrans("0123456789", "abcdefghij")),
    )


def shown(key: str) -> Credentials:
    return Credentials(key=key, address="192.0.2.7")


async def refused(asking: Awaitable[Caller]) -> bool:
    try:
        await asking
    except Unauthenticated:
        return True
    return False


async def test_a_key_of_another_process_counts_at_once_and_ends_within_seconds() -> None:
    clock, stores = FakeClock(), MemoryStores()
    one, two = process(clock, stores), process(clock, stores)
    await one.restore()
    await two.restore()
    running = asyncio.create_task(two.run())
    await clock.advance(READ_EVERY + 1)
    made = await one.keyring.create("front desk", {Scope.READ})
    await clock.advance(1)
    caller = await two.authenticate(shown(made.secret))
    assert (caller.name, two.alive(caller)) == ("front desk", True)
    await one.keyring.revoke(made.key.id)
    await clock.advance(READ_EVERY)
    assert await refused(two.authenticate(shown(made.secret)))
    assert not two.alive(caller)
    running.cancel()


async def test_a_sign_in_counts_in_every_process_until_it_is_ended_in_one() -> None:
    clock, stores = FakeClock(), MemoryStores()
    one, two = process(clock, stores), process(clock, stores)
    made = await one.keyring.create("front desk", {Scope.READ})
    cookie, caller = await one.sign_in(made.secret, "")
    assert await two.authenticate(Credentials(cookie=cookie)) == caller
    await two.sign_out(cookie)
    await one.restore()
    assert await refused(one.authenticate(Credentials(cookie=cookie)))


async def test_what_was_known_counts_while_the_database_is_away() -> None:
    clock, stores = FakeClock(), MemoryStores()
    stores.keys = kept = Away()
    access = process(clock, stores)
    made = await access.keyring.create("front desk", {Scope.READ}, expires=clock.now() + 100)
    running = asyncio.create_task(access.run())
    kept.away = True
    await clock.advance(60)
    caller = await access.authenticate(shown(made.secret))
    assert caller.name == "front desk"
    await clock.advance(60)
    assert await refused(access.authenticate(shown(made.secret)))  # its time ends all the same
    assert not access.alive(caller)
    running.cancel()


async def test_a_key_of_the_settings_that_changed_ends_its_sign_ins() -> None:
    clock, stores = FakeClock(), MemoryStores()
    before = Rules(fixed={digest("old"): OPERATOR})
    cookie, _ = await process(clock, stores, before).sign_in("old", "")
    assert not await refused(process(clock, stores, before).authenticate(Credentials(cookie=cookie)))
    after = Rules(fixed={digest("new"): Caller(id="b", name="b", scopes=OPERATOR.scopes, means=Means.KEY)})
    assert await refused(process(clock, stores, after).authenticate(Credentials(cookie=cookie)))


async def test_the_oldest_of_too_many_sign_ins_ends() -> None:
    clock, stores = FakeClock(), MemoryStores()
    access = process(clock, stores, Rules(fixed={digest("key"): OPERATOR}))
    cookies = []
    for _ in range(MOST_STAYS + 1):
        await clock.advance(1)
        cookies.append((await access.sign_in("key", ""))[0])
    ended = [await refused(access.authenticate(Credentials(cookie=cookie))) for cookie in cookies]
    assert ended == [True] + [False] * MOST_STAYS


async def test_whoever_guesses_asks_the_database_once_a_second() -> None:
    clock, stores = FakeClock(), MemoryStores()
    asked = []

    class Counting(MemoryKeyStore):
        async def keys(self) -> list[object]:  # type: ignore[override]
            asked.append(clock.now())
            return []

    stores.keys = Counting()
    access = process(clock, stores)
    for _ in range(50):
        assert await refused(access.authenticate(Credentials(cookie="nobody's")))
    assert len(asked) == 1


def test_no_number_of_addresses_fills_the_memory() -> None:
    throttle = Throttle(most=100)
    for number in range(1000):
        throttle.take(str(number), Quota(limit=1), 0.0)
    assert len(throttle) == 100
    assert throttle.wait("999", Quota(limit=1), 0.0) > 0.0


class AwayAudit:
    """An audit store that is away at first."""

    def __init__(self) -> None:
        self.away, self.kept = True, list[AuditEntry]()

    async def add(self, entries: list[AuditEntry]) -> None:
        if self.away:
            raise StoreUnavailable
        self.kept += entries

    async def entries(self, limit: int, before: int | None = None) -> list[AuditEntry]:
        return self.kept[::-1][:limit]

    async def forget(self, before: float, most: int) -> int:
        return 0


async def test_what_was_done_waits_for_the_database_and_the_oldest_is_lost_first() -> None:
    clock, store = FakeClock(), AwayAudit()
    audit = Audit(store, clock, RecordingSink(), retention=1.0)  # type: ignore[arg-type]  # a list is a sequence
    running = asyncio.create_task(audit.run())
    for number in range(MOST_WAITING + 3):
        audit.note(OPERATOR, "track", str(number), 200, "")
    await clock.advance(10)
    assert (store.kept, audit.dropped) == ([], 3)
    with pytest.raises(StoreUnavailable):
        await audit.entries(1)
    store.away = False
    await clock.advance(2)
    assert [entry.target for entry in store.kept] == [str(number) for number in range(3, MOST_WAITING + 3)]
    running.cancel()

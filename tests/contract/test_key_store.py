# SPDX-License-Identifier: Apache-2.0
"""The laws of the ports KeyStore and AuditStore, on every kind of store."""

from dataclasses import replace

from tests.contract.making import ODD_TEXTS
from wigwag.app.ports import AuditStore, KeyStore
from wigwag.domain.access import AuditEntry, Key, Scope, SignIn, digest
from wigwag.domain.texts import kept_text

START = 1_800_000_000.0  # Unix seconds


def key(key_id: str, **more: object) -> Key:
    values: dict[str, object] = {
        "id": key_id,
        "name": key_id,
        "digest": digest(key_id),
        "scopes": frozenset({Scope.READ}),
    }
    return Key(**values | {"created": START} | more)  # type: ignore[arg-type]


def entry(number: int, **more: object) -> AuditEntry:
    values: dict[str, object] = {"at": START + number, "caller": "anna", "name": "Anna", "action": "track"}
    return AuditEntry(**values | {"target": "/api", "status": 200, "address": "::1"} | more)  # type: ignore[arg-type]


async def test_keys_come_back_as_they_were_oldest_first(keys: KeyStore) -> None:
    assert await keys.keys() == []
    whole = key("b", scopes=frozenset(Scope), per_minute=0, created=START - 1, expires=START + 0.25, revoked=START)
    named = key("c", name=kept_text(ODD_TEXTS[0]) or "c", created=START + 1)
    for each in (named, key("a"), whole):
        await keys.put_key(each)
    assert await keys.keys() == [whole, key("a"), named]


async def test_ids_of_keys_are_told_apart_byte_by_byte(keys: KeyStore) -> None:
    for name in ("a", "A", "a "):
        await keys.put_key(key(name))
    assert {each.id for each in await keys.keys()} == {"a", "A", "a "}


async def test_use_goes_forward_alone_and_outlives_a_change(keys: KeyStore) -> None:
    await keys.put_key(key("a"))
    await keys.used({"a": START + 5, "stranger": START})
    await keys.used({"a": START + 4})
    await keys.put_key(key("a", revoked=START + 9))
    assert await keys.keys() == [key("a", revoked=START + 9, used=START + 5)]


async def test_sign_ins_are_kept_until_they_are_removed(keys: KeyStore) -> None:
    first = SignIn(digest=digest("1"), key="a", created=START, expires=START + 1)
    second = replace(first, digest=digest("2"), created=START - 1)
    for each in (first, first, second):
        await keys.put_sign_in(each)
    assert await keys.sign_ins() == [second, first]
    await keys.remove_sign_ins([first.digest, digest("unknown")])
    assert await keys.sign_ins() == [second]


async def test_entries_are_listed_newest_first_in_pages(audit: AuditStore) -> None:
    await audit.add([entry(1), entry(2)])
    await audit.add([])
    await audit.add([entry(0, target=kept_text(ODD_TEXTS[0]))])
    newest, *others = await audit.entries(10)
    assert [each.at - START for each in (newest, *others)] == [0, 2, 1]
    assert newest == entry(0, target=kept_text(ODD_TEXTS[0]), position=newest.position)
    assert await audit.entries(1, before=newest.position) == others[:1]
    assert await audit.entries(10, before=others[-1].position) == []


async def test_the_old_and_the_too_many_are_forgotten(audit: AuditStore) -> None:
    assert await audit.forget(START, 2) == 0
    await audit.add([entry(number) for number in range(10)])
    assert await audit.forget(START + 3, 100) == 3
    assert await audit.forget(START, 2) == 5
    assert [each.at - START for each in await audit.entries(10)] == [9, 8]


async def test_positions_go_on_after_all_was_forgotten(audit: AuditStore) -> None:
    """Whoever turns pages meanwhile is not shown a stranger's entry in the place of theirs."""
    await audit.add([entry(1)])
    (first,) = await audit.entries(1)
    await audit.add([entry(2)])
    await audit.forget(START + 2, 100)
    await audit.add([entry(3)])
    assert [each.position > first.position for each in await audit.entries(10)] == [True, True]

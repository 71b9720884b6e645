# SPDX-License-Identifier: Apache-2.0
"""Keys, sign-ins and the audit log in SQL. What a key may do, the domain knows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, or_, select, update

from wigwag.adapters.storage.engine import Database, delete_slices, put_rows
from wigwag.adapters.storage.schema_access import audit, keys, sign_ins
from wigwag.app.ports import AuditStore, KeyStore
from wigwag.domain.access import AuditEntry, Key, Scope, SignIn

_KEYS = select(keys).order_by(keys.c.created, keys.c.id)
_SIGN_INS = select(sign_ins).order_by(sign_ins.c.created, sign_ins.c.digest)
_USED = (
    update(keys)
    .where(keys.c.id == bindparam("key"), or_(keys.c.used.is_(None), keys.c.used < bindparam("at")))
    .values(used=bindparam("at"))
)


class SqlKeyStore:
    """The port KeyStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keys(self) -> list[Key]:
        async with self._database.reading() as connection:
            found = (await connection.execute(_KEYS)).mappings().all()
        return [Key(**dict(row) | {"scopes": _scopes(row["scopes"])}) for row in found]

    async def put_key(self, key: Key) -> None:
        async with self._database.writing() as connection:
            used = await connection.scalar(select(keys.c.used).where(keys.c.id == key.id))
            await connection.run_sync(put_rows, keys, [_row(key) | {"used": used}])

    async def used(self, uses: Mapping[str, float]) -> None:
        async with self._database.writing() as connection:
            for key_id, at in sorted(uses.items()):
                await connection.execute(_USED, {"key": key_id, "at": at})

    async def sign_ins(self) -> list[SignIn]:
        async with self._database.reading() as connection:
            found = (await connection.execute(_SIGN_INS)).all()
        return [SignIn(digest=digest, key=key, created=created, expires=end) for digest, key, created, end in found]

    async def put_sign_in(self, sign_in: SignIn) -> None:
        row = {
            "digest": sign_in.digest,
            "api_key": sign_in.key,
            "created": sign_in.created,
            "expires": sign_in.expires,
        }
        async with self._database.writing() as connection:
            await connection.run_sync(put_rows, sign_ins, [row])

    async def remove_sign_ins(self, digests: Sequence[str]) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(sign_ins).where(sign_ins.c.digest.in_(digests)))


class SqlAuditStore:
    """The port AuditStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        rows = [
            {
                "done_at": entry.at,
                "caller": entry.caller,
                "name": entry.name,
                "deed": entry.action,
                "target": entry.target,
                "status": entry.status,
                "address": entry.address,
            }
            for entry in entries
        ]
        if rows:
            async with self._database.writing() as connection:
                await connection.execute(insert(audit), rows)

    async def entries(self, limit: int, before: int | None = None) -> list[AuditEntry]:
        wanted = select(audit).order_by(audit.c.position.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(audit.c.position < before)
        async with self._database.reading() as connection:
            found = (await connection.execute(wanted)).mappings().all()
        return [_entry(dict(row)) for row in found]

    async def forget(self, before: float, most: int) -> int:
        newest_to_go = select(audit.c.position).order_by(audit.c.position.desc()).offset(most).limit(1)
        async with self._database.reading() as connection:
            last = await connection.scalar(newest_to_go)
        old = await delete_slices(self._database, audit, audit.c.done_at < before)
        return old + (await delete_slices(self._database, audit, audit.c.position <= last) if last else 0)


def _row(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "digest": key.digest,
        "scopes": " ".join(sorted(key.scopes)),
        "per_minute": key.per_minute,
        "created": key.created,
        "expires": key.expires,
        "revoked": key.revoked,
    }


def _scopes(words: str) -> frozenset[Scope]:
    """Those that this version knows; one of a newer version gives nothing here."""
    return frozenset(scope for scope in Scope if scope in words.split())


def _entry(row: dict[str, Any]) -> AuditEntry:
    return AuditEntry(at=row.pop("done_at"), action=row.pop("deed"), **row)


if TYPE_CHECKING:
    _keys: type[KeyStore] = SqlKeyStore
    _audit: type[AuditStore] = SqlAuditStore

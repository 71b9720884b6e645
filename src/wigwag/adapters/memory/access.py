# SPDX-License-Identifier: Apache-2.0
"""Keys, sign-ins and the audit log in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wigwag.app.ports import AuditStore, KeyStore
from wigwag.domain.access import AuditEntry, Key, SignIn


class MemoryKeyStore:
    """The port KeyStore in memory."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}
        self._sign_ins: dict[str, SignIn] = {}

    async def keys(self) -> list[Key]:
        return sorted(self._keys.values(), key=lambda key: (key.created, key.id))

    async def put_key(self, key: Key) -> None:
        kept = self._keys.get(key.id)
        self._keys[key.id] = replace(key, used=None if kept is None else kept.used)

    async def used(self, uses: Mapping[str, float]) -> None:
        for key_id, at in uses.items():
            key = self._keys.get(key_id)
            if key is not None and (key.used is None or key.used < at):
                self._keys[key_id] = replace(key, used=at)

    async def sign_ins(self) -> list[SignIn]:
        return sorted(self._sign_ins.values(), key=lambda each: (each.created, each.digest))

    async def put_sign_in(self, sign_in: SignIn) -> None:
        self._sign_ins[sign_in.digest] = sign_in

    async def remove_sign_ins(self, digests: Sequence[str]) -> None:
        for each in digests:
            self._sign_ins.pop(each, None)


class MemoryAuditStore:
    """The port AuditStore in memory."""

    def __init__(self) -> None:
        self._entries: list[AuditEntry] = []
        self._last = 0

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        for entry in entries:
            self._last += 1
            self._entries.append(replace(entry, position=self._last))

    async def entries(self, limit: int, before: int | None = None) -> list[AuditEntry]:
        found = [entry for entry in self._entries if before is None or entry.position < before]
        return found[::-1][:limit]

    async def forget(self, before: float, most: int) -> int:
        kept = [entry for entry in self._entries if entry.at >= before][-most:]
        gone = len(self._entries) - len(kept)
        self._entries = kept
        return gone


if TYPE_CHECKING:
    _keys: type[KeyStore] = MemoryKeyStore
    _audit: type[AuditStore] = MemoryAuditStore

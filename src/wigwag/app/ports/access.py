# SPDX-License-Identifier: Apache-2.0
"""What access needs to keep: keys, sign-ins, and what callers did."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from wigwag.domain.access import AuditEntry, Key, SignIn


class KeyStore(Protocol):
    """Keeps keys and sign-ins. Several processes may share one."""

    async def keys(self) -> list[Key]:
        """All of them, also revoked ones, oldest first."""
        ...

    async def put_key(self, key: Key) -> None:
        """Keep a key, in the place of what was there; when it was used is not written."""
        ...

    async def used(self, uses: Mapping[str, float]) -> None:
        """These keys (ids) were used at these instants. An earlier instant changes nothing, nor does an unknown key."""
        ...

    async def sign_ins(self) -> list[SignIn]:
        """All of them, oldest first."""
        ...

    async def put_sign_in(self, sign_in: SignIn) -> None: ...

    async def remove_sign_ins(self, digests: Sequence[str]) -> None: ...


class AuditStore(Protocol):
    """Keeps what callers did, in the order of writing."""

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        """Write entries; their positions are given here."""
        ...

    async def entries(self, limit: int, before: int | None = None) -> list[AuditEntry]:
        """The newest first; `before`: only those of earlier positions."""
        ...

    async def forget(self, before: float, most: int) -> int:
        """Delete what is older than an instant, and the oldest of more than `most`. Returns how many."""
        ...

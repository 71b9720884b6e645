# SPDX-License-Identifier: Apache-2.0
"""The keys that tokens are checked with: one shared secret, or the public keys that the host publishes (RFC 7517).

Each key has its algorithms here; what a token says of its algorithm chooses nothing. No token is read here.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, OctKey

from wigwag.domain.errors import GatewayError, InvalidSettings, Unauthenticated, Unavailable

PATIENCE = 10.0  # seconds for one fetch
FRESH = 3600.0  # seconds after which keys are fetched again, so that one that was taken back does not count for ever
PAUSE = 60.0  # seconds between two fetches, whatever tokens name
RETRY = 5.0  # seconds after a fetch that failed while there are no keys at all
SHORTEST_SECRET = 32  # bytes (RFC 7518, 3.2)
ALGORITHMS = {  # by type and curve
    ("RSA", None): frozenset({"RS256"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),  # the old name and the new one (RFC 9864)
}

Fetch = Callable[[], Awaitable[bytes]]
"""Gets a key set as JSON. Raises GatewayError."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A key, and the only algorithms that it serves."""

    key: Key
    algorithms: frozenset[str]


class Keys(Protocol):
    """Finds the key for a token."""

    async def find(self, kid: str | None) -> Pinned:
        """The key of this id; None is good enough where there is only one. Raises Unauthenticated, Unavailable."""
        ...


class Secret:
    """A secret that the host signs with (HS256).

    Raises:
        InvalidSettings: it is too short, or a public key.
    """

    def __init__(self, secret: str) -> None:
        if len(secret.encode()) < SHORTEST_SECRET:
            raise InvalidSettings("A secret for HS256 has at least 32 bytes (RFC 7518, 3.2).")
        try:
            key = OctKey.import_key(secret.encode())
        except ValueError as error:
            raise InvalidSettings("This is a public key and no secret: set WIGWAG_REALTIME_JWKS instead.") from error
        self._pinned = Pinned(key=key, algorithms=frozenset({"HS256"}))

    async def find(self, kid: str | None) -> Pinned:  # noqa: ARG002  there is one, whatever it is called
        return self._pinned


class KeySet:
    """Public keys that are fetched when they are needed, and again when a token names one that is not known.

    Args:
        now: Unix seconds.
    """

    def __init__(self, fetch: Fetch, now: Callable[[], float]) -> None:
        self._fetch, self._now = fetch, now
        self._keys: Mapping[str | None, Pinned] = {}
        self._fetched, self._not_before, self._failed = -inf, -inf, True
        self._fetching = asyncio.Lock()

    async def find(self, kid: str | None) -> Pinned:
        if kid not in self._keys or self._now() >= self._fetched + FRESH:
            await self._renew()
        found = self._keys.get(kid)
        if found is None:
            raise Unavailable("The keys to check tokens with cannot be had now.") if self._failed else Unauthenticated
        return found

    async def _renew(self) -> None:
        """Fetch, unless that was just done. The old keys stay if it fails."""
        async with self._fetching:
            if self._now() < self._not_before:
                return
            try:
                async with asyncio.timeout(PATIENCE):
                    self._keys = _read(await self._fetch())
            except (GatewayError, TimeoutError, ValueError, RecursionError) as error:
                self._failed, self._not_before = True, self._now() + (PAUSE if self._keys else RETRY)
                log.warning(
                    "The keys to check tokens with cannot be had (%s): is WIGWAG_REALTIME_JWKS right?",
                    error,
                    extra={"action": "keys.unavailable"},
                )
                return
            self._failed, self._fetched, self._not_before = False, self._now(), self._now() + PAUSE


def file(path: Path) -> Fetch:
    """A key set in a file."""

    async def read() -> bytes:
        try:
            return await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise Unavailable(f"{path} cannot be read ({error.strerror}).") from error

    return read


def _read(document: bytes) -> Mapping[str | None, Pinned]:
    """The keys of a set by their ids. Raises ValueError if there is none that we can use."""
    told = json.loads(document)
    entries = told.get("keys") if isinstance(told, dict) else None
    usable = list(_usable(entries if isinstance(entries, list) else []))
    if not usable:
        raise ValueError("no key for RS256, ES256 or EdDSA in it")
    keys: dict[str | None, Pinned] = dict(usable)
    return keys | {None: usable[0][1]} if len(usable) == 1 else keys


def _usable(entries: list[Any]) -> Iterator[tuple[str | None, Pinned]]:
    """Keys that are not for signing, or that we do not understand, are left out (RFC 7517, 5)."""
    for entry in entries:
        try:
            possible = ALGORITHMS[entry["kty"], entry.get("crv")]
            algorithms = possible & {entry["alg"]} if "alg" in entry else possible
            if algorithms and entry.get("use", "sig") == "sig":
                key = JWKRegistry.import_key(entry)
                yield key.kid, Pinned(key=key, algorithms=algorithms)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue

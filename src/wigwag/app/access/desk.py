# SPDX-License-Identifier: Apache-2.0
"""The desk at which every caller is recognised, or turned away. Doors bring what a caller shows, and decide nothing.

Secrets are compared by their hashes in constant time. A key is never locked out because somebody else at its address
guesses: keys are too long to be guessed, so only passwords need that protection.
"""

import asyncio
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from wigwag.app.access.audit import Audit
from wigwag.app.access.keyring import Keyring
from wigwag.app.access.throttle import Throttle
from wigwag.app.ports import AuditStore, Clock, KeyStore
from wigwag.domain.access import AccessRefused, Caller, Key, Means, Scope, SignedIn, digest, key_id
from wigwag.domain.addresses import neighbourhood
from wigwag.domain.credentials import Credentials
from wigwag.domain.errors import RateLimited, Unauthenticated
from wigwag.domain.events import Fact
from wigwag.domain.quota import Quota, Usage

GUESSES = Quota(limit=10)  # wrong keys and passwords from one address
RETENTION = 90 * 24 * 3600.0  # seconds

_REASONS = {
    "no_key": "Show a key: `Authorization: Bearer <key>` or `X-Api-Key: <key>`.",
    "false_key": "There is no such key here.",
    "revoked": "This key was revoked.",
    "expired": "This key has expired.",
    "false_password": "There is no such user with this password.",
    "false_session": "This sign-in has ended: sign in again.",
}
_GUESSED = {"false_key", "false_password"}
_SCRAPES = frozenset({Scope.METRICS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the settings say.

    Args:
        fixed: callers of the settings, by the digest of what they show: a key, or `user:password`.
        open_here: whoever is on this machine may do everything, as long as there is no key at all.
        per_minute: requests of a key that has no number of its own; 0: no limit.
        retention: seconds that the audit log is kept.
    """

    fixed: Mapping[str, Caller] = field(default_factory=dict, repr=False)
    open_here: bool = False
    per_minute: int = 0
    retention: float = RETENTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """Where access keeps what it keeps."""

    keys: KeyStore
    audit: AuditStore


class Access:
    """One answer for every door. Args: random, new_id: as in Keyring."""

    def __init__(
        self,
        vault: Vault,
        rules: Rules,
        clock: Clock,
        announce: Callable[[Fact], None],
        *,
        random: Callable[[int], bytes],
        new_id: Callable[[], str],
    ) -> None:
        self._rules, self._clock, self._announce = rules, clock, announce
        self._fixed_by_id = {caller.id: caller for caller in rules.fixed.values()}
        self._usage, self._guesses = Throttle(), Throttle()
        self.keyring = Keyring(vault.keys, clock, announce, random=random, new_id=new_id)
        self.audit = Audit(vault.audit, clock, announce, rules.retention)

    async def authenticate(self, shown: Credentials) -> Caller:
        """Who shows this. Raises Unauthenticated, or RateLimited for an address that guessed too often."""
        if shown.key is not None:
            return await self._by_key(shown.key, shown.address)
        if shown.basic is not None:
            return self._by_password(shown.basic, shown.address)
        if shown.cookie is not None:
            return await self._by_cookie(shown.cookie, shown.address)
        if not (self.is_open and shown.local):
            self._refuse("no_key", shown.address)
        return Caller(id="open", name="this machine", scopes=frozenset({Scope.ADMIN}), means=Means.OPEN)

    def admit(self, caller: Caller) -> Usage | None:
        """Count a request of a caller; None: there is no limit. Raises RateLimited."""
        if not caller.per_minute:
            return None
        usage = self._usage.take(caller.id, Quota(limit=caller.per_minute), self._clock.now())
        if not usage.allowed:
            self.refused("rate", caller.id)
            message = f"This key may ask {caller.per_minute} times in a minute."
            raise RateLimited(message, retry_after=usage.retry_after)
        return usage

    def alive(self, caller: Caller) -> bool:
        """Whether a caller of some time ago would still be let in: for connections that stay open."""
        if caller.expires is not None and caller.expires <= self._clock.now():
            return False
        if caller.means is Means.OPEN:
            return self.is_open
        key = self.keyring.known(caller.id)
        return caller.id in self._fixed_by_id if key is None else key.revoked is None

    def refused(self, reason: str, who: str) -> None:
        """Somebody was turned away; a door says so of what it finds itself. `who`: a caller's id or an address."""
        self._announce(AccessRefused(reason=reason, who=who, at=self._clock.now()))

    @property
    def is_open(self) -> bool:
        """Whether this machine needs no key. One key that ever was closes the door, also a revoked one."""
        return self._rules.open_here and not self._has_fixed_key and not len(self.keyring)

    @property
    def needs_a_key(self) -> bool:
        """Whether nobody could come in by now."""
        return not self._has_fixed_key and not self.keyring.any_good()

    @property
    def _has_fixed_key(self) -> bool:
        return any(caller.scopes != _SCRAPES for caller in self._rules.fixed.values())

    @property
    def has_passwords(self) -> bool:
        """Whether there are users with passwords."""
        return any(caller.means is Means.BASIC for caller in self._rules.fixed.values())

    @property
    def scrapes_need_a_key(self) -> bool:
        """Whether a key for nothing but /metrics was set, so that scrapes from this machine need it too."""
        return any(caller.scopes == _SCRAPES for caller in self._rules.fixed.values())

    # --- browsers

    async def sign_in(self, key: str, address: str) -> tuple[str, Caller]:
        """Exchange a key for a cookie. Raises Unauthenticated, RateLimited, StoreUnavailable."""
        caller = await self._by_key(key, address)
        cookie, stay = await self.keyring.sign_in(caller.id, caller.expires)
        self._announce(SignedIn(caller=caller.id, name=caller.name, at=self._clock.now()))
        return cookie, replace(caller, means=Means.SESSION, expires=stay.expires)

    async def sign_out(self, cookie: str) -> None:
        """The cookie counts no more. Raises StoreUnavailable."""
        await self.keyring.sign_out(cookie)

    # --- working

    async def restore(self) -> None:
        """Read the keys. Raises StoreUnavailable."""
        await self.keyring.restore()

    async def run(self) -> None:
        """Follow the store, and write, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.keyring.run(), name="access: keys")
            tasks.create_task(self.audit.run(), name="access: audit")

    async def flush(self) -> None:
        """Write what waits."""
        await self.keyring.flush()
        await self.audit.flush()

    # --- inside

    async def _by_key(self, text: str, address: str) -> Caller:
        fixed = self._fixed(text, Means.KEY)
        if fixed is not None:
            return fixed
        claimed = key_id(text)
        key = await self.keyring.find(claimed) if claimed is not None else None
        if key is None or not hmac.compare_digest(key.digest, digest(text)):
            self._refuse("false_key", address)
        return self._of(key, Means.KEY, address)

    def _by_password(self, pair: str, address: str) -> Caller:
        """Passwords can be guessed, so whoever guesses is not even listened to for a while."""
        self._hold_guessers(address)
        return self._fixed(pair, Means.BASIC) or self._refuse("false_password", address)

    async def _by_cookie(self, cookie: str, address: str) -> Caller:
        stay = await self.keyring.stay(cookie)
        if stay is None:
            self._refuse("false_session", address)
        if stay.key in self._fixed_by_id:
            return replace(self._fixed_by_id[stay.key], means=Means.SESSION, expires=stay.expires)
        key = self.keyring.known(stay.key)
        if key is None:  # a key of the settings, until they changed
            self._refuse("false_session", address)
        return replace(self._of(key, Means.SESSION, address), expires=stay.expires)

    def _of(self, key: Key, means: Means, address: str) -> Caller:
        if key.revoked is not None:
            self._refuse("revoked", address)
        if key.expired(self._clock.now()):
            self._refuse("expired", address)
        self.keyring.touch(key)
        per_minute = self._rules.per_minute if key.per_minute is None else key.per_minute
        return Caller(
            id=key.id, name=key.name, scopes=key.scopes, means=means, per_minute=per_minute, expires=key.expires
        )

    def _fixed(self, text: str, means: Means) -> Caller | None:
        """A caller of the settings. All are compared, so that the time taken says nothing."""
        seen, found = digest(text), None
        for kept, caller in self._rules.fixed.items():
            if hmac.compare_digest(kept, seen) and caller.means is means:
                found = caller
        return found

    def _refuse(self, reason: str, address: str) -> NoReturn:
        if reason in _GUESSED:
            self._hold_guessers(address)
            self._guesses.take(neighbourhood(address), GUESSES, self._clock.now())
        self.refused(reason, address)
        raise Unauthenticated(_REASONS[reason])

    def _hold_guessers(self, address: str) -> None:
        wait = self._guesses.wait(neighbourhood(address), GUESSES, self._clock.now())
        if wait:
            self.refused("guessing", address)
            raise RateLimited("Too many wrong keys or passwords from this address.", retry_after=wait)

# SPDX-License-Identifier: Apache-2.0
"""Keys and sign-ins: made, revoked, and known again. Who may do what with them is decided at the desk.

All are in memory and are read again every few seconds, because another process or `wigwag keys` may change them. While
the store does not answer, what was known counts.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, KeyStore
from wigwag.domain.access import SECRET_BYTES, Key, Scope, SignIn, checked_name, digest, new_key, token
from wigwag.domain.errors import Conflict, InvalidSettings, NotFound
from wigwag.domain.events import Fact

READ_EVERY = 5.0  # seconds: so long a key may live on that another process revoked
READ_AGAIN = 1.0  # seconds between two looks for an unknown key
TOUCH_EVERY = 60.0  # seconds between two notes that a key is used
STAY = 12 * 3600.0  # seconds that a sign-in lasts
MOST_KEYS, MOST_STAYS = 1000, 50  # keys in all, sign-ins of each key
LONGEST_LIFE = 10 * 365 * 24 * 3600.0  # seconds of a key that expires


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A key just made, with its secret, which is shown this once."""

    key: Key
    secret: str = field(repr=False)


class Keyring:
    """Args: random: that many random bytes. new_id: letters that nobody can guess."""

    def __init__(
        self,
        store: KeyStore,
        clock: Clock,
        announce: Callable[[Fact], None],
        *,
        random: Callable[[int], bytes],
        new_id: Callable[[], str],
    ) -> None:
        self._store, self._clock, self._random, self._new_id = store, clock, random, new_id
        self._keys: dict[str, Key] = {}
        self._stays: dict[str, SignIn] = {}
        self._used: dict[str, float] = {}
        self._read_at = float("-inf")
        self._changing = asyncio.Lock()  # what was read must not undo what was just written
        self._failures = Failures(clock, announce)

    def __len__(self) -> int:
        return len(self._keys)

    # --- keys

    def all(self) -> list[Key]:
        """All keys, also those that count no more, oldest first."""
        return sorted(self._keys.values(), key=lambda key: (key.created, key.id))

    def get(self, key_id: str) -> Key:
        """Raises NotFound."""
        if key_id not in self._keys:
            raise NotFound("There is no such key.")
        return self._keys[key_id]

    def any_good(self) -> bool:
        """Whether there is a key that counts."""
        now = self._clock.now()
        return any(key.revoked is None and not key.expired(now) for key in self._keys.values())

    def known(self, key_id: str) -> Key | None:
        """A key that we know of, perhaps not yet of one that another process just made."""
        return self._keys.get(key_id)

    async def find(self, key_id: str) -> Key | None:
        """The same, after a look into the store if need be."""
        if key_id not in self._keys:
            await self._look_again()
        return self._keys.get(key_id)

    async def create(
        self, name: str, scopes: Collection[Scope], *, per_minute: int | None = None, expires: float | None = None
    ) -> Made:
        """Make a key. It is on disk when this returns. Raises InvalidSettings, Conflict, StoreUnavailable."""
        now, key_id = self._clock.now(), self._new_id()[:12]
        if not scopes:
            raise InvalidSettings("Give the key at least one scope.")
        if expires is not None and not now < expires <= now + LONGEST_LIFE:
            raise InvalidSettings("A key expires in the future, within ten years.")
        secret = new_key(key_id, self._random(SECRET_BYTES))
        key = Key(
            id=key_id,
            name=checked_name(name),
            digest=digest(secret),
            scopes=frozenset(scopes),
            per_minute=per_minute,
            created=now,
            expires=expires,
        )
        async with self._changing:
            if len(self._keys) >= MOST_KEYS:
                raise Conflict(f"There are {MOST_KEYS} keys already: one for each program is enough.")
            await self._put(key)
        return Made(key=key, secret=secret)

    async def revoke(self, key_id: str) -> Key:
        """The key and its sign-ins count no more: here at once, in other processes within seconds.

        Raises NotFound, StoreUnavailable.
        """
        async with self._changing:
            key = self.get(key_id)
            if key.revoked is None:
                key = replace(key, revoked=self._clock.now())
                await self._put(key)
            await self._end([stay.digest for stay in self._stays.values() if stay.key == key_id])
        return key

    def touch(self, key: Key) -> None:
        """A key is used now. It is written later, and not every time."""
        now = self._clock.now()
        if now - (key.used or 0.0) >= TOUCH_EVERY:
            self._used[key.id] = now
            self._keys[key.id] = replace(key, used=now)

    # --- sign-ins

    async def sign_in(self, key_id: str, until: float | None) -> tuple[str, SignIn]:
        """A cookie for whoever showed this key, for as long as the key lives at most. Raises StoreUnavailable."""
        secret, now = token(self._random(SECRET_BYTES)), self._clock.now()
        ends = now + STAY if until is None else min(now + STAY, until)
        stay = SignIn(digest=digest(secret), key=key_id, created=now, expires=ends)
        async with self._changing:
            mine = sorted((old for old in self._stays.values() if old.key == key_id), key=lambda old: old.created)
            await self._end([old.digest for old in mine[: max(0, len(mine) + 1 - MOST_STAYS)]])
            await self._store.put_sign_in(stay)
            self._stays[stay.digest] = stay
        return secret, stay

    async def stay(self, cookie: str) -> SignIn | None:
        """The sign-in that this cookie is of, if it has not ended."""
        seen = digest(cookie)
        if seen not in self._stays:
            await self._look_again()
        found = self._stays.get(seen)
        return found if found is not None and found.expires > self._clock.now() else None

    async def sign_out(self, cookie: str) -> None:
        """The cookie counts no more. One that is unknown is fine. Raises StoreUnavailable."""
        async with self._changing:
            await self._end([digest(cookie)])

    # --- working

    async def restore(self) -> None:
        """Read the keys. Raises StoreUnavailable."""
        async with self._changing:
            await self._read()

    async def run(self) -> None:
        """Follow what other processes do, and note which keys are used, for ever."""
        while True:
            await self._clock.sleep(READ_EVERY)
            await self._failures.guard("access", self.restore())
            await self.flush()

    async def flush(self) -> None:
        """Write when keys were used, and remove sign-ins that have ended."""
        used, self._used = self._used, {}
        if used and not await self._failures.guard("access", self._store.used(used)):
            self._used = used | self._used
        now = self._clock.now()
        if ended := [stay.digest for stay in self._stays.values() if stay.expires <= now]:
            await self._failures.guard("access", self._end(ended))

    # --- inside

    async def _look_again(self) -> None:
        """Another process may have made it a moment ago. Whoever guesses does not keep the database busy."""
        now = self._clock.now()
        if now - self._read_at >= READ_AGAIN:
            self._read_at = now
            await self._failures.guard("access", self.restore())

    async def _read(self) -> None:
        self._read_at = self._clock.now()
        keys, stays = await self._store.keys(), await self._store.sign_ins()
        self._keys = {key.id: self._with_use(key) for key in keys}
        self._stays = {stay.digest: stay for stay in stays}

    def _with_use(self, key: Key) -> Key:
        """What is not written yet is known all the same."""
        used = max(key.used or 0.0, self._used.get(key.id, 0.0))
        return replace(key, used=used or None)

    async def _put(self, key: Key) -> None:
        await self._store.put_key(key)
        self._keys[key.id] = key

    async def _end(self, digests: list[str]) -> None:
        if digests:
            await self._store.remove_sign_ins(digests)
        for each in digests:
            self._stays.pop(each, None)

# SPDX-License-Identifier: Apache-2.0
"""The port Roster on Redis: leases in a sorted set, entries in a hash, the relay in a stream, each step in a script.

Two connections: the relay waits on one, all else goes over the other. Every call has a time limit.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from wigwag.adapters.redis import scripts
from wigwag.adapters.redis.codec import decode, encode
from wigwag.app.ports import Lease, Roster, Snapshot, Swap, Swapped, Tide
from wigwag.domain.errors import Fenced, InvalidSettings, Missed, RosterLost, RosterUnavailable
from wigwag.domain.roster import LEASE, RENEW, Change, Entry, owner
from wigwag.domain.users import UserId, user_id

PATIENCE = 3.0  # seconds that a call may take
LISTEN = 1.0  # seconds that the relay waits for news before it asks again
KEPT = 20_000  # changes that a slow node may still ask for
ENDED = 1000  # leases of dead nodes that are remembered
PART = 500  # entries in one call

NoClock = Callable[[], float] | None
"""Time for tests; None: Redis's own."""


class RedisRoster:
    """A roster under a prefix of keys. Opens its connections when it is first asked; `close` it at the end."""

    def __init__(
        self, url: str, prefix: str, *, now: NoClock = None, kept: int = KEPT, patience: float = PATIENCE
    ) -> None:
        self._now, self._kept, self._patience = now, kept, patience
        state, leases, ended, users, relay = (
            f"{{{prefix}}}:{name}" for name in ("state", "leases", "ended", "users", "relay")
        )
        self._state, self._users, self._relay = state, users, relay
        self._client, self._listener = _connect(url, patience), _connect(url, LISTEN + patience)
        script = self._client.register_script
        self._join, self._join_keys = script(scripts.JOIN), [state, leases]
        self._renew, self._renew_keys = script(scripts.RENEW), [state, leases, ended]
        self._swap, self._swap_keys = script(scripts.SWAP), [state, leases, users, relay]
        self._put_back, self._put_back_keys = script(scripts.PUT_BACK), [state, leases, users, relay, ended]

    async def close(self) -> None:
        await self._client.aclose()
        await self._listener.aclose()

    async def inspect(self) -> str:
        """Redis's version, for whoever wants to know whether it would do. It changes nothing.

        Raises RosterUnavailable, or InvalidSettings where it may forget.
        """
        with _wall():
            async with asyncio.timeout(self._patience):
                await self._must_remember()
                return str((await self._client.info("server"))["redis_version"])

    async def join(self) -> Lease:
        with _wall():
            async with asyncio.timeout(self._patience):
                await self._must_remember()
                roster, number = await self._join(self._join_keys, [secrets.token_hex(8), LEASE, self._time()])
        return Lease(number=int(number), roster=roster.decode())

    async def renew(self, lease: Lease) -> Tide:
        with _wall():
            async with asyncio.timeout(self._patience):
                arguments = [lease.roster, lease.number, LEASE, RENEW, ENDED, self._time()]
                now, seq, live, ended = await self._renew(self._renew_keys, arguments)
        return Tide(
            now=float(now),
            seq=int(seq),
            live=frozenset(map(int, live)),
            ended={int(number): float(at) for number, at in zip(ended[::2], ended[1::2], strict=True)},
        )

    async def swap(self, lease: Lease, swaps: Sequence[Swap]) -> list[Swapped]:
        arguments: list[Any] = [lease.roster, lease.number, self._kept]
        for swap in swaps:
            arguments += swap.user, swap.expected, "" if swap.entry is None else encode(swap.entry)
        with _wall():
            async with asyncio.timeout(self._patience):
                answers = await self._swap(self._swap_keys, arguments)
        return [_swapped(swap, *answer) for swap, answer in zip(swaps, answers, strict=True)]

    async def snapshot(self, lease: Lease) -> Snapshot:
        with _wall():
            async with asyncio.timeout(self._patience):
                roster, seq = await self._client.hmget(self._state, ["id", "seq"])
        if roster is None or roster.decode() != lease.roster:
            raise RosterLost
        entries: dict[UserId, Entry] = {}
        cursor: int | None = None
        while cursor != 0:
            with _wall():
                async with asyncio.timeout(self._patience):
                    cursor, found = await self._client.hscan(self._users, cursor or 0, count=PART)
            entries |= {entry.presence.user: entry for entry in (decode(*pair) for pair in found.items())}
        return Snapshot(seq=int(seq), entries=entries)

    async def changes(self, after: int) -> list[Change]:
        with _wall():
            async with asyncio.timeout(LISTEN + self._patience):
                wait = int(LISTEN * 1000)
                streams = await self._listener.xread({self._relay: f"{after}-0"}, count=PART, block=wait)
        changes = [_change(number, told) for _name, news in streams for number, told in news]
        if changes and changes[0].seq != after + 1:
            raise Missed
        return changes

    async def put_back(self, lease: Lease, entries: Collection[Entry]) -> None:
        given = list(entries)
        for start in range(0, len(given), PART):
            part = given[start : start + PART]
            owners = {whose for entry in part for whose in (entry.by, *map(owner, entry.presence.devices))}
            arguments: list[Any] = [lease.roster, lease.number, self._kept, self._time(), len(owners), *owners]
            for entry in part:
                arguments += entry.presence.user, entry.seq, f"{entry.seq}{encode(entry)}"
            with _wall():
                async with asyncio.timeout(self._patience):
                    await self._put_back(self._put_back_keys, arguments)

    async def _must_remember(self) -> None:
        policy = (await self._client.info("memory")).get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise InvalidSettings(
                f"This Redis may forget who is online (maxmemory-policy {policy}): set its maxmemory-policy to "
                "noeviction, or give wigwag a Redis of its own."
            )

    def _time(self) -> str:
        return "" if self._now is None else f"{self._now():.6f}"


def _connect(url: str, patience: float) -> Any:  # the library leaves open whether an answer is bytes, text or a list
    return Redis.from_url(
        url,
        protocol=2,
        socket_timeout=patience,
        socket_connect_timeout=patience,
        retry=Retry(NoBackoff(), 0),  # whoever calls us tries again, and knows that it does
        client_name="wigwag",
    )


@contextmanager
def _wall() -> Iterator[None]:
    """Redis's errors in our words."""
    try:
        yield
    except ResponseError as error:
        said = str(error)
        if said.startswith("FENCED"):
            raise Fenced from error
        if said.startswith("LOST"):
            raise RosterLost from error
        raise RosterUnavailable(f"Redis refuses: {said[:200]}") from error
    except AuthenticationError as error:
        raise RosterUnavailable("Redis refuses the user or the password.") from error
    except (RedisError, OSError, TimeoutError) as error:
        raise RosterUnavailable(f"Redis does not answer ({type(error).__name__}).") from error


def _swapped(swap: Swap, done: int, said: bytes) -> Swapped:
    if done:
        seq = int(said)
        return Swapped(done=True, seq=seq, entry=None if swap.entry is None else replace(swap.entry, seq=seq))
    there = decode(str(swap.user).encode(), said) if said else None
    return Swapped(done=False, seq=0 if there is None else there.seq, entry=there)


def _change(number: bytes, told: dict[bytes, bytes]) -> Change:
    user, value = told[b"user"], told[b"value"]
    entry = decode(user, value) if value else None
    return Change(seq=int(number.partition(b"-")[0]), user=user_id(user.decode()), entry=entry)


if TYPE_CHECKING:
    _: type[Roster] = RedisRoster

# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with Redis, in our words, and within a time limit."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from tests import servers
from wigwag.adapters.redis import RedisRoster
from wigwag.app.ports import Lease, Swap
from wigwag.domain.errors import InvalidSettings, RosterUnavailable
from wigwag.domain.roster import Entry
from wigwag.domain.users import Privacy, UserPresence

PATIENCE = 30.0
LEASE = Lease(number=1, roster="0")
SWAP = Swap(user=1, expected=0, entry=Entry(presence=UserPresence(user=1), privacy=Privacy()))


@asynccontextmanager
async def opened(url: str, patience: float = PATIENCE) -> AsyncIterator[RedisRoster]:
    roster = RedisRoster(url, uuid4().hex, patience=patience)
    try:
        yield roster
    finally:
        await roster.close()


@pytest.fixture
def own() -> Iterator[servers.Instance]:
    """A Redis of this test's own."""
    with servers.private(servers.REDIS) as instance:
        yield instance


async def every_call_fails(roster: RedisRoster) -> None:
    for call in (
        roster.join(),
        roster.renew(LEASE),
        roster.swap(LEASE, [SWAP]),
        roster.snapshot(LEASE),
        roster.changes(0),
        roster.put_back(LEASE, [SWAP.entry] if SWAP.entry else []),
    ):
        with pytest.raises(RosterUnavailable) as raised:
            await call
        assert "://" not in str(raised.value)


async def test_where_nobody_listens_every_call_says_so() -> None:
    async with opened(f"redis://user:secret@127.0.0.1:{servers.free_port()}/0") as roster:
        await every_call_fails(roster)


async def test_where_nobody_answers_no_call_hangs() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            await reader.read()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server, opened(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0", patience=0.1) as roster:
        await every_call_fails(roster)


async def test_a_server_that_comes_back_is_used_again(own: servers.Instance) -> None:
    async with opened(own.url) as roster:
        await roster.join()
        own.kill()
        with pytest.raises(RosterUnavailable):
            await roster.join()
        own.empty()
        own.launch()
        own.wait_until_ready()
        lease = await roster.join()
        assert (await roster.swap(lease, [SWAP]))[0].done


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
async def test_a_redis_that_may_forget_is_refused(own: servers.Instance, policy: str) -> None:
    async with opened(own.url) as roster, Redis.from_url(own.url) as client:
        await client.config_set("maxmemory-policy", policy)
        with pytest.raises(InvalidSettings, match="noeviction"):
            await roster.join()


async def test_a_redis_that_is_full_refuses_and_says_so(own: servers.Instance) -> None:
    async with opened(own.url) as roster, Redis.from_url(own.url) as client:
        lease = await roster.join()
        await client.config_set("maxmemory", "1")
        with pytest.raises(RosterUnavailable, match="maxmemory"):
            await roster.swap(lease, [SWAP])
        await client.config_set("maxmemory", "0")
        assert (await roster.swap(lease, [SWAP]))[0].done


@pytest.mark.parametrize(
    "value",
    ["", "x", "1", "1 {}", "1 []", "1 null", 'x {"devices":{}}', '1 {"devices":{"nobody":null}}', "1 " + "[" * 10_000],
    ids=str,
)
async def test_what_no_gateway_wrote_is_refused(redis: str, value: str) -> None:
    async with opened(redis) as roster, Redis.from_url(redis) as client:
        lease = await roster.join()
        seq = (await roster.snapshot(lease)).seq
        await client.hset(roster._users, "7", value)
        with pytest.raises(RosterUnavailable, match="WIGWAG_REDIS_PREFIX"):
            await roster.snapshot(lease)
        await client.xadd(roster._relay, {"user": "7", "value": value or "?"}, id=f"{seq + 1}-0")
        with pytest.raises(RosterUnavailable, match="WIGWAG_REDIS_PREFIX"):
            await roster.changes(seq)

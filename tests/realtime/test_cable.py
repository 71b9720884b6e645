# SPDX-License-Identifier: Apache-2.0
"""A cable is pulled: what a contact sees of it, and when. Sockets, door and lobby together, in virtual time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.realtime.asgi import FakeSocket, World, world
from wigwag.adapters.memory.roster import MemoryRoster
from wigwag.adapters.memory.users import MemoryLastSeenStore, MemoryUserStore
from wigwag.adapters.realtime import PresenceDoor, Realtime
from wigwag.app.fanout import Fanout
from wigwag.app.grants import Grants
from wigwag.app.lobby import Lobby
from wigwag.app.ports import User
from wigwag.domain.book import Book

ANNA, BEN = 1, 2
TOLD = '42["presence_updated",'


@asynccontextmanager
async def house() -> AsyncIterator[World]:
    """Anna and Ben know each other."""
    async with world() as w:
        users = MemoryUserStore()
        await users.put([User(id=ANNA), User(id=BEN)])
        await users.add_contacts(ANNA, [BEN])
        fanout = Fanout(lambda _name, error: pytest.fail(str(error)))
        store, roster = MemoryLastSeenStore(users), MemoryRoster(w.clock)
        lobby = Lobby(directory=users, store=store, roster=roster, clock=w.clock, announce=fanout.announce)
        await lobby.start()
        grants = Grants(book=Book(), store=users, clock=w.clock, announce=fanout.announce)
        door = PresenceDoor(lobby, grants, None, w.clock)
        w.server = door.sockets = Realtime(door, clock=w.clock)
        fanout.add("sockets", door.sink)
        working = [asyncio.create_task(part.run(), name="part") for part in (w.server, lobby)]
        try:
            yield w
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)


async def enter(w: World, user: int) -> FakeSocket:
    socket = await w.connected()
    await w.tell(socket, f'42["user_authenticated",{user}]')
    socket.got.clear()
    return socket


def seen(socket: FakeSocket, user: int) -> list[dict[str, Any]]:
    """What a client heard of a user."""
    told = [json.loads(frame[2:])[1] for frame in socket.got if str(frame).startswith(TOLD)]
    return [view for view in told if view["user_id"] == user]


async def pass_by(w: World, seconds: int, *answering: FakeSocket) -> None:
    """Time passes, and some clients answer at once."""
    for _ in range(seconds):
        await w.clock.advance(1.0)
        for socket in answering:
            if "2" in socket.got:
                socket.got.remove("2")
                await w.tell(socket, "3")


@pytest.mark.parametrize("after", [1, 9, 10, 11])
async def test_a_pulled_cable_is_offline_within_25_seconds_and_last_seen_when_it_was_noticed(after: int) -> None:
    async with house() as w:
        ben, anna = await enter(w, BEN), await enter(w, ANNA)
        await pass_by(w, after, ben, anna)
        pulled = w.clock.now()
        await pass_by(w, 25, ben)
        online, offline = seen(ben, ANNA)
        assert (online["status"], offline["status"]) == ("online", "offline")
        assert offline["v"] - pulled * 1000 <= 25_000
        await pass_by(w, 60, ben)
        assert len(seen(ben, ANNA)) == 2
        assert anna.closed == "ping_timeout"


@pytest.mark.parametrize("silent", [16, 20, 22])
async def test_who_answers_within_the_grace_was_never_gone(silent: int) -> None:
    async with house() as w:
        ben, anna = await enter(w, BEN), await enter(w, ANNA)
        for _ in range(2):
            await pass_by(w, silent, ben)
            await pass_by(w, 1, ben, anna)
            await pass_by(w, 60, ben, anna)
        assert [told["status"] for told in seen(ben, ANNA)] == ["online"]
        assert anna.closed is None


async def test_who_answers_after_the_grace_is_back_on_the_same_connection() -> None:
    async with house() as w:
        ben, anna = await enter(w, BEN), await enter(w, ANNA)
        await pass_by(w, 35, ben)
        await pass_by(w, 60, ben, anna)
        told = seen(ben, ANNA)
        assert [each["status"] for each in told] == ["online", "offline", "online"]
        assert [each["v"] for each in told] == sorted({each["v"] for each in told})
        anna.say("41")
        await w.clock.settle()
        assert seen(ben, ANNA)[-1]["status"] == "offline"


async def test_whoever_is_on_two_devices_is_here_until_both_are_silent() -> None:
    async with house() as w:
        ben, phone, laptop = await enter(w, BEN), await enter(w, ANNA), await enter(w, ANNA)
        await pass_by(w, 60, ben, laptop)
        assert [told["status"] for told in seen(ben, ANNA)] == ["online"]
        assert phone.closed == "ping_timeout"
        await pass_by(w, 25, ben)
        assert [told["status"] for told in seen(ben, ANNA)] == ["online", "offline"]

# SPDX-License-Identifier: Apache-2.0
"""The events of seed 004: who may say what, what is answered, and who is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from wigwag.adapters.memory.roster import MemoryRoster
from wigwag.adapters.memory.users import MemoryLastSeenStore, MemoryUserStore
from wigwag.adapters.realtime import PresenceDoor, Refused, SocketId
from wigwag.adapters.realtime.presence import BURST, CHANGE, MOST_ASKED, MOST_DEVICES, RATE
from wigwag.adapters.realtime.shapes import instant
from wigwag.app.grants import Grants
from wigwag.app.lobby import Lobby
from wigwag.app.ports import Principal, User
from wigwag.domain.book import Book
from wigwag.domain.errors import Unauthenticated
from wigwag.domain.events import Fact
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, Signal
from wigwag.testing import START, FakeClock

ANNA, BEN = 1, 2
A, B, C = SocketId("a"), SocketId("b"), SocketId("c")


class Sockets:
    """Keeps what was emitted to whom, and who was sent away."""

    def __init__(self) -> None:
        self.emitted: list[tuple[set[SocketId], str, Any]] = []
        self.closed: list[tuple[SocketId, str]] = []

    def emit(self, sockets: Iterable[SocketId], event: str, *args: object) -> None:
        self.emitted.append((set(sockets), event, args[0]))

    async def disconnect(self, socket: SocketId, reason: str) -> None:
        self.closed.append((socket, reason))

    def heard(self, socket: SocketId, event: str) -> list[Any]:
        """What a socket was told of a kind."""
        return [what for sockets, name, what in self.emitted if socket in sockets and name == event]


class House:
    """A door over a lobby in memory, in which Anna and Ben know each other."""

    def __init__(self, *, tokens: dict[str, Principal] | None = None) -> None:
        async def authenticated(token: str) -> Principal:
            if tokens is None or token not in tokens:
                raise Unauthenticated
            return tokens[token]

        self.clock, self.users, self.sockets = FakeClock(), MemoryUserStore(), Sockets()
        store = MemoryLastSeenStore(self.users)
        roster = MemoryRoster(self.clock)
        self.lobby = Lobby(directory=self.users, store=store, roster=roster, clock=self.clock, announce=self._announce)
        self.book = Book()
        self.grants = Grants(book=self.book, store=self.users, clock=self.clock, announce=self._announce)
        self.door = PresenceDoor(self.lobby, self.grants, authenticated if tokens is not None else None, self.clock)
        self.door.sockets = self.sockets

    def _announce(self, fact: Fact) -> None:
        self.grants.sink(fact)
        self.door.sink(fact)

    def hear(self, jid: Jid, signal: Signal) -> None:
        """WhatsApp says something of a contact who is tracked."""
        if jid not in self.book:
            self.book.put(Presence(jid=jid, name="Ann", account="default"))
        change = self.book.report(jid, signal, self.clock.now(), account="default")
        assert change is not None
        self._announce(change)

    async def enter(self, socket: SocketId, user: object, token: str = "") -> list[Any] | None:
        await self.door.connect(socket, {"token": token} if token else {}, {})
        return await self.event(socket, "user_authenticated", user)

    async def event(self, socket: SocketId, name: str, *args: object) -> list[Any] | None:
        """Say something, and let it have its effect."""
        answer = await self.door.event(socket, name, list(args))
        await self.clock.settle()
        return answer

    async def disconnect(self, socket: SocketId) -> None:
        """Say goodbye."""
        await self.door.disconnect(socket, clean=True)
        await self.clock.settle()


@asynccontextmanager
async def open_house(*, tokens: dict[str, Principal] | None = None) -> AsyncIterator[House]:
    house = House(tokens=tokens)
    await house.lobby.start()
    task = asyncio.create_task(house.lobby.run(), name="lobby")
    try:
        yield house
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def locked() -> AsyncIterator[House]:
    """A house for those who have a token."""
    async with open_house(tokens=TOKENS) as house:
        yield house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as house:
        await befriend(house)
        yield house


async def befriend(house: House) -> None:
    await house.users.put([User(id=ANNA, name="Anna"), User(id=BEN, name="Ben")])
    await house.users.add_contacts(ANNA, [BEN])


async def test_whoever_enters_is_acknowledged_and_sees_the_contacts(house: House) -> None:
    assert await house.enter(A, "1") == [{"ok": True, "user_id": ANNA}]
    assert house.sockets.heard(A, "presence_info") == [[{"user_id": 2, "status": "offline", "last_seen": None, "v": 0}]]


async def test_contacts_hear_of_each_step_and_nobody_else(house: House) -> None:
    await house.enter(B, BEN)
    await house.enter(C, 99)
    await house.enter(A, ANNA)
    await house.event(A, "update_status", "away")
    await house.disconnect(A)
    heard = house.sockets.heard(B, "presence_updated")
    of_anna = [told for told in heard if told["user_id"] == ANNA]
    assert [told["status"] for told in of_anna] == ["online", "away", "offline"]
    assert [told["v"] for told in of_anna] == sorted({told["v"] for told in of_anna})
    assert heard[-1]["last_seen"] == instant(START)
    assert [told for told in house.sockets.heard(C, "presence_updated") if told["user_id"] != 99] == []


async def test_offline_as_a_status_hides_the_user(house: House) -> None:
    await house.enter(B, BEN)
    await house.enter(A, ANNA)
    assert await house.event(A, "update_status", "offline") == [{"ok": True, "status": "offline"}]
    assert house.sockets.heard(B, "presence_updated")[-1]["status"] == "offline"


async def test_a_second_device_of_the_same_user_changes_nothing(house: House) -> None:
    await house.enter(B, BEN)
    await house.enter(A, ANNA)
    told = len(house.sockets.heard(B, "presence_updated"))
    await house.enter(C, ANNA)
    await house.disconnect(A)
    assert len(house.sockets.heard(B, "presence_updated")) == told
    await house.disconnect(C)
    assert len(house.sockets.heard(B, "presence_updated")) == told + 1


async def test_whoever_becomes_another_user_leaves_as_the_first(house: House) -> None:
    await house.enter(B, BEN)
    await house.enter(A, ANNA)
    await house.event(A, "user_authenticated", 99)
    assert house.sockets.heard(B, "presence_updated")[-1]["status"] == "offline"


async def test_what_is_asked_is_answered_as_an_event_and_an_ack(house: House) -> None:
    await house.enter(A, ANNA)
    [answer] = await house.event(A, "get_presence", [BEN, 77]) or [None]
    assert answer == house.sockets.heard(A, "presence_info")[-1]
    assert [found["user_id"] for found in answer] == [BEN, 77]


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("user_authenticated", [], "invalid_user"),
        ("user_authenticated", [{"id": 1}], "invalid_user"),
        ("user_authenticated", [[1]], "invalid_user"),
        ("update_status", [], "invalid_status"),
        ("update_status", ["asleep"], "invalid_status"),
        ("update_status", [["away"]], "invalid_status"),
        ("get_presence", [], "invalid_users"),
        ("get_presence", [7], "invalid_users"),
        ("get_presence", [[{"__proto__": 1}]], "invalid_user"),
        ("get_presence", [list(range(MOST_ASKED + 1))], "invalid_users"),
        ("no_such_event", [1], "unknown_event"),
    ],
)
async def test_what_is_wrong_is_refused_with_a_code(name: str, args: list[Any], code: str, house: House) -> None:
    await house.enter(A, ANNA)
    with pytest.raises(Refused) as refused:
        await house.door.event(A, name, args)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "args"), [("update_status", ["away"]), ("get_presence", [[1]]), ("get_contact_presence", [])]
)
async def test_nothing_is_told_to_who_did_not_say_who_they_are(name: str, args: list[Any], house: House) -> None:
    await house.door.connect(A, {}, {})
    with pytest.raises(Refused) as refused:
        await house.door.event(A, name, args)
    assert refused.value.code == "forbidden"


# --- how much one user may ask


async def refusal(asking: Awaitable[object]) -> str:
    """The code with which something is refused; empty if it is not."""
    try:
        await asking
    except Refused as refused:
        return refused.code
    return ""


async def test_a_user_has_an_end_of_devices_and_another_may_come_when_one_leaves(house: House) -> None:
    for number in range(MOST_DEVICES):
        await house.enter(SocketId(f"{number}"), ANNA)
    await house.clock.jump(10.0)
    assert await refusal(house.enter(A, ANNA)) == "too_many_devices"
    assert await refusal(house.door.event(SocketId("0"), "user_authenticated", [ANNA])) == ""  # it is in already
    assert await refusal(house.enter(B, BEN)) == ""
    await house.door.disconnect(SocketId("0"), clean=True)
    assert await refusal(house.door.event(A, "user_authenticated", [ANNA])) == ""


async def test_all_devices_of_a_user_together_may_change_the_status_so_often(house: House) -> None:
    for number in range(20):
        await house.enter(SocketId(f"{number}"), ANNA)
    await house.enter(B, BEN)
    await house.clock.jump(10.0)
    refused = [
        await refusal(house.door.event(SocketId(f"{turn % 20}"), "update_status", [("away", "busy")[turn % 2]]))
        for turn in range(100)
    ]
    assert refused == [""] * int(BURST / CHANGE) + ["rate_limited"] * (100 - int(BURST / CHANGE))
    assert await refusal(house.door.event(B, "update_status", ["away"])) == ""
    await house.clock.jump(1.0)
    again = [await refusal(house.door.event(A, "update_status", ["away"])) for A in [SocketId("3")] * 20]
    assert again.count("") == int(RATE / CHANGE)


async def test_leaving_and_coming_back_buys_nothing(house: House) -> None:
    await house.enter(A, ANNA)
    while await refusal(house.door.event(A, "get_presence", [list(range(MOST_ASKED))])) == "":
        pass
    for _ in range(20):
        await house.door.disconnect(A, clean=True)
        last = await refusal(house.enter(A, ANNA))
    assert last == "rate_limited"


# --- contacts on WhatsApp

ANN = Jid("15550100042@s.whatsapp.net")
UNKNOWN = {"jid": ANN, "name": "", "status": "unknown", "last_seen": None, "v": 0}


async def test_whoever_may_watch_a_contact_sees_it_on_entry_and_at_each_step(house: House) -> None:
    await house.users.grant(ANNA, [ANN])
    await house.enter(A, ANNA)
    await house.enter(B, BEN)
    assert house.sockets.heard(A, "contact_presence_info") == [[UNKNOWN]]
    house.hear(ANN, Signal.AVAILABLE)
    online = {"jid": ANN, "name": "Ann", "status": "online", "last_seen": instant(START), "v": START * 1e6}
    assert house.sockets.heard(A, "contact_presence_updated") == [online]
    await house.enter(C, ANNA)
    assert house.sockets.heard(C, "contact_presence_info") == [[online]]
    await house.grants.revoke(ANNA, [ANN])
    assert house.sockets.heard(A, "contact_presence_info")[1:] == [[]]
    assert [event for sockets, event, _ in house.sockets.emitted if B in sockets and event.startswith("contact")] == []


async def test_who_asks_for_contacts_hears_of_all_whom_they_may_watch_and_of_nobody_else(house: House) -> None:
    house.hear(ANN, Signal.AVAILABLE)
    await house.enter(A, ANNA)
    assert await house.event(A, "get_contact_presence", [ANN]) == [[]]
    await house.grants.grant(ANNA, [ANN])
    [[found]] = await house.event(A, "get_contact_presence") or [[]]
    assert (found["jid"], found["status"]) == (ANN, "online")
    assert house.sockets.heard(A, "contact_presence_info") == [[], [found], [found]]


async def test_when_the_last_socket_of_a_user_is_gone_nothing_is_followed_for_them(house: House) -> None:
    await house.users.grant(ANNA, [ANN])
    for socket in (A, C):
        await house.enter(socket, ANNA)
    await house.door.disconnect(A, clean=True)
    assert len(house.grants.view(ANNA)) == 1
    await house.door.disconnect(C, clean=False)
    assert house.grants.view(ANNA) == []


# --- tokens

TOKENS = {"good": Principal(user=ANNA), "short": Principal(user=ANNA, until=START + 60)}


async def test_without_a_token_nobody_comes_in(locked: House) -> None:
    for auth in ({}, {"token": "forged"}, {"token": 7}):
        with pytest.raises(Refused) as refused:
            await locked.door.connect(A, auth, {})
        assert refused.value.code == "unauthenticated"


async def test_a_bearer_token_is_as_good(locked: House) -> None:
    await locked.door.connect(A, {}, {"authorization": "Bearer good"})
    assert await locked.event(A, "user_authenticated", ANNA)


async def test_nobody_enters_as_somebody_else(locked: House) -> None:
    with pytest.raises(Refused) as refused:
        await locked.enter(A, BEN, token="good")
    assert refused.value.code == "forbidden"


async def test_a_socket_is_closed_when_its_token_expires(locked: House) -> None:
    await locked.enter(A, ANNA, token="short")
    await locked.enter(B, ANNA, token="good")
    await locked.door.end_expired()
    assert locked.sockets.closed == []
    await locked.clock.jump(61.0)
    await locked.door.end_expired()
    assert locked.sockets.closed == [(A, "token_expired")]


def test_instants_are_written_as_javascript_writes_them() -> None:
    assert instant(1_763_649_000.25) == "2025-11-20T14:30:00.250Z"
    assert instant(None) is None

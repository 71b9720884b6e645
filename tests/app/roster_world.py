# SPDX-License-Identifier: Apache-2.0
"""Several nodes on one roster, users who come and go, and everything that can go wrong, in virtual time.

`World` does what it is asked, and knows what must be true of it: plainly, from who has a socket where.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from tests.app.roster_faults import Line, Store, Watch
from wigwag.adapters.memory.users import MemoryUserStore
from wigwag.app.lobby import Lobby
from wigwag.app.ports import Roster, User
from wigwag.domain.errors import GatewayError, StoreUnavailable
from wigwag.domain.events import ContactsShown, Fact, UserChanged
from wigwag.domain.users import GRACE, Choice, Privacy, Shown, UserId, View, aggregate, sight
from wigwag.testing import FakeClock

T = TypeVar("T")
FRIENDS: dict[UserId, set[UserId]] = {1: {2, 3, 4}, 2: {1, 3}, 3: {1, 2}, 4: {1}, 5: set()}
REST = 60.0  # seconds after which everything that is mended by itself is mended
LATEST = 15.0  # seconds in which others see that a node has died


@dataclass(eq=False)
class Client:
    """A socket, and what its screen shows."""

    user: UserId
    node: "Place"
    device: str
    screen: dict[UserId, View] = field(default_factory=dict)
    whole: bool = False  # the list of contacts has come


@dataclass(eq=False)
class Place:
    """A node that runs."""

    line: Line
    lobby: Lobby
    task: "asyncio.Task[None]"
    clients: set[Client] = field(default_factory=set)
    late: list[Client] = field(default_factory=list)  # whose sockets closed while it was stopped
    mended: float = float("-inf")  # when it was last stopped or cut, and is no more

    @property
    def well(self) -> bool:
        return not self.line.cut and self.line.going.is_set()


class World:
    """Nodes, users and their clients over a roster."""

    def __init__(self, clock: FakeClock, roster: Roster, lose: Callable[[], Awaitable[None]]) -> None:
        self.clock, self.roster, self._lose = clock, roster, lose
        self.users = MemoryUserStore()
        self.store = Store(self.users)
        self.places: dict[int, Place] = {}
        self.privacy: dict[UserId, Privacy] = dict.fromkeys(FRIENDS, Privacy())
        self.choices: dict[UserId, set[Choice]] = {user: {Choice.ONLINE} for user in FRIENDS}
        self.covered: dict[UserId, float] = dict.fromkeys(FRIENDS, float("-inf"))
        self.seen: dict[UserId, float] = {}
        self._numbers = count()
        self.told = 0

    async def open(self) -> None:
        await self.users.put([User(id=user) for user in FRIENDS])
        for user, friends in FRIENDS.items():
            await self.users.add_contacts(user, friends)

    async def close(self) -> None:
        for number in list(self.places):
            await self.kill(number)

    # --- what happens to nodes

    async def start(self, number: int) -> None:
        line = Line(self.roster)
        watch = Watch(self.clock, line)
        heard: list[Place] = []
        lobby = Lobby(
            directory=self.users,
            store=self.store,
            roster=line,
            clock=watch,
            announce=lambda fact: self._hear(heard[0], fact) if heard else None,
        )
        try:
            await self._soon(lobby.start())
        except StoreUnavailable:  # it does not start without its database
            return
        self.places[number] = place = Place(line, lobby, asyncio.create_task(lobby.run(), name=f"node {number}"))
        heard.append(place)
        await self.settle()

    async def kill(self, number: int) -> None:
        """Like SIGKILL: nothing is said to anybody."""
        place = self.places.pop(number)
        self._lost(place.clients)
        place.task.cancel()
        await asyncio.gather(place.task, return_exceptions=True)

    async def terminate(self, number: int) -> None:
        """Like SIGTERM: sockets are closed, what is to be written is written."""
        place = self.places[number]
        self._lost(place.clients)
        for client in list(place.clients):
            place.lobby.leave(client.user, client.device, goodbye=False)
        place.clients.clear()
        await self._soon(place.lobby.node.finish())
        await place.lobby.flush()
        await self.kill(number)

    async def stop(self, number: int) -> None:
        """Like SIGSTOP."""
        self._cover()
        self.places[number].line.going.clear()

    async def go_on(self, number: int) -> None:
        """Like SIGCONT."""
        place = self.places[number]
        place.line.going.set()
        place.mended = self.clock.now()
        for client in place.late:
            place.lobby.leave(client.user, client.device, goodbye=False)
        place.late.clear()
        await self.settle()

    async def cut(self, number: int, cut: bool) -> None:
        """The line to the roster breaks, or is mended."""
        place = self.places[number]
        if cut:
            self._cover()
        elif place.line.cut:
            place.mended = self.clock.now()
        place.line.set_cut(cut)
        await self.settle()

    async def lose(self) -> None:
        """The roster comes back empty."""
        if not any(place.well for place in self.places.values()):
            self.choices = {user: set(Choice) for user in FRIENDS}
        await self._lose()
        await self.settle()

    # --- what users do

    async def enter(self, user: UserId, number: int) -> None:
        place = self.places[number]
        client = Client(user, place, f"d{next(self._numbers)}")
        place.clients.add(client)
        try:
            views = await self._soon(place.lobby.enter(user, client.device))
        except GatewayError:
            place.clients.discard(client)
            assert self.store.away
            return
        for view in views or ():
            self._show(client, view, listed=True)
        client.whole = client.whole or views is not None
        self._cover()
        await self.settle()

    async def leave(self, client: Client, *, goodbye: bool) -> None:
        self._cover()
        place = client.node
        place.clients.discard(client)
        others = self.clients(client.user)
        if goodbye and not others:
            self.covered[client.user] = float("-inf")
        if not others:
            self.choices[client.user].add(Choice.ONLINE)
        if place.line.going.is_set():
            place.lobby.leave(client.user, client.device, goodbye=goodbye)
        else:
            place.late.append(client)
        await self.settle()

    async def choose(self, client: Client, choice: Choice) -> None:
        ready = all(place.well and place.lobby.node.synced for place in self.places.values())
        unsure = not ready or self.store.away  # then what is chosen is written later, and may win over what came after
        self.choices[client.user] = (self.choices[client.user] if unsure else set()) | {choice}
        await self._soon(client.node.lobby.choose(client.user, choice))
        await self.settle()

    async def hide(self, user: UserId, privacy: Privacy, number: int) -> None:
        """A user's privacy is changed, by a request to some node."""
        await self.users.put([User(id=user, privacy=privacy)])
        self.privacy[user] = privacy
        await self._soon(self.places[number].lobby.refresh(user))
        await self.settle()

    async def wait(self, seconds: float) -> None:
        self._cover()
        await self.clock.advance(seconds)
        self._cover()
        self.check_alive()

    async def settle(self) -> None:
        await self.clock.settle()
        self.check_alive()

    # --- what must be true

    def clients(self, user: UserId) -> list[Client]:
        return [client for place in self.places.values() for client in place.clients if client.user == user]

    def shown(self, user: UserId) -> set[Shown]:
        """What may be shown of a user."""
        return {aggregate(len(self.clients(user)), choice) for choice in self.choices[user]}

    def check_alive(self) -> None:
        for place in self.places.values():
            if place.task.done():
                place.task.result()

    async def check_at_rest(self) -> None:
        """Mend what is broken, wait, and compare everything with what is plainly so."""
        self.store.away = False
        for number, place in self.places.items():
            await self.cut(number, cut=False)
            if not place.line.going.is_set():
                await self.go_on(number)
        await self.wait(REST)
        for place in self.places.values():
            assert place.lobby.node.synced
            for user in FRIENDS:
                [whole] = await place.lobby.view(None, [user])
                assert whole.status in self.shown(user), (user, whole, self.shown(user))
                self._remember_seen(user, whole.last_seen)
                entry = place.lobby.node.entry(user)
                assert bool(entry) is bool(self.clients(user)), (user, entry)
                assert entry is None or len(entry.presence.devices) == len(self.clients(user)), (user, entry)
            assert place.lobby.active_users_count() == sum(bool(self.clients(user)) for user in FRIENDS)
            for client in place.clients:
                await self._check_screen(client)
        views = [await place.lobby.view(None, list(FRIENDS)) for place in self.places.values()]
        assert all(view == views[0] for view in views)

    async def _check_screen(self, client: Client) -> None:
        """A screen shows what would be told to whoever asks now."""
        assert client.whole
        friends = FRIENDS[client.user]
        for view in await client.node.lobby.view(client.user, friends):
            there = client.screen.get(view.user, View(user=view.user))
            assert there.status is view.status, (client.user, there, view)
            assert there.v <= view.v or view.v == 0

    # --- inside

    def _hear(self, place: Place, fact: Fact) -> None:
        if isinstance(fact, UserChanged):
            for client in place.clients:
                if client.user in fact.audience:
                    self._show(client, fact.view, listed=False)
        elif isinstance(fact, ContactsShown):
            for client in place.clients:
                if client.user == fact.user:
                    client.whole = True
                    for view in fact.views:
                        self._show(client, view, listed=True)

    def _show(self, client: Client, view: View, *, listed: bool) -> None:
        """Something is told to a client: may it know, and is it newer than what it knows?"""
        self.told += 1
        user, before = view.user, client.screen.get(view.user)
        allowed = sight(self.privacy[user], contact=user in FRIENDS[client.user])
        if user != client.user:
            assert allowed.status or view.status is Shown.OFFLINE, (client.user, view)
            assert allowed.last_seen or view.last_seen is None, (client.user, view)
        if before is not None and view.v:
            assert view.v >= before.v if listed else view.v > before.v, (client.user, before, view)
            if view.last_seen is not None and before.last_seen is not None:
                assert view.last_seen >= before.last_seen
        assert view.last_seen is None or view.last_seen <= self.clock.now() + 1e-6
        if view.status is Shown.OFFLINE and not listed and (user == client.user or allowed.status):
            self._check_not_too_early(user)
        client.screen[user] = view

    def _check_not_too_early(self, user: UserId) -> None:
        """Who is here, or was here a grace ago, is not told to be offline; who is invisible is."""
        if Choice.INVISIBLE not in self.choices[user]:
            self._cover()
            assert self.clock.now() - self.covered[user] >= GRACE - 1e-6, (user, self.clock.now() - self.covered[user])

    def _cover(self) -> None:
        """Remember who is here now, as far as their nodes are well, and have been for long enough."""
        now = self.clock.now()
        for place in self.places.values():
            for client in place.clients if place.well and now - place.mended >= LATEST else ():
                self.covered[client.user] = now
        for user in FRIENDS:  # whose nodes are all taken for dead may have been gone, and a choice ends with that
            if self.covered[user] < now:
                self.choices[user].add(Choice.ONLINE)

    def _lost(self, clients: set[Client]) -> None:
        self._cover()
        for user in {client.user for client in clients}:
            if all(client in clients for client in self.clients(user)):
                self.choices[user].add(Choice.ONLINE)

    def _remember_seen(self, user: UserId, last_seen: float | None) -> None:
        before = self.seen.get(user)
        if before is not None:
            assert last_seen is not None
            assert last_seen >= before
        if last_seen is not None:
            assert last_seen <= self.clock.now()
            self.seen[user] = last_seen

    async def _soon(self, work: Awaitable[T]) -> T:
        """Something that must not need more time than the roster does."""
        task = asyncio.ensure_future(work)
        for _ in range(200):
            await self.clock.settle()
            if task.done():
                return task.result()
            await self.clock.advance(0.05)
        task.cancel()
        raise AssertionError("it hangs")

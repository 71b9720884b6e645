# SPDX-License-Identifier: Apache-2.0
"""The events of seed 004 over sockets: who is here, what is shown of whom, told to those who may know.

A door and a sink: it turns events into calls of the lobby, and the lobby's facts into events. It decides nothing.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Protocol

from wigwag.adapters.realtime.handlers import RATE_LIMITED, Refused, SocketId
from wigwag.adapters.realtime.limits import Budgets
from wigwag.adapters.realtime.shapes import contact_shown, shown
from wigwag.app.ports import Authenticator, Clock, Principal
from wigwag.domain.errors import Forbidden, GatewayError
from wigwag.domain.events import ContactsShown, Fact, GrantedChanged, GrantsShown, UserChanged
from wigwag.domain.presence import Presence
from wigwag.domain.users import Choice, UserId, View, user_id

log = logging.getLogger(__name__)

MOST_ASKED = 500  # in one question
MOST_DEVICES = 50  # of one user
RATE, BURST = 40.0, 200.0  # points a second, and at once, of one user over all devices
ENTRY, CHANGE, ASKED = 2.0, 5.0, 1 / 50  # points of an entry, of a change of status that all contacts hear, of one id
EXPIRED_EVERY = 5.0  # seconds between looks for tokens that have expired
STATUSES = {choice.value: choice for choice in Choice} | {"offline": Choice.INVISIBLE}  # seed 004 says offline


class Lobby(Protocol):
    """What this door asks of the lobby."""

    async def enter(self, user: UserId, device: str) -> list[View] | None: ...

    def leave(self, user: UserId, device: str, *, goodbye: bool) -> None: ...

    async def choose(self, user: UserId, choice: Choice) -> None: ...

    async def view(self, asker: UserId | None, users: list[UserId]) -> list[View]: ...


class Grants(Protocol):
    """What this door asks of those who know which contacts on WhatsApp a user may watch."""

    async def enter(self, user: UserId) -> list[Presence]: ...

    def leave(self, user: UserId) -> None: ...

    def view(self, user: UserId) -> list[Presence]: ...


class Sockets(Protocol):
    """What this door asks of the server of sockets."""

    def emit(self, sockets: Iterable[SocketId], event: str, *args: object) -> None: ...

    async def disconnect(self, socket: SocketId, reason: str) -> None: ...


@dataclass(slots=True)
class _Guest:
    """A socket, who its token says it is, and as whom it has entered."""

    principal: Principal | None
    user: UserId | None = None
    silent: bool = False


class PresenceDoor:
    """The handlers of the sockets. `sockets` is set once, when the server is there.

    Args:
        authenticator: None trusts whoever says who they are; for demos only.
    """

    sockets: Sockets

    def __init__(self, lobby: Lobby, grants: Grants, authenticator: Authenticator | None, clock: Clock) -> None:
        self._lobby, self._grants, self._authenticator, self._clock = lobby, grants, authenticator, clock
        self._guests: dict[SocketId, _Guest] = {}
        self._of_user: defaultdict[UserId, set[SocketId]] = defaultdict(set)
        self._expiries: list[tuple[float, SocketId]] = []
        self._budgets = Budgets(rate=RATE, burst=BURST)

    # --- handlers

    async def connect(self, socket: SocketId, auth: dict[str, Any], headers: Mapping[str, str]) -> None:
        principal = None
        if self._authenticator is not None:
            principal = await self._authenticated(_token(auth, headers))
            if principal.until is not None:
                heappush(self._expiries, (principal.until, socket))
        self._guests[socket] = _Guest(principal)

    async def event(self, socket: SocketId, name: str, args: list[Any]) -> list[Any] | None:
        handlers = {
            "user_authenticated": self._enter,
            "update_status": self._update_status,
            "get_presence": self._get_presence,
            "get_contact_presence": self._get_contact_presence,
        }
        handle = handlers.get(name)
        if handle is None:
            raise Refused("unknown_event", "There is no such event.")
        try:
            return await handle(socket, args[0] if args else None)
        except GatewayError as error:
            raise Refused(error.code, str(error)) from error

    def silent(self, socket: SocketId) -> None:
        """Its device has its grace from now on."""
        guest = self._guests.get(socket)
        if guest is not None and guest.user is not None:
            guest.silent = True
            self._lobby.leave(guest.user, socket, goodbye=False)

    async def back(self, socket: SocketId) -> None:
        """Its device counts again. Others never heard of it, if the grace was not over."""
        guest = self._guests.get(socket)
        if guest is None or guest.user is None:
            return
        guest.silent, user = False, guest.user
        contacts = await self._lobby.enter(user, socket)
        if guest.silent or guest.user != user:
            self._lobby.leave(user, socket, goodbye=False)
        elif contacts is not None:  # what it may have missed
            self.sockets.emit([socket], "presence_info", [shown(view) for view in contacts])

    async def disconnect(self, socket: SocketId, clean: bool) -> None:
        guest = self._guests.pop(socket, None)
        if guest is not None:
            self._leave(socket, guest, goodbye=clean)

    @property
    def devices(self) -> int:
        """How many sockets said which user they belong to."""
        return sum(map(len, self._of_user.values()))

    # --- a sink

    def sink(self, fact: Fact) -> None:
        """Tell those who may know."""
        if isinstance(fact, UserChanged):
            sockets = [socket for user in fact.audience for socket in self._of_user.get(user, ())]
            if sockets:
                self.sockets.emit(sockets, "presence_updated", shown(fact.view))
        elif isinstance(fact, GrantedChanged):
            sockets = [socket for user in fact.audience for socket in self._of_user.get(user, ())]
            self.sockets.emit(sockets, "contact_presence_updated", contact_shown(fact.presence))
        elif isinstance(fact, GrantsShown):
            contacts = [contact_shown(presence) for presence in fact.presences]
            self.sockets.emit(self._of_user.get(fact.user, ()), "contact_presence_info", contacts)
        elif isinstance(fact, ContactsShown):
            views = [shown(view) for view in fact.views]
            self.sockets.emit(self._of_user.get(fact.user, ()), "presence_info", views)

    # --- work

    async def run(self) -> None:
        """Close the sockets whose token has expired, for ever."""
        while True:
            await self._clock.sleep(EXPIRED_EVERY)
            await self.end_expired()
            self._budgets.forget(self._clock.now())

    async def end_expired(self) -> None:
        """Close the sockets whose token has expired."""
        while self._expiries and self._expiries[0][0] <= self._clock.now():
            _, socket = heappop(self._expiries)
            if socket in self._guests:
                await self.sockets.disconnect(socket, "token_expired")

    # --- events

    async def _enter(self, socket: SocketId, given: object) -> list[Any]:
        guest, user = self._guests[socket], user_id(given)
        if guest.principal is not None and guest.principal.user != user:
            log.warning("Somebody wanted to be another user than their token's", extra={"action": "realtime.forbidden"})
            raise Forbidden("The token belongs to another user.")
        self._pay(user, ENTRY)
        if guest.user is not None and guest.user != user:
            self._leave(socket, guest, goodbye=True)
        here = guest.user is not None
        if not here and len(self._of_user.get(user, ())) >= MOST_DEVICES:
            raise Refused("too_many_devices", f"A user may have {MOST_DEVICES} devices at once.")
        guest.user = user  # from here on it hears of changes, so none is missed between the snapshot and them
        self._of_user[user].add(socket)
        try:
            watched, contacts = await self._grants.enter(user), await self._lobby.enter(user, socket)
        except GatewayError:
            if not here:
                self._leave(socket, guest, goodbye=True)
            raise
        if guest.user != user:  # it went while we looked
            self._lobby.leave(user, socket, goodbye=False)
            self._forget(user)
            return []
        if contacts is not None:
            self.sockets.emit([socket], "presence_info", [shown(view) for view in contacts])
        if watched:
            self.sockets.emit([socket], "contact_presence_info", [contact_shown(presence) for presence in watched])
        return [{"ok": True, "user_id": user}]

    async def _update_status(self, socket: SocketId, given: object) -> list[Any]:
        choice = STATUSES.get(given) if isinstance(given, str) else None
        if choice is None:
            raise Refused("invalid_status", f"A status is one of {', '.join(STATUSES)}.")
        user = self._user(socket)
        self._pay(user, CHANGE)
        await self._lobby.choose(user, choice)
        return [{"ok": True, "status": given}]

    async def _get_presence(self, socket: SocketId, given: object) -> list[Any]:
        if not isinstance(given, list) or len(given) > MOST_ASKED:
            raise Refused("invalid_users", f"Give a list of at most {MOST_ASKED} users.")
        user = self._user(socket)
        self._pay(user, 1 + len(given) * ASKED)
        views = await self._lobby.view(user, [user_id(one) for one in given])
        found = [shown(view) for view in views]
        self.sockets.emit([socket], "presence_info", found)
        return [found]

    async def _get_contact_presence(self, socket: SocketId, _given: object) -> list[Any]:
        user = self._user(socket)
        found = [contact_shown(presence) for presence in self._grants.view(user)]
        self._pay(user, 1 + len(found) * ASKED)
        self.sockets.emit([socket], "contact_presence_info", found)
        return [found]

    # --- inside

    async def _authenticated(self, token: str) -> Principal:
        assert self._authenticator is not None  # noqa: S101  asked before
        try:
            return await self._authenticator(token)
        except GatewayError as error:
            raise Refused(error.code, str(error)) from error

    def _user(self, socket: SocketId) -> UserId:
        user = self._guests[socket].user
        if user is None:
            raise Forbidden("Say who you are first: emit user_authenticated.")
        return user

    def _pay(self, user: UserId, points: float) -> None:
        """Raises Refused for a user who asks too much, on however many devices."""
        if not self._budgets.take(user, points, self._clock.now()):
            raise Refused(RATE_LIMITED, "Too much at once on all devices together: wait a second, then send less.")

    def _leave(self, socket: SocketId, guest: _Guest, *, goodbye: bool) -> None:
        if guest.user is None:
            return
        self._of_user[guest.user].discard(socket)
        self._forget(guest.user)
        self._lobby.leave(guest.user, socket, goodbye=goodbye)
        guest.user = None

    def _forget(self, user: UserId) -> None:
        """If no socket of the user is left."""
        if not self._of_user.get(user):
            self._of_user.pop(user, None)
            self._grants.leave(user)


def _token(auth: dict[str, Any], headers: Mapping[str, str]) -> str:
    """The token in the handshake: `auth: {token}` of the client, or a bearer token."""
    token = auth.get("token")
    if isinstance(token, str):
        return token
    return headers.get("authorization", "").removeprefix("Bearer ").strip()

# SPDX-License-Identifier: Apache-2.0
"""The stream as a whole: a sink, the clients that follow it, and a sample of the gateway's figures each second.

Clients have no queues. Each has a place in the ring, and is woken when there is more; who does not read is cut.
"""

import asyncio
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from starlette.requests import Request

from wigwag.adapters.rest.stream import kinds
from wigwag.adapters.rest.stream.figures import Figures
from wigwag.adapters.rest.stream.ring import SIZE, Entry, Ring
from wigwag.app.gateway import Gateway
from wigwag.app.ports import Clock
from wigwag.domain.events import ContactRemoved
from wigwag.domain.outbox import wanted

PATIENCE = 10.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events a client wants; what is empty does not matter."""

    kinds: frozenset[str] = frozenset()
    account: str = ""
    about: frozenset[str] = frozenset()

    def has(self, entry: Entry) -> bool:
        told = entry.told
        return (
            told is not None
            and (not self.kinds or told.kind in self.kinds)
            and (not self.account or told.account in (self.account, ""))
            and (not self.about or not self.about.isdisjoint(told.about))
        )


@dataclass(slots=True)
class Tally:
    """What became of clients since the start."""

    fresh: int = 0
    resumed: int = 0
    reset: int = 0
    cut: int = 0


@dataclass(slots=True, eq=False)
class Client:
    """One who follows, with its place in the ring."""

    wanted: Wanted
    seen: int
    news: asyncio.Event = field(default_factory=asyncio.Event)
    gone: bool = False

    def leave(self) -> None:
        """It hung up, or is to go."""
        self.gone = True
        self.news.set()


class Stream:
    """Everything about `GET /api/events`.

    Args:
        size: events kept for those who come back.
        epoch: names this process among all that ever ran.
        patience: seconds that a client may leave a write unread.
    """

    def __init__(
        self,
        gateway: Gateway,
        clock: Clock,
        *,
        size: int = SIZE,
        epoch: str | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.clock, self.tally, self.closed, self.patience = clock, Tally(), False, patience
        self.ring = Ring(epoch or secrets.token_hex(4), lambda fact: kinds.tell(fact, gateway), size)
        self.figures = Figures(gateway, clock, lambda: len(self.clients))
        self.clients: set[Client] = set()
        self._erased: set[str] = set()

    def sink(self, fact: object) -> None:
        """Hear of a fact."""
        self.figures.count(fact)
        if type(fact) not in kinds.BY_FACT:
            return
        if isinstance(fact, ContactRemoved):
            self._erased.add(fact.jid)
        self.ring.append(fact)
        for client in self.clients:
            client.news.set()

    def forget(self) -> None:
        """Drop what is about people who are gone. One pass for all of them: a group may have been untracked."""
        people, self._erased = self._erased, set()
        if people:
            self.ring.forget(lambda fact: kinds.names(fact, people))

    async def run(self) -> None:
        """Sample the figures, for ever."""
        while True:
            self.sink(await self.figures.next())
            self.forget()

    async def close(self) -> None:
        """Let all clients go; they come back to whoever is there then."""
        self.closed = True
        for client in list(self.clients):
            client.leave()


def stream_of(request: Request) -> Stream:
    """The stream of this app."""
    stream: Stream = request.app.state.stream
    return stream


def kinds_like(patterns: Collection[str]) -> frozenset[str]:
    """The kinds that these patterns mean, such as `message.*`; empty for none at all."""
    return frozenset(name for name in kinds.NAMES if wanted(name, tuple(patterns)))

# SPDX-License-Identifier: Apache-2.0
"""For tests of wigwag and of what is built on it: virtual time, an obedient WhatsApp, and a gateway in memory.

These are fakes that keep the ports' laws, not mocks; the simulator is there for everything that should be real.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, TypeVar

from wigwag.adapters.memory.accounts import MemoryAccountStore
from wigwag.adapters.memory.presence import MemoryPresenceStore
from wigwag.adapters.memory.watches import MemoryWatchStore
from wigwag.app.core import Core, Outside, assemble
from wigwag.app.ports import Clock, Link, Wire
from wigwag.domain.account import LinkSignal
from wigwag.domain.errors import GatewayError, NotFound
from wigwag.domain.events import Fact, LinkReported, PairingOffered, PresenceReported, Report
from wigwag.domain.ids import Jid
from wigwag.domain.pacing import Pace
from wigwag.domain.presence import HIDDEN, Signal

START = 1_800_000_000.0  # Unix seconds
F = TypeVar("F")
TURNS = 10_000  # of the event loop; whoever is still busy after so many never rests


class FakeClock:
    """Time that stands still until it is told to go on."""

    def __init__(self, start: float = START) -> None:
        self._now = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = 0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        await self._at(self._now + seconds)

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        if event.is_set() or (until is not None and until <= self._now):
            return
        waits: set[asyncio.Future[Any]] = {asyncio.ensure_future(event.wait())}
        if until is not None:
            waits.add(asyncio.ensure_future(self._at(until)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def settle(self) -> None:
        """Let everything run that can run without more time."""
        loop = asyncio.get_running_loop()
        for _turn in range(TURNS):
            await asyncio.sleep(0)
            if not loop._ready:  # type: ignore[attr-defined]  # noqa: SLF001  there is no public way to ask
                break

    async def advance(self, seconds: float) -> None:
        """Let time go on; whoever sleeps wakes at its own instant, in order."""
        target = self._now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            instant, _order, sleeper = heappop(self._sleepers)
            if sleeper.done():
                continue
            self._now = max(self._now, instant)
            sleeper.set_result(None)
            await self.settle()
        self._now = target
        await self.settle()

    async def jump(self, seconds: float) -> None:
        """Let time pass as for a machine that was asleep: whoever was due in between wakes once, late."""
        self._now += seconds
        await self.advance(0.0)

    async def _at(self, instant: float) -> None:
        self._order += 1
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (instant, self._order, sleeper))
        await sleeper


@dataclass
class FakeWhatsApp:
    """A WhatsApp that records what it is asked, and tells what the test wants told. Fulfils `Link` and `Wire`."""

    clock: FakeClock
    answers: bool = True  # whether a subscribe is answered by a snapshot: offline, last seen hidden
    refusal: GatewayError | None = None  # what every subscribe and appear raises
    rooms: dict[Jid, dict[Jid, str]] = field(default_factory=dict)  # groups, and who is in them
    subscribed: list[tuple[float, str, Jid]] = field(default_factory=list)
    learned: list[list[Jid]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)  # (what, account) of every other call
    _inbox: asyncio.Queue[Report] = field(default_factory=asyncio.Queue)

    # --- what the test tells

    def tell(self, *reports: Report) -> None:
        for report in reports:
            self._inbox.put_nowait(report)

    def tell_link(self, signal: LinkSignal, account: str = "default", **more: Any) -> None:
        self.tell(LinkReported(account=account, signal=signal, at=self.clock.now(), **more))

    def tell_presence(self, jid: Jid, online: bool, last_seen: float = HIDDEN, account: str = "default") -> None:
        signal = Signal.AVAILABLE if online else Signal.UNAVAILABLE
        at = self.clock.now()
        self.tell(PresenceReported(account=account, jid=jid, signal=signal, last_seen=last_seen, at=at))

    def offer_pairing(self, qr: str = "2@code", account: str = "default", valid: float = 60.0) -> None:
        now = self.clock.now()
        self.tell_link(LinkSignal.OFFERED, account)
        self.tell(PairingOffered(account=account, qr=qr, at=now, expires=now + valid))

    # --- Link

    async def reports(self) -> Sequence[Report]:
        reports = [await self._inbox.get()]
        while not self._inbox.empty():
            reports.append(self._inbox.get_nowait())
        return reports

    async def connect(self, account: str) -> None:
        self.asked.append(("connect", account))

    async def disconnect(self, account: str) -> None:
        self.asked.append(("disconnect", account))

    async def pair_by_code(self, account: str, phone: str) -> str:
        self.asked.append(("pair_by_code", account))
        return f"CODE-{phone[-4:]}"

    async def log_out(self, account: str) -> None:
        self.asked.append(("log_out", account))

    # --- Wire

    async def appear(self, account: str, available: bool) -> None:
        self._refuse()
        self.asked.append(("appear" if available else "disappear", account))

    async def learn(self, account: str, jids: Sequence[Jid]) -> None:  # noqa: ARG002  the port's shape
        self.learned.append(list(jids))

    async def subscribe(self, account: str, jid: Jid) -> None:
        self._refuse()
        self.subscribed.append((self.clock.now(), account, jid))
        if self.answers:
            self.tell_presence(jid, online=False, account=account)

    async def members(self, account: str, group: Jid) -> dict[Jid, str]:  # noqa: ARG002
        if group not in self.rooms:
            raise NotFound("The account is not in this group.")
        return dict(self.rooms[group])

    async def groups(self, account: str) -> dict[Jid, str]:  # noqa: ARG002
        return dict.fromkeys(self.rooms, "a group")

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal


class RecordingSink:
    """Keeps every fact that was announced."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def __call__(self, fact: Fact) -> None:
        self.facts.append(fact)

    def of(self, kind: type[F]) -> list[F]:
        """The facts of one kind."""
        return [fact for fact in self.facts if isinstance(fact, kind)]


class MemoryStores:
    """All stores in memory. Give the same ones to a second trial, and it is a restart."""

    def __init__(self) -> None:
        self.watches = MemoryWatchStore()
        self.presence = MemoryPresenceStore(self.watches)
        self.accounts = MemoryAccountStore()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A gateway in memory, with its fakes and stores in reach."""

    core: Core
    clock: FakeClock
    whatsapp: FakeWhatsApp
    facts: RecordingSink
    stores: MemoryStores

    async def connect(self, account: str = "default") -> None:
        """Pair an account, and bring its link up."""
        self.whatsapp.tell_link(LinkSignal.PAIRED, account, jid=Jid("15550001111@s.whatsapp.net"))
        self.whatsapp.tell_link(LinkSignal.UP, account)
        await self.clock.settle()


def build_trial(
    *,
    clock: FakeClock | None = None,
    whatsapp: FakeWhatsApp | None = None,
    stores: MemoryStores | None = None,
    pace: Pace | None = None,
    cap: int | None = None,
) -> Trial:
    """A gateway over fakes and memory; whatever is given takes their place. `running` starts it."""
    clock, stores, facts = clock or FakeClock(), stores or MemoryStores(), RecordingSink()
    whatsapp = whatsapp or FakeWhatsApp(clock)
    core = assemble(
        Outside(
            link=whatsapp,
            wire=whatsapp,
            presence_store=stores.presence,
            watch_store=stores.watches,
            account_store=stores.accounts,
            clock=clock,
            pace=pace or Pace(),
            cap=cap,
            on_sink_error=_raise,
            chance=lambda: 0.0,
        )
    )
    core.fanout.add("facts", facts)
    return Trial(core=core, clock=clock, whatsapp=whatsapp, facts=facts, stores=stores)


@asynccontextmanager
async def running(trial: Trial) -> AsyncIterator[Trial]:
    """A trial at work, until the block ends. It ends as a kill would end it: nothing is finished."""
    await trial.core.restore()
    task = asyncio.create_task(trial.core.run(), name="core")
    await trial.clock.settle()
    try:
        yield trial
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _raise(name: str, error: Exception) -> None:
    raise AssertionError(f"the sink {name} failed") from error


if TYPE_CHECKING:
    _clock: type[Clock] = FakeClock
    _link: type[Link] = FakeWhatsApp
    _wire: type[Wire] = FakeWhatsApp

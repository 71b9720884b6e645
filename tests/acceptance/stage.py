# SPDX-License-Identifier: Apache-2.0
"""A gateway's core with the real whatsmeow, against a simulator in the same process, on time that can be pushed on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from wigwag.adapters import numbering
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.media import MediaFiles
from wigwag.adapters.memory.roster import MemoryRoster
from wigwag.adapters.outgoing import Outgoing
from wigwag.adapters.storage.stores import Stores, open_stores
from wigwag.adapters.whatsapp.courier import WORD, WhatsAppCourier
from wigwag.adapters.whatsapp.room import WhatsApp
from wigwag.adapters.whatsapp.simulator import attach
from wigwag.app.access import Vault
from wigwag.app.core import Core, Outside, assemble
from wigwag.app.correspondence import Mail
from wigwag.app.lobby import Host
from wigwag.app.webhooks import Hooks
from wigwag.domain.errors import Conflict
from wigwag.domain.pacing import Pace
from wigwag.domain.throttle import Rate
from wigwag.simulator import Limits, Simulator
from wigwag.testing import OPEN_HERE, RecordingSink

PATIENCE = 30.0  # seconds until a test gives up waiting; never a measure
BRISK = Pace(batch=20, gap=0.01, rest=0.05)
AT_ONCE = Rate(per_minute=0, jitter=0.0)
MIB = 1 << 20


class PushedClock(SystemClock):
    """Real time, ahead by as much as a test has pushed it. Whoever waits sees the push at once."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0
        self._pushed = asyncio.Event()

    def now(self) -> float:
        return super().now() + self._ahead

    def push(self, seconds: float) -> None:
        self._ahead += seconds
        self._pushed.set()
        self._pushed = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        await self.wait(asyncio.Event(), self.now() + seconds)

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        while not event.is_set() and (until is None or self.now() < until):
            waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._pushed.wait())]
            left = None if until is None else until - self.now()
            try:
                await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A gateway at work and what a test may look at."""

    core: Core
    simulator: Simulator
    facts: RecordingSink
    clock: PushedClock
    whatsapp: WhatsApp
    stores: Stores
    media: MediaFiles
    running: "asyncio.Task[None]"

    async def until(self, holds: Callable[[], object], *, patience: float = PATIENCE) -> None:
        """Wait for something to become true. Whoever waits in vain is told what."""
        try:
            async with asyncio.timeout(patience):
                while not holds():
                    if self.running.done():
                        self.running.result()
                    await asyncio.sleep(0)
                    await self.breathe()
        except TimeoutError as error:
            raise AssertionError(f"it never became true: {holds.__code__.co_names}") from error

    async def breathe(self) -> None:
        """Give other threads a moment: whatsmeow lives in them."""
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()

    async def pair(self, phone: str, account: str = "default") -> None:
        """What a person does: scan the code on offer, and wait for the link."""
        gateway = self.core.gateway
        while not gateway.account(account).connected:
            with suppress(Conflict):
                await self.simulator.scan(gateway.pairing(account).qr, phone)
                await self.until(lambda: gateway.account(account).connected)
            await self.breathe()


@asynccontextmanager
async def staged(
    simulator: Simulator,
    clock: PushedClock,
    home: Path,
    *,
    pace: Pace = BRISK,
    cap: int | None = None,
    fetch_media: bool = False,
    budget: int = MIB,
    word: float = WORD,
) -> AsyncIterator[Stage]:
    """Run a core on real parts in `home`, until the block ends as a stop in order would end it.

    Args:
        fetch_media: media of others are downloaded when they come.
        budget: bytes of media that are kept.
        word: seconds to wait for WhatsApp's word on a message.
    """
    attach(simulator.url, simulator.root_key, simulator.certificate)
    simulator.set_limits(Limits(subscriptions_per_minute=None))  # our pace here is not the default one
    whatsapp = WhatsApp(home / "session", clock.now)
    stores = await open_stores(f"sqlite:///{home}/wigwag.db")
    media, outgoing = MediaFiles(home / "media", budget=budget, now=clock.now), Outgoing([])
    facts = RecordingSink()
    mail = _mail(whatsapp, stores, media, outgoing, word, fetch_media)
    core = assemble(_outside(whatsapp, stores, mail, outgoing, clock, pace, cap))
    core.fanout.add("facts", facts)
    await core.restore()
    running = asyncio.create_task(core.run(), name="core")
    try:
        yield Stage(
            core=core,
            simulator=simulator,
            facts=facts,
            clock=clock,
            whatsapp=whatsapp,
            stores=stores,
            media=media,
            running=running,
        )
        await core.drain()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await core.finish()
        await whatsapp.close()
        await outgoing.close()
        await stores.close()
        simulator.clear_faults()


def _mail(
    whatsapp: WhatsApp, stores: Stores, media: MediaFiles, outgoing: Outgoing, word: float, fetch_media: bool
) -> Mail:
    return Mail(
        courier=WhatsAppCourier(whatsapp, word=word),
        ledger=stores.ledger,
        archive=stores.jobs,
        messages=stores.messages,
        events=stores.events,
        templates=stores.templates,
        eraser=stores.eraser,
        media=media,
        fetcher=outgoing,
        numbering=numbering.forms,
        rate=AT_ONCE,
        fetch_media=fetch_media,
    )


def _outside(
    whatsapp: WhatsApp,
    stores: Stores,
    mail: Mail,
    outgoing: Outgoing,
    clock: PushedClock,
    pace: Pace,
    cap: int | None,
) -> Outside:
    return Outside(
        link=whatsapp,
        wire=whatsapp,
        presence_store=stores.presence,
        watch_store=stores.watches,
        account_store=stores.accounts,
        mail=mail,
        hooks=Hooks(
            endpoints=stores.endpoints, deliveries=stores.deliveries, archive=stores.deliveries, postman=outgoing
        ),
        host=Host(
            users=stores.users,
            directory=stores.users,
            last_seen=stores.last_seen,
            grants=stores.grants,
            roster=MemoryRoster(clock),
        ),
        vault=Vault(keys=stores.keys, audit=stores.audit),
        rules=OPEN_HERE,
        clock=clock,
        pace=pace,
        cap=cap,
        on_sink_error=_raise,
        chance=lambda: 0.0,
    )


def _raise(name: str, error: Exception) -> None:
    raise AssertionError(f"the sink {name} failed") from error

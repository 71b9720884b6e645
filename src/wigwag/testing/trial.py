# SPDX-License-Identifier: Apache-2.0
"""A whole gateway over fakes and memory, to start, kill and start again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from wigwag.app.access import Access, Rules
from wigwag.app.core import Core, Outside, assemble
from wigwag.domain.account import LinkSignal
from wigwag.domain.events import Fact
from wigwag.domain.ids import Jid
from wigwag.domain.pacing import Pace
from wigwag.domain.throttle import Rate
from wigwag.testing.clock import FakeClock
from wigwag.testing.stores import MemoryStores
from wigwag.testing.whatsapp import FakeWhatsApp

F = TypeVar("F")


class RecordingSink:
    """Keeps every fact that was announced."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def __call__(self, fact: Fact) -> None:
        self.facts.append(fact)

    def of(self, kind: type[F]) -> list[F]:
        """The facts of one kind."""
        return [fact for fact in self.facts if isinstance(fact, kind)]


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


UNPACED = Rate(per_minute=0.0)
OPEN_HERE = Rules(open_here=True)


def build_trial(
    *,
    clock: FakeClock | None = None,
    whatsapp: FakeWhatsApp | None = None,
    stores: MemoryStores | None = None,
    pace: Pace | None = None,
    cap: int | None = None,
    rate: Rate = UNPACED,
    chance: Callable[[], float] = lambda: 0.0,
    rules: Rules = OPEN_HERE,
    **choices: bool,
) -> Trial:
    """A gateway over fakes and memory; whatever is given takes their place. `running` starts it.

    Args:
        choices: `strict`, `resend` and `fetch_media`, as in Mail.
    """
    clock, stores, facts = clock or FakeClock(), stores or MemoryStores(), RecordingSink()
    whatsapp = whatsapp or FakeWhatsApp(clock)
    core = assemble(
        Outside(
            link=whatsapp,
            wire=whatsapp,
            presence_store=stores.presence,
            watch_store=stores.watches,
            account_store=stores.accounts,
            mail=stores.mail(whatsapp, rate, **choices),
            hooks=stores.hooks(),
            host=stores.host(clock),
            vault=stores.vault(),
            rules=rules,
            clock=clock,
            pace=pace or Pace(),
            cap=cap,
            on_sink_error=_raise,
            chance=chance,
        )
    )
    core.fanout.add("facts", facts)
    return Trial(core=core, clock=clock, whatsapp=whatsapp, facts=facts, stores=stores)


def open_access(clock: FakeClock) -> Access:
    """Access without keys: whoever is on this machine may do everything."""
    letters = count()
    return Access(
        MemoryStores().vault(),
        OPEN_HERE,
        clock,
        lambda _fact: None,
        random=lambda size: bytes([next(letters) % 256]) * size,
        new_id=lambda: f"{next(letters):012d}".translate(str.maketrans("0123456789", "ghijklmnop")),
    )


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

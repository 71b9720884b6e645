# SPDX-License-Identifier: Apache-2.0
"""Everything goes wrong at random: the store answers late or not at all, WhatsApp fails, the link comes and goes.

Whatever happens, nothing is lost, nothing leaves twice, and what reaches one person is in order.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app.mailing import ANA, BEN, EVA, GROUP, Fronted, acquaint, send
from wigwag.app.ports import JobFilter
from wigwag.domain.account import LinkSignal
from wigwag.domain.contents import Text
from wigwag.domain.delivery import Job, State
from wigwag.domain.errors import (
    Conflict,
    GatewayError,
    NotLinked,
    Refused,
    Restricted,
    StoreUnavailable,
    Unavailable,
    Unconfirmed,
)
from wigwag.domain.throttle import DAY
from wigwag.testing import FakeClock, Hook, MemoryStores, Point, Trial, build_trial, running

TROUBLES: dict[Point, list[GatewayError]] = {
    Point.LOOK_UP: [Unavailable(), NotLinked()],
    Point.COMPOSE: [Unavailable(), NotLinked(), Refused()],
    Point.SEND: [Unavailable(), NotLinked(), Refused(), Restricted(), Unconfirmed()],
    Point.TRACED: [Unconfirmed()],
    Point.LEFT: [Unconfirmed()],
    Point.TRACE: [Unconfirmed()],
}
ENDED = {State.SENT, State.FAILED, State.UNCONFIRMED, State.CANCELLED}


class Turmoil:
    """Chooses what goes wrong, and how long everything takes, as long as it is not over."""

    def __init__(self, seed: int, clock: FakeClock) -> None:
        self.random, self.clock, self.over = Random(seed), clock, True

    async def store(self, _name: str, _when: str) -> None:
        if await self._strikes(0.06):
            raise StoreUnavailable

    def whatsapp(self, point: Point) -> Hook:
        async def hook(_job: Job | None) -> None:
            if await self._strikes(0.15):
                raise self.random.choice(TROUBLES[point])

        return hook

    async def _strikes(self, share: float) -> bool:
        if not self.over and self.random.random() < 0.7:
            await self.clock.sleep(self.random.choice([0.001, 0.02, 0.5]))
        return not self.over and self.random.random() < share


async def storm(trial: Trial, turmoil: Turmoil) -> None:
    """Forty turns: a message is sent, one is taken back, the link goes or comes, or time goes by."""
    accepted: list[Job] = []
    for turn in range(40):
        choice = turmoil.random.random()
        if choice < 0.6:
            to = turmoil.random.choice([ANA, ANA, BEN, EVA, GROUP])
            with suppress(StoreUnavailable):
                accepted.append(await send(trial, to, f"{turn}"))
        elif choice < 0.7 and accepted:
            with suppress(StoreUnavailable, Conflict):
                await trial.core.gateway.messages.cancel(turmoil.random.choice(accepted).id)
        elif choice < 0.8:
            trial.whatsapp.tell_link(turmoil.random.choice([LinkSignal.DOWN, LinkSignal.UP]))
        await trial.clock.sleep(turmoil.random.choice([0.0, 0.01, 0.3, 2.0]))


async def calm(trial: Trial) -> None:
    """All works again, and time enough for every attempt and for the pause of strangers."""
    trial.whatsapp.tell_link(LinkSignal.UP)
    await trial.clock.advance(5.0)
    for _ in range(3):
        await trial.clock.jump(DAY + 1.0)
        trial.whatsapp.tell_link(LinkSignal.UP)
        await trial.clock.advance(5.0)


async def judge(trial: Trial) -> None:
    left = Counter(cast(Text, one.job.content).text for one in trial.whatsapp.sent)
    log = await trial.stores.events.after(0, 1000)
    ends = Counter((event.data["job"], event.kind) for _, event in log if "job" in event.data)
    jobs = list(reversed(await trial.stores.archive.find(JobFilter(), 1000)))
    for one in jobs:
        times = left[cast(Text, one.content).text]
        assert one.state in ENDED, f"{one} hangs"
        assert times <= 1, "it left twice"
        doubtful = one.state is State.UNCONFIRMED or (one.id, "message.unconfirmed") in ends
        assert doubtful or times == (one.state is State.SENT), "it is not what we say of it"
    for to in {one.to for one in jobs}:
        order = [cast(Text, one.content).text for one in jobs if one.to == to]
        arrived = [cast(Text, one.job.content).text for one in trial.whatsapp.sent if one.to == to]
        assert arrived == [text for text in order if left[text]], "out of order"
    assert all(ends[one.id, f"message.{one.state}"] == 1 for one in jobs), "an end was not told once"


@pytest.mark.slow
@settings(max_examples=60)
@given(st.integers(0, 2**32))
async def test_in_any_turmoil_nothing_is_lost_or_doubled_or_out_of_order(seed: int) -> None:
    stores, clock = MemoryStores(), FakeClock()
    turmoil = Turmoil(seed, clock)
    await acquaint(stores, ANA)
    stores.ledger = cast(Any, Fronted(stores.ledger, turmoil.store))
    trial = build_trial(clock=clock, stores=stores, chance=turmoil.random.random)
    async with running(trial):
        await trial.connect()
        trial.whatsapp.hooks = {point: turmoil.whatsapp(point) for point in TROUBLES}
        turmoil.over = False
        storming = asyncio.create_task(storm(trial, turmoil), name="storm")
        while not storming.done():
            await clock.advance(1.0)
        await storming
        turmoil.over = True
        await calm(trial)
        await judge(trial)

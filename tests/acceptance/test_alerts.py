# SPDX-License-Identifier: Apache-2.0
"""What WhatsApp does to a real link raises the right alert and no other: minutes are pushed on, the rest is real."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.acceptance.stage import PushedClock, Stage, staged
from tests.deploy.alerting import Case, judged
from tests.deploy.recording import EVERY, Recorder
from wigwag.adapters.metrics import Metrics
from wigwag.domain.account import LinkState
from wigwag.domain.contents import Text
from wigwag.domain.delivery import State
from wigwag.domain.drafts import Draft
from wigwag.domain.events import JobChanged
from wigwag.domain.subscriptions import State as Subscribed
from wigwag.simulator import Simulator

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.chaos]
PEOPLE = [f"1555035{number:04d}" for number in range(5)]
LONG = 3600.0  # seconds


class Minutes:
    """Lets minutes pass on a stage, with a message each quarter of one, and records what is exported."""

    def __init__(self, stage: Stage, recorder: Recorder, phone: str) -> None:
        self.stage, self.recorder, self.phone = stage, recorder, phone

    async def go_on(self, minutes: int) -> None:
        for turn in range(minutes * 60 // EVERY):
            await self.stage.core.gateway.messages.send(Draft(to=PEOPLE[turn % len(PEOPLE)], content=Text(text="Hi")))
            self.stage.clock.push(EVERY)
            for _ in range(3):  # what follows from it happens in other threads
                await self.stage.breathe()
            await self.recorder.scrape()

    async def until(self, state: LinkState) -> None:
        await self.stage.until(lambda: self.stage.core.gateway.account("default").state is state)


async def a_cut(here: Minutes) -> None:
    """For six minutes."""
    await here.stage.simulator.inject("refuse", here.phone, code=503)
    await here.stage.simulator.inject("cut", here.phone)
    await here.until(LinkState.TRANSIENT)
    await here.go_on(6)


async def a_ban(here: Minutes) -> None:
    await here.stage.simulator.inject("ban", here.phone, seconds=LONG)
    await here.stage.simulator.inject("cut", here.phone)
    await here.until(LinkState.BANNED)
    await here.go_on(6)


async def stalled_sending(here: Minutes) -> None:
    """WhatsApp takes messages and does not say so."""
    await here.stage.simulator.inject("delay_acks", here.phone, delay=LONG)
    await here.go_on(12)


@pytest.mark.parametrize(
    ("fault", "alert"),
    [(a_cut, "WhatsAppDisconnected"), (a_ban, "AccountBanned"), (stalled_sending, "SendingStalled")],
    ids=lambda given: getattr(given, "__name__", ""),
)
async def test_a_fault_of_whatsapp_raises_its_alert_alone(
    fault: Callable[[Minutes], Awaitable[None]],
    alert: str,
    simulator: Simulator,
    clock: PushedClock,
    tmp_path: Path,
    phone: str,
    promtool: str,
) -> None:
    for number in PEOPLE:
        simulator.put_contact(number)
        await simulator.set_presence(number, online=True)
    async with staged(simulator, clock, tmp_path, word=LONG) as stage:
        metrics = Metrics(stage.core.book, stage.core.gateway, clock, version="1")
        stage.core.fanout.add("metrics", metrics.sink)
        work = asyncio.create_task(metrics.run(), name="metrics")
        await stage.pair(phone)
        await stage.core.gateway.track([(number, "") for number in PEOPLE])
        plan = stage.core.gateway.plans()["default"]
        await stage.until(lambda: plan.counts[Subscribed.ACTIVE] == len(PEOPLE))
        here = Minutes(stage, Recorder(metrics), phone)
        await here.go_on(3)
        await stage.until(lambda: [c for c in stage.facts.of(JobChanged) if c.after.state is State.SENT])
        began = here.recorder.scrapes
        await fault(here)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        stage.running.cancel()  # what WhatsApp holds back would be waited for
    firing = {(began - 1) * EVERY: frozenset[str](), (here.recorder.scrapes - 1) * EVERY: frozenset({alert})}
    case = Case(name=fault.__name__, series=here.recorder.series(), firing=firing, every=EVERY)
    assert await asyncio.to_thread(judged, promtool, tmp_path, [case]) == ""

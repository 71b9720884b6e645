# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a gateway raises the right alert and no other: its own metrics, recorded over virtual time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.alerting import Case, judged
from tests.deploy.recording import EVERY, Recorder
from wigwag.adapters.metrics import Metrics, names
from wigwag.domain.account import LinkSignal
from wigwag.domain.contents import Text
from wigwag.domain.drafts import Draft
from wigwag.domain.ids import Jid
from wigwag.domain.webhooks import Answer, Wish
from wigwag.testing import FakeClock, FakePostman, Hold, MemoryStores, Point, Trial, build_trial, running

CONTACTS = [f"1555010{number:04d}" for number in range(40)]


class UnreliablePostman(FakePostman):
    """Every so many posts, one fails."""

    fails_every = 10**9

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        answer = await super().post(url, headers, content)
        return Answer(status=500) if len(self.posts) % self.fails_every == 0 else answer


@dataclass(kw_only=True)
class Scene:
    """A gateway in virtual time with a usual load, and all that it exported so far."""

    trial: Trial
    recorder: Recorder
    postman: UnreliablePostman
    dead_letters: dict[str, int]

    async def minutes(self, count: int) -> None:
        """Go on for so long: every now and then a message to somebody, and somebody who comes or goes."""
        for turn in range(count * 60 // EVERY):
            to = CONTACTS[self.recorder.scrapes % len(CONTACTS)]
            await self.trial.core.gateway.messages.send(Draft(to=f"+{to}", content=Text(text="Hi")))
            self.trial.whatsapp.tell_presence(Jid(f"{to}@s.whatsapp.net"), online=turn % 3 > 0)
            await self.recorder.scrape()
            await self.trial.clock.advance(EVERY)


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    clock, stores, dead_letters = FakeClock(start=0.0), MemoryStores(), {"whatsapp.queue.dlq": 3}
    postman = stores.postman = UnreliablePostman()
    async with running(build_trial(clock=clock, stores=stores)) as trial:

        async def ready() -> Mapping[str, bool]:
            return {"storage": True, "broker": True}

        metrics = Metrics(
            trial.core.book,
            trial.core.gateway,
            trial.clock,
            version="1",
            ready=ready,
            queues={names.QUEUE_DEPTH: lambda: {"whatsapp.queue": 0}, names.QUEUE_DLQ_SIZE: lambda: dead_letters},
        )
        trial.core.fanout.add("metrics", metrics.sink)
        work = asyncio.create_task(metrics.run(), name="metrics")
        await trial.connect()
        await trial.core.gateway.track([(number, "") for number in CONTACTS])
        await trial.core.webhooks.add(Wish(url="https://example.com/hook"))
        yield Scene(trial=trial, recorder=Recorder(metrics), postman=postman, dead_letters=dead_letters)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


# --- what goes wrong: each begins after ten minutes in which all was well


async def nothing(here: Scene) -> None:
    await here.minutes(20)


async def a_cut_of_six_minutes(here: Scene) -> None:
    here.trial.whatsapp.tell_link(LinkSignal.DOWN)
    await here.minutes(6)
    here.trial.whatsapp.tell_link(LinkSignal.UP)
    await here.minutes(14)


async def a_ban(here: Scene) -> None:
    here.trial.whatsapp.tell_link(LinkSignal.BANNED, until=here.trial.clock.now() + 3600)
    await here.minutes(20)


async def a_logout(here: Scene) -> None:
    here.trial.whatsapp.tell_link(LinkSignal.LOGGED_OUT)
    await here.minutes(20)


async def another_program(here: Scene) -> None:
    here.trial.whatsapp.tell_link(LinkSignal.REPLACED)
    await here.minutes(20)


async def stalled_sending(here: Scene) -> None:
    here.trial.whatsapp.hooks[Point.SEND] = Hold()
    await here.minutes(20)


async def refused_sending(here: Scene) -> None:
    """It cannot even be looked up who the recipients are."""
    here.trial.whatsapp.hooks[Point.COMPOSE] = Hold()
    await here.minutes(20)


async def webhooks_of_which_a_quarter_fails(here: Scene) -> None:
    here.postman.fails_every = 4
    await here.minutes(20)


async def webhooks_of_which_a_sixth_fails(here: Scene) -> None:
    here.postman.fails_every = 6
    await here.minutes(20)


async def a_full_dead_letter_queue(here: Scene) -> None:
    here.dead_letters["whatsapp.queue.dlq"] = 1000
    await here.minutes(20)


async def a_few_dead_letters(here: Scene) -> None:
    here.dead_letters["whatsapp.queue.dlq"] += 10
    await here.minutes(20)


FAULTS: list[tuple[Callable[[Scene], Awaitable[None]], dict[int, str]]] = [  # minutes -> the one alert, or none
    (nothing, {9: "", 20: "", 29: ""}),
    (a_cut_of_six_minutes, {9: "", 14: "", 16: "WhatsAppDisconnected", 18: "", 29: ""}),
    (a_ban, {9: "", 11: "AccountBanned", 29: "AccountBanned"}),
    (a_logout, {11: "AccountLoggedOut", 29: "AccountLoggedOut"}),
    (another_program, {11: "SessionReplaced", 29: "SessionReplaced"}),
    (stalled_sending, {15: "", 23: "SendingStalled", 29: "SendingStalled"}),
    (refused_sending, {15: "", 23: "SendingStalled", 29: "SendingStalled"}),
    (webhooks_of_which_a_quarter_fails, {9: "", 24: "WebhookDeliveryFailures", 29: "WebhookDeliveryFailures"}),
    (webhooks_of_which_a_sixth_fails, {9: "", 24: "", 29: ""}),
    (a_full_dead_letter_queue, {9: "", 13: "DeadLettersFull", 29: "DeadLettersFull"}),
    (a_few_dead_letters, {9: "", 13: "DeadLettersGrowing", 29: ""}),
]


@pytest.mark.parametrize(("fault", "alerts"), FAULTS, ids=lambda given: getattr(given, "__name__", ""))
async def test_a_fault_raises_its_alert_alone(
    fault: Callable[[Scene], Awaitable[None]], alerts: dict[int, str], promtool: str, tmp_path: Path
) -> None:
    async with scene() as here:
        await here.minutes(10)
        await fault(here)
    firing = {minute * 60: frozenset(filter(None, [alert])) for minute, alert in alerts.items()}
    case = Case(name=fault.__name__, series=here.recorder.series(), firing=firing, every=EVERY)
    assert await asyncio.to_thread(judged, promtool, tmp_path, [case]) == ""

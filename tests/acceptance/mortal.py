# SPDX-License-Identifier: Apache-2.0
"""A gateway that kills itself with SIGKILL at a named point of a message's way, the n-th time that it comes there.

Run as a program: `mortal.py POINT NTH`; its settings come from the environment, as those of `wigwag serve`. It stands
between the use cases and the world, so nothing of the gateway itself is changed.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
from aiormq.channel import Channel

from wigwag.app.core import Outside
from wigwag.app.ports import Courier, Ledger, Step
from wigwag.compose import run
from wigwag.config import Settings
from wigwag.domain.contents import texts
from wigwag.domain.delivery import Job, State
from wigwag.domain.ids import Jid
from wigwag.domain.outbox import Event

POINTS = (
    *("before accept", "after accept", "before claim", "after claim", "before bytes", "after bytes"),
    *("after ack", "after record", "in shutdown"),
)
QUEUE_POINTS = (*POINTS, "before broker ack", "after broker ack")  # where messages come from RabbitMQ


class Death:
    """Comes at the n-th time at one point."""

    def __init__(self, point: str, nth: int) -> None:
        self.point, self.left = point, nth

    def at(self, point: str) -> None:
        """Die here, if it is time."""
        if self.near(point):
            os.kill(os.getpid(), signal.SIGKILL)

    def near(self, point: str) -> bool:
        """Whether the end begins at this point, this time."""
        if point == self.point:
            self.left -= 1
        return point == self.point and self.left <= 0


class MortalLedger:
    """A ledger that may be the last thing we see."""

    def __init__(self, ledger: Ledger, death: Death) -> None:
        self._ledger, self._death = ledger, death
        self.stopping = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def accept(self, jobs: Sequence[Job], events: Sequence[Event] = ()) -> list[Job]:
        self._death.at("before accept")
        kept = await self._ledger.accept(jobs, events)
        self._death.at("after accept")
        return kept

    async def advance(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> list[bool]:
        states = {step.after.state for step in steps}
        if State.SENDING in states:
            self._death.at("before claim")
        if self.stopping and State.SENT in states:
            os.kill(os.getpid(), signal.SIGKILL)
        done = await self._ledger.advance(steps, events)
        if State.SENDING in states:
            self._death.at("after claim")
        if State.SENT in states:
            self._death.at("after record")
        return done


class MortalCourier:
    """A courier who may not come back."""

    def __init__(self, courier: Courier, ledger: MortalLedger, death: Death, simulator: str) -> None:
        self._courier, self._ledger, self._death, self._simulator = courier, ledger, death, simulator

    def __getattr__(self, name: str) -> Any:
        return getattr(self._courier, name)

    async def send(self, account: str, to: Jid, message: bytes, job: Job) -> tuple[str, float]:
        self._death.at("before bytes")
        if self._death.near("in shutdown"):
            self._ledger.stopping = True
            os.kill(os.getpid(), signal.SIGTERM)
        if self._death.near("after bytes"):
            await asyncio.wait([asyncio.create_task(self._once_read(job)), self._begin(account, to, message, job)])
        answer = await self._courier.send(account, to, message, job)
        self._death.at("after ack")
        return answer

    def _begin(self, account: str, to: Jid, message: bytes, job: Job) -> "asyncio.Task[tuple[str, float]]":
        return asyncio.create_task(self._courier.send(account, to, message, job))

    async def _once_read(self, job: Job) -> None:
        """Die as soon as the contact has the message; its acknowledgement is held back."""
        async with httpx.AsyncClient(base_url=self._simulator) as client:
            while True:
                inbox = (await client.get("/sim/inbox", params={"limit": 50})).json()
                if any(line["text"] in texts(job.content) for line in inbox):
                    os.kill(os.getpid(), signal.SIGKILL)
                await asyncio.sleep(0)


def mortal_acks(death: Death) -> None:
    """Let every channel to the broker be one whose acknowledgement may be the last thing that we do."""
    ack = Channel.basic_ack

    async def basic_ack(channel: Channel, *arguments: Any, **options: Any) -> None:
        death.at("before broker ack")
        await ack(channel, *arguments, **options)
        death.at("after broker ack")

    Channel.basic_ack = basic_ack  # type: ignore[assignment, method-assign]


def mortal(point: str, nth: int, simulator: str) -> Any:
    """What to put around everything outside."""
    death = Death(point, nth)
    mortal_acks(death)

    def around(outside: Outside) -> Outside:
        ledger = MortalLedger(outside.mail.ledger, death)
        courier = MortalCourier(outside.mail.courier, ledger, death, simulator)
        return replace(outside, mail=replace(outside.mail, ledger=ledger, courier=courier))

    return around


if __name__ == "__main__":
    settings = Settings()  # type: ignore[call-arg]  # all comes from the environment
    asyncio.run(run(settings, around=mortal(sys.argv[1], int(sys.argv[2]), str(settings.simulator_url))))

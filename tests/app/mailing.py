# SPDX-License-Identifier: Apache-2.0
"""What the tests of messages share: people, drafts, stores that go away or die, and questions to a trial."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from wigwag.domain.contents import Text
from wigwag.domain.delivery import Job, State
from wigwag.domain.drafts import Draft
from wigwag.domain.errors import StoreUnavailable
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message, MessageKind
from wigwag.testing import MemoryStores, Trial

ME = Jid("15550001111@s.whatsapp.net")
GROUP = Jid("120363000000000001@g.us")


def person(n: int) -> Jid:
    return Jid(f"1555010{n:04}@s.whatsapp.net")


ANA, BEN, EVA = person(1), person(2), person(3)


def draft(to: str = ANA, text: str = "hello", **more: Any) -> Draft:
    return Draft(to=to, content=more.pop("content", None) or Text(text=text), **more)


async def send(trial: Trial, to: str = ANA, text: str = "hello", **more: Any) -> Job:
    accepted, _is_new = await trial.core.gateway.messages.send(draft(to, text, **more))
    return accepted


async def acquaint(stores: MemoryStores, *people: Jid, account: str = "default") -> None:
    """Something was said with these people long ago."""
    await stores.messages.keep([message(jid, id=f"old {jid}", account=account) for jid in people])


def message(chat: Jid, **more: Any) -> Message:
    plain: dict[str, Any] = {
        "account": "default",
        "id": "M1",
        "sender": chat,
        "from_me": False,
        "kind": MessageKind.TEXT,
        "at": 1.0,
    }
    return Message(chat=chat, **(plain | more))


async def job(trial: Trial, of: Job) -> Job:
    return await trial.core.gateway.messages.job(of.id)


async def states(trial: Trial, *of: Job) -> list[State]:
    return [(await job(trial, one)).state for one in of]


def texts(trial: Trial, to: Jid | None = None) -> list[str]:
    """What left, in order."""
    sent = [one for one in trial.whatsapp.sent if to in (None, one.to)]
    return [cast(Text, one.job.content).text for one in sent]


async def events(trial: Trial, kind: str = "message.") -> list[str]:
    log = await trial.stores.events.after(0, 100_000)
    return [event.kind for _, event in log if event.kind.startswith(kind)]


class Fronted:
    """Something with async methods, behind a gate that is passed before and after every call."""

    def __init__(self, real: object, gate: Callable[[str, str], Awaitable[None]]) -> None:
        self._real, self._gate = real, gate

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)

        async def call(*args: Any, **more: Any) -> Any:
            await self._gate(name, "before")
            answer = await real(*args, **more)
            await self._gate(name, "after")
            return answer

        return call


@dataclass
class Weather:
    """Whether the stores answer. `cut` are the calls that fail now: (method, before or after it has taken effect)."""

    cut: set[tuple[str, str]] = field(default_factory=set)
    away: bool = False
    holds: dict[tuple[str, str], asyncio.Event] = field(default_factory=dict)

    async def gate(self, name: str, when: str) -> None:
        if hold := self.holds.get((name, when)):
            await hold.wait()
        if self.away or (name, when) in self.cut:
            raise StoreUnavailable

    def over(self, stores: MemoryStores) -> None:
        """Put these stores under this weather."""
        stores.ledger = cast(Any, Fronted(stores.ledger, self.gate))
        stores.archive = cast(Any, Fronted(stores.archive, self.gate))
        stores.messages = cast(Any, Fronted(stores.messages, self.gate))
        stores.events = cast(Any, Fronted(stores.events, self.gate))

# SPDX-License-Identifier: Apache-2.0
"""What tests of messages ask of a stage: send and wait for a state, and see what the other side read and heard."""

import asyncio
from dataclasses import dataclass
from typing import Any

from tests.acceptance.stage import PATIENCE, Stage
from wigwag.domain.contents import Content, Text
from wigwag.domain.delivery import Job, State
from wigwag.domain.drafts import Draft
from wigwag.domain.events import JobChanged, MessageReceived
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message
from wigwag.simulator.journal import Received


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """An account on a stage, which is paired with a phone."""

    stage: Stage
    phone: str
    account: str = "default"

    async def send(self, to: str, said: Content | str, **more: Any) -> Job:
        content = Text(text=said) if isinstance(said, str) else said
        draft = Draft(to=to, content=content, account=self.account, **more)
        job, _is_new = await self.stage.core.gateway.messages.send(draft)
        return job

    async def job(self, job: Job) -> Job:
        """As the ledger has it now."""
        return await self.stage.core.gateway.messages.job(job.id)

    async def until(self, job: Job, *states: State) -> Job:
        """Wait until the job is in one of the states."""
        await self.stage.until(lambda: self.states(job)[-1:] and self.states(job)[-1] in states)
        return await self.job(job)

    async def sent(self, to: str, said: Content | str, state: State = State.READ, **more: Any) -> Job:
        """Send, and wait until it was read."""
        return await self.until(await self.send(to, said, **more), state)

    async def kept(self, job: Job, chat: Jid | None = None) -> None:
        """Wait until the message of a job is in its chat, which is soon after it was sent."""
        async with asyncio.timeout(PATIENCE):
            while await self.stage.stores.messages.get(self.account, chat or job.to, str(job.message_id)) is None:
                await self.stage.breathe()

    def states(self, job: Job) -> list[State]:
        """The states that the job went through."""
        return [change.after.state for change in self.stage.facts.of(JobChanged) if change.after.id == job.id]

    def read(self, phone: str, group: str | None = None) -> list[Received]:
        """What somebody read of this account, in order; in a group, or between the two."""
        where = f"{group}@g.us" if group else None
        lines = self.stage.simulator.journal.inbox
        return [line for line in lines if (line.account, line.phone, line.group) == (self.phone, phone, where)]

    def heard(self, message_id: str) -> list[Message]:
        """What we announced about a message of somebody else."""
        return [
            fact.message
            for fact in self.stage.facts.of(MessageReceived)
            if (fact.message.id, fact.message.account) == (message_id, self.account)
        ]

    async def hear(self, message_id: str) -> Message:
        """Wait for a message of somebody else."""
        await self.stage.until(lambda: self.heard(message_id))
        [message] = self.heard(message_id)
        return message

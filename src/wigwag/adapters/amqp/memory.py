# SPDX-License-Identifier: Apache-2.0
"""Keeps over a restart which envelopes without an id may come once more: an instant, and the ledger's jobs since then.

So an envelope costs no write but that of its job.
"""

import logging

from wigwag.adapters.amqp.commands import Commands
from wigwag.adapters.amqp.seen import Seen
from wigwag.app.ports import AccountStore, Clock, JobFilter
from wigwag.domain.envelopes import DOOR
from wigwag.domain.errors import GatewayError

log = logging.getLogger(__name__)

SINCE = "amqp.unsettled_since"
EVERY = 5.0  # seconds between writes, if there is something to write
PAGE, MOST = 500, 20_000  # jobs looked at after a restart


class Memory:
    """Recalls at the start, and keeps the instant up to date."""

    def __init__(self, seen: Seen, messages: Commands, choices: AccountStore, clock: Clock) -> None:
        self._seen, self._messages, self._choices, self._clock = seen, messages, choices, clock
        self._recalled = False
        self._since = 0.0

    async def recall(self) -> None:
        """Read what may come again. Once is enough for the life of this process. Raises StoreUnavailable."""
        if self._recalled:
            return
        kept = (await self._choices.choices()).get(SINCE)
        if kept is None:
            await self._write(self._clock.now())
        else:
            self._since = float(kept)
            self._seen.remember(await self._jobs_since(self._since))
        self._recalled = True

    async def run(self) -> None:
        """Forget what cannot come again, and keep since when all else was accepted, for ever."""
        while True:
            await self._clock.sleep(EVERY)
            busy = len(self._seen) > 0
            now = self._clock.now()
            self._seen.settle(now)
            if busy:
                try:
                    await self._write(self._seen.oldest(now))
                except GatewayError as error:  # an older instant is as good; it only takes longer to recall
                    log.debug("Not kept", extra={"action": "memory.waiting", "code": error.code})

    async def _write(self, since: float) -> None:
        await self._choices.choose(SINCE, repr(since))
        self._since = since

    async def _jobs_since(self, since: float) -> list[tuple[str, float]]:
        """Keys of our jobs that were accepted since an instant, the oldest first."""
        found: list[tuple[str, float]] = []
        before: int | None = None
        for _page in range(MOST // PAGE):
            jobs = await self._messages.jobs(JobFilter(before=before), PAGE)
            recent = [job for job in jobs if job.created >= since]
            found += [(job.key, job.created) for job in recent if job.door == DOOR and job.key]
            if len(recent) < PAGE:
                break
            before = recent[-1].place
        return found[::-1]

# SPDX-License-Identifier: Apache-2.0
"""Sends one account's jobs: in order for each recipient, at the account's pace, and never one twice.

The order of writing is the whole point. A job is marked `sending` on disk before its first byte leaves; what WhatsApp
said is written before anybody is told. Whoever kills us in between finds the job as `sending`, and `recover` asks
WhatsApp's library whether it can have left.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from wigwag.app.attachments import Attachments
from wigwag.app.failures import Failures
from wigwag.app.ports import Clock, Courier, Ledger, Step
from wigwag.app.recipients import Recipients
from wigwag.domain.contents import Media
from wigwag.domain.delivery import Job, State, held_up, move, sent
from wigwag.domain.errors import (
    GatewayError,
    InvalidMessage,
    NotFound,
    NotLinked,
    Refused,
    Restricted,
    StoreUnavailable,
    Unconfirmed,
)
from wigwag.domain.events import Fact, JobChanged
from wigwag.domain.ids import Jid
from wigwag.domain.outbox import of_job
from wigwag.domain.throttle import Throttle

IN_FLIGHT = 32  # jobs at once, to as many recipients; one is with WhatsApp, the others wait or are written down
PAGE = 64  # due jobs read at once
MOST = 16 * PAGE  # jobs in memory that wait for those before them
IDLE = 60.0  # seconds; a bound on every wait, so that a missed wake costs little
STORE_AGAIN = 1.0  # seconds between attempts to write down what has happened
LINK_AGAIN = 1.0  # seconds without a new job after the courier had no link, until we are told of that
FINISH = 10.0  # seconds for what is under way to come to its end when we stop


class Dispatcher:
    """One account's way out.

    Args:
        chance: gives numbers from 0 to 1.
        new_secret: gives 64 random hexadecimal digits.
        keep: told a job that was sent, and the address that it was sent to.
        settled: told a job when it is no longer under way.
        resend: whether a job that may have been sent is sent again after a crash.
    """

    def __init__(  # noqa: PLR0913  wired by keyword, once
        self,
        *,
        account: str,
        throttle: Throttle,
        ledger: Ledger,
        courier: Courier,
        recipients: Recipients,
        attachments: Attachments,
        clock: Clock,
        announce: Callable[[Fact], None],
        chance: Callable[[], float],
        new_secret: Callable[[], str],
        keep: Callable[[Job, Jid], None],
        settled: Callable[[Job], None],
        resend: bool,
    ) -> None:
        self.account, self._throttle = account, throttle
        self._ledger, self._courier, self._clock = ledger, courier, clock
        self._recipients, self._attachments = recipients, attachments
        self._announce, self._chance, self._new_secret = announce, chance, new_secret
        self._keep, self._settled = keep, settled
        self._resend = resend
        self._linked, self._stopping = False, False
        self._page: list[Job] = []
        self._look = True  # whether the ledger may have more than the page
        self._next_due: float | None = None
        self._not_before = 0.0
        self._returned = 0  # jobs that came back to wait, ever: what was read before that may be in the wrong order
        self._under_way: dict[Jid, asyncio.Task[None]] = {}  # one for each recipient
        self._taken: set[str] = set()
        self._wake = asyncio.Event()
        self._failures = Failures(clock, announce)

    # --- told from outside

    def link(self, up: bool) -> None:
        """The account's link came or went."""
        self._linked, self._not_before = up, 0.0
        self._wake.set()

    def wake(self, job: Job | None = None) -> None:
        """There may be something new to send."""
        if job is not None and self._page and job.priority > self._page[-1].priority:
            self._page.clear()
        self._look = True
        self._wake.set()

    @property
    def restricted_until(self) -> float | None:
        """Until when no first message goes to a stranger, because WhatsApp refused one. None if they may go."""
        until = self._throttle.cold_until
        return until if until > self._clock.now() else None

    # --- working

    async def recover(self) -> None:
        """Find out what became of the jobs that were under way when we died."""
        self._throttle.cold_until = await self._recipients.paused_until()
        while jobs := await self._ledger.in_state(self.account, State.SENDING):
            after = [await self._recovered(job) for job in jobs]
            events = [event for job in after for event in of_job(job)]
            await self._ledger.advance([Step(before=State.SENDING, after=job) for job in after], events)
            for before, now in zip(jobs, after, strict=True):
                self._announce(JobChanged(before=before, after=now, at=now.since))

    async def _recovered(self, job: Job) -> Job:
        now = self._clock.now()
        try:
            message_id = await self._courier.trace(self.account, job.secret)
        except Unconfirmed:
            message_id = ""
        if message_id is None or self._resend:
            return move(job, State.ACCEPTED, now, code="interrupted")
        return move(job, State.UNCONFIRMED, now, message_id=message_id or None, code="interrupted")

    async def run(self) -> None:
        """Send for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wake.clear()
                until = await self._step(tasks)
                now = self._clock.now()
                await self._clock.wait(self._wake, now + IDLE if until is None else min(until, now + IDLE))
                self._look = self._look or not self._wake.is_set()

    async def finish(self) -> None:
        """Take nothing more, and let what is under way come to its end."""
        self._stopping = True
        if self._under_way:
            await asyncio.wait(list(self._under_way.values()), timeout=FINISH)

    async def _step(self, tasks: asyncio.TaskGroup) -> float | None:
        """Begin whatever may begin now. Returns when to come back."""
        while self._linked and not self._stopping and len(self._under_way) < IN_FLIGHT:
            now = self._clock.now()
            if (free := max(self._throttle.free_at(now), self._not_before)) > now:
                return free
            if not await self._failures.guard("ledger", self._fill(now)):
                self._look = True
                return now + STORE_AGAIN
            job = self._take()
            if job is None:
                return self._next_due
            self._throttle.take(now, self._chance())
            self._under_way[job.to] = tasks.create_task(self._carry(job), name=f"send {job.id}")
        return None

    async def _fill(self, now: float) -> None:
        """Have jobs to choose from."""
        if self._next_due is not None and self._next_due <= now:
            self._look = True
        if not self._look or len(self._page) > MOST or any(job.to not in self._under_way for job in self._page):
            return
        self._look, returned = False, self._returned  # whoever wakes us from here on is heard
        known = {*self._taken, *(job.id for job in self._page)}
        found = await self._ledger.due(self.account, now, PAGE, known)
        ready = await self._recipients.ready(found, self._throttle.cold_until)
        if returned != self._returned:
            self._look = True
            return
        self._page = sorted([*self._page, *ready], key=lambda job: (-job.priority, job.place))
        self._look = self._look or len(found) == PAGE
        self._next_due = None if self._look else await self._ledger.next_due(self.account, now)

    def _take(self) -> Job | None:
        """The first job in the page whose recipient is free."""
        for place, job in enumerate(self._page):
            if job.to not in self._under_way:
                self._taken.add(job.id)
                return self._page.pop(place)
        return None

    # --- one job

    async def _carry(self, job: Job) -> None:
        try:
            after = await self._sent(job)
        finally:
            self._under_way.pop(job.to, None)
            self._taken.discard(job.id)
            self._look = True  # those behind it were not due as long as it was under way
            self._wake.set()
        if after.state is State.ACCEPTED:  # those behind it wait as well
            self._page = [other for other in self._page if other.to != job.to]
            self._returned += 1
        self._settled(after)

    async def _sent(self, job: Job) -> Job:
        """Send a job, and write down what became of it."""
        try:
            claim = await self._claimed(job)
        except GatewayError as error:  # it is surely not sent
            return await self._write(job, self._hindered(job, error))
        if claim is None:
            return job
        sending, to, message = claim
        try:
            message_id, at = await self._courier.send(self.account, to, message, sending)
        except GatewayError as error:
            return await self._write(sending, await self._refused(sending, error))
        after = await self._write(sending, sent(sending, message_id, at))
        self._keep(after, to)
        return after

    async def _claimed(self, job: Job) -> tuple[Job, Jid, bytes] | None:
        """Make a job ready and mark it on disk: it may leave now. None if it was cancelled meanwhile."""
        to = await self._recipients.address(job.to)
        ready = replace(job, secret=self._new_secret())
        media = await self._attachments.prepared(job.content) if isinstance(job.content, Media) else None
        message = await self._courier.compose(self.account, replace(ready, to=to), media)
        sending = move(ready, State.SENDING, self._clock.now())
        [claimed] = await self._ledger.advance([Step(before=job.state, after=sending)])
        if not claimed:
            return None
        self._announce(JobChanged(before=job, after=sending, at=sending.since))
        return sending, to, message

    async def _refused(self, job: Job, error: GatewayError) -> Job:
        """What became of a job that was not taken, or of which nobody knows."""
        now = self._clock.now()
        if isinstance(error, Restricted):
            self._throttle.refuse_strangers(now)
            self._page.clear()  # among those in it and those being read, too, strangers wait
            self._returned += 1
            await self._failures.guard("ledger", self._recipients.pause(job.to, self._throttle.cold_until))
            return move(job, State.ACCEPTED, now, due=self._throttle.cold_until, code=error.code, detail=str(error))
        if not isinstance(error, Unconfirmed):
            return self._hindered(job, error)
        try:
            message_id = await self._courier.trace(self.account, job.secret)
        except Unconfirmed:
            message_id = ""
        if message_id is None:
            return held_up(job, now, error.code, str(error), self._chance())
        return move(job, State.UNCONFIRMED, now, message_id=message_id or None, code=error.code, detail=str(error))

    def _hindered(self, job: Job, error: GatewayError) -> Job:
        """A job that was surely not sent: when to try it again, if at all."""
        now = self._clock.now()
        if isinstance(error, NotLinked | StoreUnavailable):  # the fault is ours, and no attempt was made
            self._not_before = now + LINK_AGAIN
            return replace(job, since=now) if job.state is State.ACCEPTED else move(job, State.ACCEPTED, now)
        if isinstance(error, InvalidMessage | NotFound | Refused):
            code = error.reason if isinstance(error, InvalidMessage) else error.code
            return move(job, State.FAILED, now, code=code, detail=str(error))
        return held_up(job, now, error.code, str(error), self._chance())

    async def _write(self, before: Job, after: Job) -> Job:
        """Write down what happened, however long the store is away; then tell. A cancel cannot come in between."""
        recording = asyncio.create_task(self._record(before, after), name=f"record {before.id}")
        try:
            return await asyncio.shield(recording)
        except asyncio.CancelledError:
            await asyncio.wait([recording], timeout=FINISH)
            recording.cancel()
            raise

    async def _record(self, before: Job, after: Job) -> Job:
        while not await self._failures.guard("ledger", self._advance(before, after)):
            await self._clock.sleep(STORE_AGAIN)
        return after

    async def _advance(self, before: Job, after: Job) -> None:
        [written] = await self._ledger.advance([Step(before=before.state, after=after)], of_job(after))
        if not written and before.state is State.ACCEPTED:
            # The store may have gone away after it had taken our claim, and before it said so. Else it was cancelled.
            claimed = Step(before=State.SENDING, after=after)
            [written] = await self._ledger.advance([claimed], of_job(after))
        if written or before.state is State.SENDING:  # from there nobody else moves it: an answer was lost
            self._announce(JobChanged(before=before, after=after, at=after.since))

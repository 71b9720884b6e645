# SPDX-License-Identifier: Apache-2.0
"""What becomes of one envelope: a job in the ledger, or a dead letter. Only then may it be acknowledged.

Nothing is tried again here but what the store could not take, and that for as long as it cannot.
"""

import asyncio
import binascii
import logging
from base64 import b64decode
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Literal, TypeVar

from aiormq.abc import DeliveredMessage

from wigwag.adapters.amqp import letters
from wigwag.adapters.amqp.commands import Commands
from wigwag.adapters.amqp.seen import Seen, sign
from wigwag.adapters.amqp.session import Session
from wigwag.adapters.amqp.topology import Topology
from wigwag.app.ports import Clock
from wigwag.domain import traces
from wigwag.domain.drafts import Draft
from wigwag.domain.envelopes import parse
from wigwag.domain.errors import GatewayError, InvalidJid, InvalidMessage
from wigwag.domain.events import EnvelopeAccepted, EnvelopeRefused, Fact
from wigwag.domain.ids import mask

log = logging.getLogger(__name__)

PAUSES = (0.5, 1.0, 2.0, 5.0)  # seconds between attempts while the store is away; then always the last
ID_PREFIX = "amqp-id"
LONGEST_ID = 200  # characters of a message's id that is taken as it is
T = TypeVar("T")
Dedup = Literal["key", "message_id", "none"]


class Reception:
    """Takes envelopes in.

    Args:
        announce: told what became of each.
        new_id: makes ids that no other call makes.
    """

    def __init__(
        self,
        messages: Commands,
        topology: Topology,
        seen: Seen,
        clock: Clock,
        announce: Callable[[Fact], None],
        new_id: Callable[[], str],
    ) -> None:
        self._messages, self._topology, self._seen = messages, topology, seen
        self._clock, self._announce, self._new_id = clock, announce, new_id
        self._lanes: dict[str, asyncio.Lock] = {}
        self._waiting: Counter[str] = Counter()
        self.stalled = 0  # envelopes that wait for the store

    async def receive(self, session: Session, queue: str, account: str | None, message: DeliveredMessage) -> str:
        """Accept or refuse an envelope; it is safe when this returns. Returns the key of its job, or "".

        Args:
            account: whose queue it came from; None for the queue of all.
        """
        try:
            return await self._accept(queue, account, message)
        except InvalidMessage as error:
            reason, detail = error.reason, str(error)
        except InvalidJid as error:
            reason, detail = "invalid_destination", str(error)
        except GatewayError as error:
            reason, detail = error.code, str(error)
        except Exception as error:  # one odd envelope must not stop the others; it can be replayed when this is mended
            log.exception("An envelope could not be taken in", extra={"action": "envelope.broken"})
            reason, detail = "internal_error", type(error).__name__
        now = self._clock.now()
        properties = letters.refused(message, queue=queue, reason=reason, detail=detail, at=now, new_id=self._new_id())
        await session.publish(message.body, properties, queue=self._topology.dead_letters)
        log.warning("An envelope was refused", extra={"action": "envelope.refused", "reason": reason})
        self._announce(EnvelopeRefused(reason=reason, at=now))
        return ""

    async def _accept(self, queue: str, account: str | None, message: DeliveredMessage) -> str:
        envelope = parse(message.body)
        draft = _for_account(_with_properties(envelope.draft, message, self._topology), account)
        key, dedup = self._key(queue, draft, message)
        draft = replace(draft, key=key)
        async with self._lane(draft.to):
            if envelope.base64:
                media = _bytes(envelope.base64)
                media_id = await self._insist(lambda: self._messages.keep_media(media))
                draft = replace(envelope, draft=draft).with_media(media_id)
            job, _is_new = await self._insist(lambda: self._messages.send(draft))
        trace = traces.parse(job.trace)
        extra = {"account": job.account, "job": job.id, "contact": mask(job.to)}
        extra |= {"trace_id": trace.trace_id} if trace else {}
        log.debug("An envelope became a job", extra={"action": "envelope.accepted", **extra})
        self._announce(EnvelopeAccepted(dedup=dedup, at=self._clock.now()))
        return key

    def _key(self, queue: str, draft: Draft, message: DeliveredMessage) -> tuple[str, Dedup]:
        """By what a second copy of the envelope is known."""
        redelivered, now = bool(message.redelivered), self._clock.now()
        if not redelivered:
            self._seen.caught_up(queue, now)
        if draft.key is not None:
            return draft.key, "key"
        if message_id := message.header.properties.message_id:
            short = message_id if len(message_id) <= LONGEST_ID else sha256(message_id.encode()).hexdigest()
            return f"{ID_PREFIX}:{short}", "message_id"
        return self._seen.key(sign(queue, message), now, redelivered=redelivered), "none"

    async def _insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Try until the store takes it."""
        attempts = 0
        while True:
            try:
                return await work()
            except GatewayError as error:
                if not error.retryable:
                    raise
            self.stalled += 1
            try:
                await self._clock.sleep(PAUSES[min(attempts, len(PAUSES) - 1)])
            finally:
                self.stalled -= 1
            attempts += 1

    @asynccontextmanager
    async def _lane(self, to: str) -> AsyncIterator[None]:
        """One after the other to one recipient, in the order in which they came."""
        lane = self._lanes.setdefault(to, asyncio.Lock())
        self._waiting[to] += 1
        try:
            async with lane:
                yield
        finally:
            self._waiting[to] -= 1
            if not self._waiting[to]:
                del self._waiting[to], self._lanes[to]


def _with_properties(draft: Draft, message: DeliveredMessage, topology: Topology) -> Draft:
    properties = message.header.properties
    trace = str((properties.headers or {}).get("traceparent", ""))
    answer_to = properties.reply_to or None
    if answer_to and topology.is_ours(answer_to):
        raise InvalidMessage("Results cannot go to a queue of envelopes.", reason="invalid_answer_to")
    return replace(
        draft,
        answer_to=answer_to,
        correlation=properties.correlation_id or None,
        trace=trace if traces.parse(trace) else None,
    )


def _for_account(draft: Draft, account: str | None) -> Draft:
    if account is None or draft.account == account:
        return draft
    if draft.account is not None:
        raise InvalidMessage("This queue belongs to another account.", reason="invalid_account")
    return replace(draft, account=account)


def _bytes(base64: str) -> bytes:
    try:
        return b64decode(base64, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidMessage("The media are not base64.", reason="invalid_media") from error

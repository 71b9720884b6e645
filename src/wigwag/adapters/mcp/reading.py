# SPDX-License-Identifier: Apache-2.0
"""Tools that look and change nothing. Their docstrings are what a model is told of them."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from pydantic import Field

from wigwag.adapters.mcp import shapes
from wigwag.app.gateway import Gateway
from wigwag.app.ports import Clock, JobFilter
from wigwag.domain.delivery import State
from wigwag.domain.errors import Conflict
from wigwag.domain.history import Kind, cut
from wigwag.domain.presence import Presence

HOUR = 3600.0  # seconds
LONGEST_WINDOW = 92 * 24  # hours

Limit = Annotated[int, Field(ge=1, le=200, description="at most so many")]
Who = Annotated[str, Field(max_length=64, description="phone number with country code, or jid")]
OfAccount = Annotated[str | None, Field(max_length=64, description="by name; may be left out if there is only one")]


class Reading:
    """What may be read, over the gateway."""

    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        self._gateway, self._clock = gateway, clock

    async def list_contacts(
        self,
        state: Annotated[str | None, Field(pattern="^(online|offline|unknown)$", description="only these")] = None,
        query: Annotated[str, Field(max_length=255, description="part of the name or number")] = "",
        limit: Limit = 50,
    ) -> shapes.Contacts:
        """Who is online, offline or unknown, of the contacts that are tracked.

        `unknown` means that we do not hear of them now. Never take it for offline.
        """
        counts = self._gateway.presence_counts()
        found = islice(self._matching(state, query.casefold()), limit)
        return shapes.Contacts(
            contacts=[shapes.Contact.of(presence) for presence in found],
            tracked=counts.total,
            online=counts.online,
            offline=counts.offline,
            unknown=counts.total - counts.observed,
        )

    def _matching(self, state: str | None, part: str) -> Iterator[Presence]:
        for presence in self._gateway.presences():
            if state in (None, presence.status.word) and (part in presence.jid or part in presence.name.casefold()):
                yield presence

    async def get_presence(self, contact: Who) -> shapes.Contact:
        """Whether one tracked contact is online, and when they were last seen."""
        return shapes.Contact.of(self._gateway.presence(contact))

    async def get_history(
        self,
        contact: Who,
        hours: Annotated[float, Field(gt=0, le=LONGEST_WINDOW, description="how far back from now")] = 24.0,
    ) -> shapes.History:
        """When a tracked contact was online, and when we were listening at all."""
        now = self._clock.now()
        since = max(0.0, now - hours * HOUR)
        presence = self._gateway.presence(contact)
        intervals = await self._gateway.history(contact, since, now)
        online, observed = (
            [
                shapes.Span(start=shapes.instant(start), end=shapes.instant_or_never(end))
                for start, end in cut(intervals, kind, since, now, ends_now=True)
            ]
            for kind in (Kind.ONLINE, Kind.OBSERVED)
        )
        return shapes.History(jid=presence.jid, name=presence.name, online=online, observed=observed)

    async def list_accounts(self) -> shapes.Accounts:
        """The WhatsApp accounts, how their links are, and what to do about them."""
        return shapes.Accounts(accounts=[shapes.Account.of(account) for account in self._gateway.accounts()])

    async def list_messages(
        self,
        states: Annotated[list[State], Field(description="only in these states; empty: all")] = [],  # noqa: B006
        to: Annotated[str | None, Field(max_length=64, description="only to this number or jid")] = None,
        limit: Limit = 50,
    ) -> shapes.Messages:
        """What we sent or want to send, newest first."""
        found = await self._gateway.messages.jobs(JobFilter(states=tuple(states)), limit, to=to)
        return shapes.Messages(messages=[shapes.Message.of(job) for job in found])

    async def get_message(self, id: Annotated[str, Field(max_length=64)]) -> shapes.Message:  # noqa: A002
        """How far one message is."""
        return shapes.Message.of(await self._gateway.messages.job(id))

    async def list_failures(self, limit: Limit = 50) -> shapes.Failures:
        """Messages that failed or are in doubt, and envelopes that led to nothing."""
        failed = await self._gateway.messages.jobs(JobFilter(states=(State.FAILED,)), limit)
        unconfirmed = await self._gateway.messages.jobs(JobFilter(states=(State.UNCONFIRMED,)), limit)
        try:
            letters = await self._gateway.dead_letters.list(limit)
        except Conflict:  # no broker, so there are none
            letters = []
        return shapes.Failures(
            failed=[shapes.Message.of(job) for job in failed],
            unconfirmed=[shapes.Message.of(job) for job in unconfirmed],
            dead_letters=[shapes.Letter.of(letter) for letter in letters],
        )

    async def read_chat(self, chat: Who, account: OfAccount = None, limit: Limit = 20) -> shapes.Chat:
        """What was said with a person or in a group, newest first."""
        found = await self._gateway.messages.chat(chat, account=account, limit=limit)
        return shapes.Chat(lines=[shapes.Line.of(message) for message in found])

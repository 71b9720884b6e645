# SPDX-License-Identifier: Apache-2.0
"""Tools that do something, or ask WhatsApp. Their docstrings are what a model is told of them."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from wigwag.adapters.mcp import shapes
from wigwag.adapters.mcp.reading import OfAccount, Who
from wigwag.app.gateway import Gateway
from wigwag.domain.contents import Text
from wigwag.domain.drafts import Draft
from wigwag.domain.watchlist import MEDIUM

MOST_NUMBERS = 50


class Acting:
    """What may be done, over the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def send_message(
        self,
        to: Annotated[str, Field(max_length=64, description="phone number with country code, jid, or a group's jid")],
        text: Annotated[str, Field(min_length=1, max_length=4096)],
        account: OfAccount = None,
        send_at: Annotated[AwareDatetime | None, Field(description="RFC 3339 with a zone; left out: now")] = None,
        reply_to: Annotated[str | None, Field(description="WhatsApp's id of the message that is answered")] = None,
        idempotency_key: Annotated[str | None, Field(description="the same key and text is the same message")] = None,
    ) -> shapes.Message:
        """Send a text over WhatsApp.

        The message is safe on disk when this answers, and goes out when it is due. Ask `get_message` whether it was
        sent, delivered or read. Give an idempotency_key if you may ask twice.
        """
        draft = Draft(
            to=to,
            content=Text(text=text),
            account=account,
            send_at=None if send_at is None else send_at.timestamp(),
            reply_to=reply_to,
            key=idempotency_key,
            door="mcp",
        )
        job, _ = await self._gateway.messages.send(draft)
        return shapes.Message.of(job)

    async def cancel_message(self, id: Annotated[str, Field(max_length=64)]) -> shapes.Message:  # noqa: A002
        """Take a message back that was not sent yet."""
        return shapes.Message.of(await self._gateway.messages.cancel(id))

    async def look_up(
        self,
        numbers: Annotated[list[Who], Field(min_length=1, max_length=MOST_NUMBERS)],
        account: OfAccount = None,
    ) -> shapes.Lookups:
        """Which numbers are on WhatsApp. It asks WhatsApp, so ask only for whom you want to write to."""
        found = await self._gateway.messages.look_up(numbers, account=account)
        return shapes.Lookups(numbers=[shapes.Lookup(number=number, jid=found[number]) for number in numbers])

    async def track_contact(
        self,
        contact: Who,
        name: Annotated[str, Field(max_length=255)] = "",
        priority: Annotated[int, Field(ge=1, le=3, description="1 is the most urgent")] = MEDIUM,
        account: OfAccount = None,
    ) -> shapes.Done:
        """Begin to follow whether somebody is online. Only people who know of it may be tracked."""
        [jid] = await self._gateway.track([(contact, name)], priority=priority, account=account)
        return shapes.Done(contact=jid, tracked=True)

    async def untrack_contact(self, contact: Who) -> shapes.Done:
        """Follow somebody no longer; members of a tracked group are followed on."""
        await self._gateway.untrack(contact)
        return shapes.Done(contact=contact, tracked=False)

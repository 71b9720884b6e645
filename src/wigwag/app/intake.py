# SPDX-License-Identifier: Apache-2.0
"""Events in: everything that WhatsApp tells goes through this one `match`, in the order in which it came."""

import asyncio
from collections.abc import Callable

from wigwag.app.accounts import Accounts
from wigwag.app.mailbox import Mailbox
from wigwag.app.ports import Link
from wigwag.app.pulses import Pulses
from wigwag.app.receipts import Receipts
from wigwag.app.subscriber import Subscriber
from wigwag.app.tracker import Tracker
from wigwag.domain.errors import GatewayError
from wigwag.domain.events import (
    CallReported,
    Fact,
    GroupReported,
    LinkReported,
    MessageReported,
    PairingOffered,
    PartFailed,
    PresenceReported,
    ReceiptReported,
    Report,
    SendSettled,
    TypingReported,
    Unanswered,
)

BREATH = 200  # reports handled before the event loop gets a turn


class Intake:
    """Routes reports to the use cases."""

    def __init__(
        self,
        *,
        link: Link,
        tracker: Tracker,
        subscriber: Subscriber,
        accounts: Accounts,
        mailbox: Mailbox,
        receipts: Receipts,
        pulses: Pulses,
        announce: Callable[[Fact], None],
    ) -> None:
        self._link, self._tracker, self._subscriber, self._accounts = link, tracker, subscriber, accounts
        self._mailbox, self._receipts, self._announce = mailbox, receipts, announce
        self._pulses = pulses

    async def run(self) -> None:
        while True:
            for turn, report in enumerate(await self._link.reports()):
                await self.take(report)
                if turn % BREATH == BREATH - 1:
                    await asyncio.sleep(0)

    async def take(self, report: Report) -> None:
        match report:
            case PresenceReported():
                self._tracker.observe(report)
            case TypingReported():
                self._tracker.observe_typing(report)
            case LinkReported() | PairingOffered() | Unanswered():
                self._link_turns(report)
                return
            case GroupReported():
                await self._group(report)
                self._announce(report)
            case CallReported():
                self._announce(report)
            case MessageReported() | ReceiptReported() | SendSettled():
                await self._correspondence(report)
        self._pulses.hear(report.account, report.at)

    def _link_turns(self, report: LinkReported | PairingOffered | Unanswered) -> None:
        match report:
            case LinkReported():
                self._accounts.hear(report)
            case PairingOffered():
                self._accounts.hear_pairing(report)
            case Unanswered():
                self._pulses.miss(report)

    async def _correspondence(self, report: MessageReported | ReceiptReported | SendSettled) -> None:
        match report:
            case MessageReported():
                await self._mailbox.hear(report)
            case ReceiptReported():
                await self._receipts.hear(report)
            case SendSettled():
                await self._receipts.hear_settled(report)

    async def _group(self, report: GroupReported) -> None:
        try:
            await self._subscriber.hear_group(report)
        except GatewayError as error:  # the next link-up sees the group's members again
            self._announce(PartFailed(part="groups", code=error.code, detail=str(error), at=report.at))

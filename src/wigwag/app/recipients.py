# SPDX-License-Identifier: Apache-2.0
"""Whom an account writes to: who is a stranger to it, and under which address WhatsApp knows a number.

Strangers are looked up before anything is sent to them, many in one request. Those with whom something was ever said
are not looked up again. That WhatsApp knows a number makes nobody an acquaintance.
"""

from collections.abc import Sequence
from dataclasses import replace

from wigwag.app.ports import AccountStore, Clock, Courier, Ledger, MessageStore, Numbering, Step
from wigwag.domain.delivery import Job
from wigwag.domain.errors import GatewayError, InvalidMessage
from wigwag.domain.ids import Jid, is_group

REMEMBERED = 100_000  # addresses; beyond it all are looked up again
RESTRICTED = "restricted"


class Recipients:
    """The recipients of one account.

    Args:
        choices: keeps until when strangers must wait, over a restart.
    """

    def __init__(
        self,
        *,
        account: str,
        courier: Courier,
        messages: MessageStore,
        numbering: Numbering,
        ledger: Ledger,
        choices: AccountStore,
        clock: Clock,
    ) -> None:
        self._account, self._courier, self._messages = account, courier, messages
        self._numbering, self._ledger, self._choices, self._clock = numbering, ledger, choices, clock
        self._addresses: dict[Jid, Jid] = {}  # of strangers and acquaintances
        self._acquainted: set[Jid] = set()
        self._refused: set[Jid] = set()  # WhatsApp calls them strangers, whatever we know of them
        self._absent: set[Jid] = set()

    async def ready(self, jobs: Sequence[Job], cold_until: float) -> list[Job]:
        """The jobs that may go now. First messages to strangers wait until `cold_until`, if that is to come."""
        pausing = cold_until > self._clock.now()
        if not pausing:
            self._refused.clear()
        strangers = await self._strangers({job.to for job in jobs})
        if strangers and pausing:
            held = [job for job in jobs if job.to in strangers]
            later = [replace(job, due=cold_until, code=RESTRICTED) for job in held]
            await self._ledger.advance([Step(before=job.state, after=job) for job in later])
            return [job for job in jobs if job.to not in strangers]
        try:
            await self._look_up(strangers)
        except GatewayError:  # then each is looked up in its turn, and says what is wrong
            self._absent.clear()
        return list(jobs)

    async def address(self, to: Jid) -> Jid:
        """Where to send. Raises InvalidMessage if WhatsApp does not know the number."""
        if is_group(to):
            return to
        if to not in self._absent:
            await self._look_up(await self._strangers({to}))
        if to in self._absent:
            self._absent.discard(to)
            raise InvalidMessage("This number is not on WhatsApp.", reason="not_on_whatsapp")
        return self._addresses.get(to, to)

    async def pause(self, to: Jid, cold_until: float) -> None:
        """WhatsApp refused a message to a stranger. Keep until when all of them must wait."""
        self._refused.add(to)
        await self._choices.choose(f"cold_until {self._account}", repr(cold_until))

    async def paused_until(self) -> float:
        """What `pause` kept; 0 if nothing."""
        return float((await self._choices.choices()).get(f"cold_until {self._account}", "0"))

    async def _strangers(self, people: set[Jid]) -> set[Jid]:
        """Those with whom nothing was ever said, under none of the forms of their number; and whom WhatsApp refused."""
        refused, people = people & self._refused, {jid for jid in people if not is_group(jid)}
        forms = {jid: self._numbering(jid) for jid in people - self._acquainted}
        if forms:
            known = await self._messages.known(self._account, {form for of_one in forms.values() for form in of_one})
            chats = {jid: form for jid, of_one in forms.items() for form in reversed(of_one) if form in known}
            self._remember(chats)
            self._acquainted |= chats.keys()
        return people - self._acquainted | refused

    async def _look_up(self, people: set[Jid]) -> None:
        people = people - self._addresses.keys()
        if not people:
            return
        forms = {jid: self._numbering(jid) for jid in people}
        found = await self._courier.registered(self._account, [form for of_one in forms.values() for form in of_one])
        addresses = {jid: found[form] for jid, of_one in forms.items() for form in reversed(of_one) if form in found}
        self._remember(addresses)
        self._absent = self._absent - addresses.keys() | people - addresses.keys()

    def _remember(self, addresses: dict[Jid, Jid]) -> None:
        if len(self._addresses) > REMEMBERED:
            self._addresses.clear()
            self._acquainted.clear()
        self._addresses |= addresses

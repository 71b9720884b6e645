# SPDX-License-Identifier: Apache-2.0
"""One person, one jid: LIDs become phone numbers here, before anybody else sees them.

whatsmeow keeps the pairs that WhatsApp told it. We ask it once for each LID, and ask WhatsApp itself for the LIDs of
those to whom we are about to subscribe.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from wigwag.adapters.whatsapp.session import Session
from wigwag.adapters.whatsapp.translate import address_of, is_lid, known_jid
from wigwag.domain.errors import GatewayError
from wigwag.domain.ids import Jid

log = logging.getLogger(__name__)

STRANGERS = 10_000  # LIDs remembered as unknown; beyond it all are asked about again


class People:
    """The addresses that one account knows."""

    def __init__(self) -> None:
        self._by_lid: dict[str, Jid] = {}
        self._learned: set[Jid] = set()
        self._strangers: set[str] = set()

    def jid(self, address: Any) -> Jid | None:
        """The jid of a person; None for a LID that nobody could resolve."""
        return self._by_lid.get(address.User) if is_lid(address) else known_jid(address)

    async def look_up(self, session: Session | None, addresses: Iterable[Any]) -> None:
        """Ask whatsmeow about the LIDs among the addresses that we do not know yet."""
        for address in addresses:
            lid = address.User
            if session is None or not is_lid(address) or lid in self._by_lid or lid in self._strangers:
                continue
            try:
                found = await session.call(lambda client, lid=address: client.get_pn_from_lid(lid))  # type: ignore[misc]
            except GatewayError as error:
                log.warning("LID not resolved: %s", error, extra={"action": "lid.failed", "account": session.account})
                continue
            self._pair(lid, known_jid(found))

    async def jid_of(self, session: Session, *addresses: Any) -> Jid | None:
        """The first of a person's addresses that can be told as a jid."""
        for address in addresses:
            await self.look_up(session, [address])
            if (jid := self.jid(address)) is not None:
                return jid
        return None

    async def name_of(self, session: Session, jid: Jid) -> str:
        """What the phone's address book calls a contact, or what the contact calls itself; "" if neither is known."""
        entry = await session.call(lambda client: client.contact.get_contact(address_of(jid)))
        return str(entry.FullName or entry.FirstName or entry.PushName or entry.BusinessName)

    async def learn(self, session: Session, jids: Sequence[Jid]) -> None:
        """Have WhatsApp tell whatsmeow the LIDs of these contacts, in one request, unless it knows them."""
        unknown = [jid for jid in jids if jid not in self._learned]
        missing = [jid for jid in unknown if not await self._has_lid(session, jid)]
        if missing:
            addresses = [address_of(jid) for jid in missing]
            await session.call(lambda client: client.get_user_info(*addresses))
            self.hear_news()
        self._learned.update(unknown)

    def hear_news(self) -> None:
        """More people may be known to whatsmeow now: those whom nobody knew are asked about again."""
        self._strangers.clear()

    async def _has_lid(self, session: Session, jid: Jid) -> bool:
        lid = await session.call(lambda client: client.get_lid_from_pn(address_of(jid)))
        if lid.User:
            self._pair(lid.User, jid)
        return bool(lid.User)

    def _pair(self, lid: str, jid: Jid | None) -> None:
        if jid is not None:
            self._by_lid[lid] = jid
        else:
            if len(self._strangers) >= STRANGERS:
                self._strangers.clear()
            self._strangers.add(lid)

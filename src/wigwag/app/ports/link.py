# SPDX-License-Identifier: Apache-2.0
"""Time, and what an account with a link can do. Whatever is heard comes as reports."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from wigwag.domain.events import Report
from wigwag.domain.ids import Jid


class Clock(Protocol):
    """Time. `now` never goes back, not even when the machine's clock is set back."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        """Return when the event is set, or when the instant has come; None waits for the event alone."""
        ...


class Link(Protocol):
    """The connections of accounts to WhatsApp. What happens to a link is told by `reports`, never by a return value.

    All calls end within a time limit. Calls on an account without a link raise NotLinked.
    """

    async def reports(self) -> Sequence[Report]:
        """Everything heard since the last call, in order; waits until there is something.

        Presences may be dropped when nobody fetches them in time (counted), but never the newest of a contact; other
        reports are never dropped.
        """
        ...

    async def connect(self, account: str) -> None:
        """Begin to make a link, or to offer pairing if there is no session. A link in place is closed first."""
        ...

    async def disconnect(self, account: str) -> None:
        """Close the link without a report. Closing no link is fine."""
        ...

    async def pair_by_code(self, account: str, phone: str) -> str:
        """Ask for the code to type on the phone. Only while pairing is offered; otherwise raises Conflict."""
        ...

    async def log_out(self, account: str) -> None:
        """End the session: the phone no longer lists this device, and the session is deleted."""
        ...


class Wire(Protocol):
    """What an account with a link can ask WhatsApp about presence. Raises NotLinked without one."""

    async def appear(self, account: str, available: bool) -> None:
        """Tell WhatsApp that we are available, which is needed to hear presences and silences the phone."""
        ...

    async def learn(self, account: str, jids: Sequence[Jid]) -> None:
        """Look up the other addresses (LIDs) of contacts, so that what comes from these is recognised. One request."""
        ...

    async def subscribe(self, account: str, jid: Jid) -> None:
        """Ask for a contact's presence. Returning means sent: WhatsApp gives no answer."""
        ...

    async def members(self, account: str, group: Jid) -> dict[Jid, str]:
        """The other people in a group, with the names known for them ("" if none). Raises NotFound."""
        ...

    async def groups(self, account: str) -> dict[Jid, str]:
        """The groups that the account is in, with their subjects."""
        ...

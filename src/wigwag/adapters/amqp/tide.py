# SPDX-License-Identifier: Apache-2.0
"""Whether more envelopes may be taken in now: not for an account without a link, a ledger that is full, or no store.

What is not taken waits in the broker, where it is as safe and costs us nothing.
"""

import logging
from collections.abc import Callable

from wigwag.adapters.amqp.commands import Commands
from wigwag.adapters.amqp.reception import Reception
from wigwag.domain.account import Account
from wigwag.domain.delivery import State
from wigwag.domain.errors import GatewayError

log = logging.getLogger(__name__)

HIGH_WATER = 10_000  # accepted jobs of one account


class Tide:
    """Judges from the links, the ledger and the reception."""

    def __init__(self, messages: Commands, accounts: Callable[[], list[Account]], reception: Reception) -> None:
        self._messages, self._accounts, self._reception = messages, accounts, reception
        self._full: frozenset[str] = frozenset()

    async def measure(self) -> None:
        """Look at the ledger. While it cannot be read, what was seen last holds."""
        try:
            counts = await self._messages.job_counts()
        except GatewayError as error:
            log.debug("The ledger cannot be counted", extra={"action": "tide.unknown", "code": error.code})
            return
        self._full = frozenset(
            account for (account, state), count in counts.items() if state is State.ACCEPTED and count > HIGH_WATER
        )

    def lets_in(self, account: str | None) -> bool:
        """Whether envelopes for an account may be taken; None stands for the queue of all accounts."""
        up = [each.name for each in self._accounts() if each.connected]
        mine = up if account is None else [name for name in up if name == account]
        return bool(mine) and not self._full.intersection(mine) and not self._reception.stalled

# SPDX-License-Identifier: Apache-2.0
"""What is declared on the broker, in one place.

It is an exchange, a queue for all accounts, one for each further account, the dead letters, and a queue for results if
one is wished. The delays between attempts are not here: the ledger has them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from aiormq.abc import AbstractChannel, ArgumentsType

MAIN_ACCOUNT = "default"  # the account of the first start; it needs no queue of its own
DELIVERY_LIMIT = 20  # a message that ended our connection so often goes to the dead letters
NO_LIMIT = 1_000_000_000  # looking at a dead letter is a delivery; from RabbitMQ 4 on, 20 of them would delete it

QUORUM: ArgumentsType = {"x-queue-type": "quorum"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Names. `results` is the queue that hears what becomes of every job from here; "" for none."""

    queue: str
    exchange: str
    routing_key: str
    results: str = ""

    @property
    def dead_letters(self) -> str:
        return f"{self.queue}.dlq"

    def queue_of(self, account: str) -> str:
        """The queue whose envelopes go to an account."""
        return f"{self.queue}.{account}"

    def routing_key_of(self, account: str) -> str:
        return f"{self.routing_key}.{account}"

    def is_ours(self, queue: str) -> bool:
        """Whether a queue takes envelopes or dead letters, so that no result may go there."""
        return queue == self.queue or queue.startswith(f"{self.queue}.")

    async def declare(self, channel: AbstractChannel) -> None:
        """Declare what is always there. Declaring it again changes nothing."""
        await channel.exchange_declare(exchange=self.exchange, exchange_type="direct", durable=True)
        limit: ArgumentsType = {"x-delivery-limit": NO_LIMIT}
        await channel.queue_declare(self.dead_letters, durable=True, arguments=QUORUM | limit)
        if self.results:
            await channel.queue_declare(self.results, durable=True, arguments=QUORUM)
        await self._declare_queue(channel, self.queue, self.routing_key)

    async def declare_account(self, channel: AbstractChannel, account: str) -> None:
        await self._declare_queue(channel, self.queue_of(account), self.routing_key_of(account))

    async def _declare_queue(self, channel: AbstractChannel, queue: str, routing_key: str) -> None:
        backstop: ArgumentsType = {
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": self.dead_letters,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",  # at-least-once needs it
        }
        await channel.queue_declare(queue, durable=True, arguments=QUORUM | backstop)
        await channel.queue_bind(queue, self.exchange, routing_key)


def further(accounts: Iterable[str]) -> list[str]:
    """The accounts that have a queue of their own."""
    return [account for account in accounts if account != MAIN_ACCOUNT]

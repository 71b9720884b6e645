# SPDX-License-Identifier: Apache-2.0
"""The whole of the room at work: keeps a connection to the broker, and runs the consumers and the relay on it.

Whatever goes wrong with a connection, it is given up and another is made. Nothing here ever ends the gateway.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from uuid import uuid4

from aiormq.abc import AbstractChannel, DeliveredMessage

from wigwag.adapters.amqp.commands import Commands
from wigwag.adapters.amqp.consumer import Consumer
from wigwag.adapters.amqp.deadletters import DeadLetterQueue
from wigwag.adapters.amqp.memory import Memory
from wigwag.adapters.amqp.reception import Reception
from wigwag.adapters.amqp.relay import Relay
from wigwag.adapters.amqp.seen import Seen
from wigwag.adapters.amqp.session import Session, connected
from wigwag.adapters.amqp.tide import Tide
from wigwag.adapters.amqp.topology import Topology, further
from wigwag.adapters.amqp.wall import within
from wigwag.app.ports import AccountStore, Clock, EventLog
from wigwag.domain.account import Account
from wigwag.domain.errors import BrokerUnavailable, GatewayError
from wigwag.domain.events import AccountChanged, Fact, JobChanged, PartFailed, PartRecovered

log = logging.getLogger(__name__)

PART = "broker"
RECONNECT = (1.0, 2.0, 5.0)  # seconds between attempts to connect; then always the last
STEADY = 30.0  # seconds after which a connection was a good one
CHECKING = 1.5  # seconds for a sign of life; /healthz waits 2 for all (seed 003)
WATCH = 3.0  # seconds between two looks at the queues, which also prove that the broker is there
DECLARING = 15.0  # seconds to declare everything; a broker that has just started elects leaders first


def _new_id() -> str:
    return uuid4().hex


class Broker:
    """RabbitMQ.

    Args:
        url: amqp:// or amqps://, with user and password; it is never shown.
        prefetch: how many envelopes of each queue may be in work at once.
        announce: told of failures, and of what became of each envelope.
    """

    def __init__(  # noqa: PLR0913  wired by keyword, once
        self,
        url: str,
        topology: Topology,
        *,
        prefetch: int,
        messages: Commands,
        accounts: Callable[[], list[Account]],
        events: EventLog,
        choices: AccountStore,
        clock: Clock,
        announce: Callable[[Fact], None],
    ) -> None:
        self._url, self._topology, self._prefetch = url, topology, prefetch
        self._accounts, self._clock, self._announce = accounts, clock, announce
        self._seen = Seen(_new_id)
        self._memory = Memory(self._seen, messages, choices, clock)
        self._reception = Reception(messages, topology, self._seen, clock, announce, _new_id)
        self._tide = Tide(messages, accounts, self._reception)
        self._relay = Relay(messages, events, choices, topology, clock)
        self._session: Session | None = None
        self._consumers: dict[str, Consumer] = {}
        self._counts: dict[str, int] = {}
        self._problem = "RabbitMQ is not connected yet."
        self._told = ""
        self._accounts_changed = asyncio.Event()
        self.dead_letters = DeadLetterQueue(self._connection, messages, topology)

    # --- for others

    def sink(self, fact: Fact) -> None:
        """Hear what happened."""
        match fact:
            case AccountChanged():
                self._accounts_changed.set()
                self._look()
            case JobChanged():
                self._relay.note(fact.after)

    async def check(self) -> None:
        """Ask the broker for a sign of life. Raises BrokerUnavailable, whose sentence says what is wrong."""
        await within(self._ping(self._connection()), CHECKING)

    async def _ping(self, session: Session) -> None:
        channel = await session.channel()
        await within(channel.close())

    def depths(self) -> Mapping[str, int]:
        """How many envelopes wait in each queue; empty while nobody knows."""
        return {queue: count for queue, count in self._counts.items() if queue != self._topology.dead_letters}

    def dead_letter_counts(self) -> Mapping[str, int]:
        """How many dead letters there are, by the name of their queue."""
        return {queue: count for queue, count in self._counts.items() if queue == self._topology.dead_letters}

    def consuming(self) -> set[str]:
        """The queues that envelopes are taken from now."""
        return {queue for queue, consumer in self._consumers.items() if consumer.consuming}

    # --- work

    async def run(self) -> None:
        """Be connected and work, for ever."""
        failures = 0
        while True:
            began = self._clock.now()
            try:
                await self._live()
            except* GatewayError as group:
                self._fail(_first(group))
            failures = 1 if self._clock.now() - began > STEADY else failures + 1
            await self._clock.sleep(RECONNECT[min(failures, len(RECONNECT)) - 1])

    async def _live(self) -> None:
        """One connection, from its beginning to its end. Always raises."""
        await self._memory.recall()
        async with connected(self._url) as session:
            channel = await session.channel()
            await within(self._topology.declare(channel), DECLARING)
            await self._count(session, channel)
            self._session = session
            self._recover()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._end_with(session), name="broker connection")
                    tasks.create_task(self._watch(session, channel), name="broker watch")
                    tasks.create_task(self._relay.run(session), name="broker relay")
                    tasks.create_task(self._memory.run(), name="broker memory")
                    await self._consume(session, channel, tasks)
            finally:
                self._session = None
                self._consumers.clear()
                self._counts.clear()
                self._seen.disconnected()

    async def _consume(self, session: Session, channel: AbstractChannel, tasks: asyncio.TaskGroup) -> None:
        """A consumer for the queue of all, and for that of each further account, as accounts come."""
        self._start(session, tasks, self._topology.queue, None)
        while True:
            self._accounts_changed.clear()
            for account in further(each.name for each in self._accounts()):
                queue = self._topology.queue_of(account)
                if queue not in self._consumers:
                    await within(self._topology.declare_account(channel, account), DECLARING)
                    self._start(session, tasks, queue, account)
            await self._accounts_changed.wait()

    def _start(self, session: Session, tasks: asyncio.TaskGroup, queue: str, account: str | None) -> None:
        handle = partial(self._handle, session, queue, account)
        consumer = Consumer(queue, self._prefetch, partial(self._tide.lets_in, account), handle)
        self._consumers[queue] = consumer
        tasks.create_task(consumer.run(session), name=f"consumer {queue}")

    async def _handle(
        self, session: Session, queue: str, account: str | None, message: DeliveredMessage
    ) -> Callable[[], None]:
        key = await self._reception.receive(session, queue, account, message)
        return lambda: self._seen.acknowledged(key, self._clock.now())

    async def _watch(self, session: Session, channel: AbstractChannel) -> None:
        """Look at the queues and at the ledger, again and again. Silence of the broker ends the connection."""
        try:
            while True:
                await self._tide.measure()
                self._look()
                await self._clock.sleep(WATCH)
                await self._count(session, channel)
        except BrokerUnavailable:
            for consumer in self._consumers.values():
                consumer.give_up()
            raise

    async def _count(self, session: Session, channel: AbstractChannel) -> None:
        for queue in (self._topology.queue, self._topology.dead_letters, *self._consumers):
            self._counts[queue] = await session.count(channel, queue)

    async def _end_with(self, session: Session) -> None:
        await session.ended()
        raise BrokerUnavailable("The connection to RabbitMQ was lost.")

    def _look(self) -> None:
        for consumer in self._consumers.values():
            consumer.look()

    def _connection(self) -> Session:
        if self._session is None:
            raise BrokerUnavailable(self._problem)
        return self._session

    # --- telling

    def _fail(self, error: GatewayError) -> None:
        """Say once what is wrong, and again when it is something else."""
        self._problem = str(error)
        if self._told != self._problem:
            self._told = self._problem
            self._announce(PartFailed(part=PART, code=error.code, detail=self._problem, at=self._clock.now()))

    def _recover(self) -> None:
        if self._told:
            self._announce(PartRecovered(part=PART, at=self._clock.now()))
        self._told = ""
        log.info("Connected to RabbitMQ", extra={"action": "broker.connected", "queue": self._topology.queue})


def _first(group: BaseExceptionGroup[GatewayError]) -> GatewayError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, GatewayError)  # noqa: S101  the group holds nothing else
    return error

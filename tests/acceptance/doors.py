# SPDX-License-Identifier: Apache-2.0
"""The ways in which a test's client asks a gateway for messages, and what it notes of the answers.

A client may be told nothing: the gateway or the broker died first. Then it asks again, if it can do so safely.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import aiormq
import httpx
from aiormq import spec
from aiormq.abc import AbstractChannel
from aiormq.exceptions import AMQPError

from tests.acceptance.envelopes import EXCHANGE, QUEUE, ROUTING_KEY, USER, Nameless
from tests.acceptance.processes import Process, wait

AWAY = (AMQPError, OSError, RuntimeError, TimeoutError, asyncio.CancelledError)  # how a broker's end looks
PATIENCE = 10.0  # seconds for a broker's word


@dataclass(slots=True)
class Notes:
    """What a client asked for: text and recipient by the key of each message, and which of them were answered."""

    asked: dict[str, tuple[str, str]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)

    @property
    def open(self) -> list[str]:
        """What must be asked again, because no answer came."""
        return [key for key in self.asked if key not in self.answered]


class Door(Protocol):
    """A way in."""

    @property
    def name(self) -> str:
        """As jobs tell it."""

    @property
    def settings(self) -> Mapping[str, str]:
        """What the gateway must be told."""

    def ask(self, gateway: Process, notes: Notes) -> None:
        """Ask for all that is open. Returns when all is answered, or when there is nobody to answer."""


class RestDoor:
    """Over HTTP, under idempotency keys: an answer is a 202."""

    name, settings = "rest", dict[str, str]()

    def ask(self, gateway: Process, notes: Notes) -> None:
        with httpx.Client(base_url=gateway.url, timeout=20.0) as client:
            for key in notes.open:
                text, to = notes.asked[key]
                try:
                    answer = client.post(
                        "/api/messages", json={"to": f"+{to}", "text": text}, headers={"Idempotency-Key": key}
                    )
                except httpx.HTTPError:
                    return
                assert answer.status_code == httpx.codes.ACCEPTED, answer.text
                notes.answered.add(key)


class QueueDoor:
    """Over RabbitMQ: an answer is the broker's confirm.

    Args:
        named: whether envelopes carry a `message_id`. Those without any id are published once, whatever happens.
        prefetch: how many envelopes the gateway has in work at once.
    """

    name = "amqp"

    def __init__(self, url: str, *, named: bool = True, prefetch: int = 5) -> None:
        self._url, self._named = url, named
        self._published: set[str] = set()
        self.settings = {"RABBITMQ_URL": url, "WHATSAPP_PREFETCH_COUNT": str(prefetch)}

    def ask(self, gateway: Process, notes: Notes) -> None:
        wait(lambda: gateway.popen.poll() is not None or asyncio.run(self._declared()))
        asyncio.run(self.publish(notes))

    async def publish(self, notes: Notes, most: int | None = None) -> bool:
        """Publish what is open, and note what the broker confirms. False if the broker went away."""
        keys = self.open(notes)[:most]
        try:
            async with self._channel() as channel:
                await asyncio.gather(*(self._publish(channel, key, notes) for key in keys))
        except AWAY:
            return False
        return True

    def open(self, notes: Notes) -> list[str]:
        """What may still be published."""
        return [key for key in notes.open if self._named or key not in self._published]

    async def _publish(self, channel: AbstractChannel, key: str, notes: Notes) -> None:
        text, to = notes.asked[key]
        body = json.dumps({"user_id": USER, "text_message": text, "destination": f"+{to}"}).encode()
        named = self._named
        properties = spec.Basic.Properties(message_id=key, delivery_mode=2) if named else Nameless(delivery_mode=2)
        self._published.add(key)
        await channel.basic_publish(
            body, exchange=EXCHANGE, routing_key=ROUTING_KEY, properties=properties, mandatory=True
        )
        notes.answered.add(key)

    async def _declared(self) -> bool:
        """Whether there is a queue to publish to."""
        try:
            async with self._channel() as channel:
                await channel.queue_declare(QUEUE, passive=True)
        except AWAY:
            return False
        return True

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[AbstractChannel]:
        async with asyncio.timeout(PATIENCE), await aiormq.connect(self._url) as connection:
            yield await connection.channel(on_return_raises=True)

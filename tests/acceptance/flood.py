# SPDX-License-Identifier: Apache-2.0
"""Publishes raw envelopes by the thousand, and reads the dead letters: a client of the broker that is not ours."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path

import aiormq
from aiormq import spec

from tests.acceptance.envelopes import EXCHANGE, QUEUE, ROUTING_KEY

AT_ONCE = 50  # messages that wait for their confirm
DEAD_LETTERS = f"{QUEUE}.dlq"
Raw = tuple[bytes, spec.Basic.Properties]


async def publish(url: str, envelopes: Iterable[Raw]) -> None:
    """Publish all, with confirms."""
    connection = await aiormq.connect(url)
    channel = await connection.channel(on_return_raises=True)

    async def one(body: bytes, properties: spec.Basic.Properties) -> None:
        await channel.basic_publish(
            body, exchange=EXCHANGE, routing_key=ROUTING_KEY, properties=properties, mandatory=True
        )

    given = iter(envelopes)
    while some := list(islice(given, AT_ONCE)):
        await asyncio.gather(*(one(body, properties) for body, properties in some))
    await connection.close()


async def count(url: str, queue: str) -> int:
    """How many messages are in a queue."""
    async with await aiormq.connect(url) as connection:
        channel = await connection.channel()
        return (await channel.queue_declare(queue, passive=True)).message_count or 0


async def dead_letters(url: str) -> tuple[Counter[bytes], Counter[str]]:
    """Take all: how often each body is there, by its hash, and how many there are for each reason."""
    bodies, reasons = Counter[bytes](), Counter[str]()
    async with await aiormq.connect(url) as connection:
        channel = await connection.channel()
        while (letter := await channel.basic_get(DEAD_LETTERS, no_ack=True)).delivery_tag is not None:
            bodies[digest(letter.body)] += 1
            reasons[str((letter.header.properties.headers or {}).get("x-wigwag-reason"))] += 1
    return bodies, reasons


def digest(body: bytes) -> bytes:
    return sha256(body).digest()


def memory(pid: int) -> float:
    """What a process has in memory, MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def documented() -> Iterator[str]:
    """The reasons that docs/RABBITMQ.md lists."""
    page = (Path(__file__).parents[2] / "docs" / "RABBITMQ.md").read_text().partition("### Reasons")[2]
    for row in page.partition("`wigwag dlq list`")[0].splitlines():
        yield from row.partition("|")[2].partition("|")[0].replace("`", " ").replace(",", " ").split()

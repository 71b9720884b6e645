# SPDX-License-Identifier: Apache-2.0
"""100,000 messages that wait: what the gateway needs in memory, and how fast it sends afterwards.

    python bench/backlog.py [MESSAGES]

First they wait in RabbitMQ, while the account sends 60 a minute: the ledger takes some 10,000 of them, and the rest
stays in the broker. Then there is no more pacing, and some thousands are sent. At last 100,000 jobs are in the ledger
from the start, and some thousands of those are sent. Fails if the memory rises by more than 50 MiB meanwhile.
"""

import asyncio
import logging
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import servers
from tests.acceptance import flood
from tests.acceptance.doors import QueueDoor
from tests.acceptance.envelopes import QUEUE, Nameless, good
from tests.acceptance.kills import PEOPLE, World, world
from tests.acceptance.processes import Process, wait
from tests.acceptance.trouble import ready
from wigwag.adapters.storage.stores import open_stores
from wigwag.domain.contents import Text
from wigwag.domain.delivery import Job
from wigwag.domain.ids import contact_jid

SENT, TARGET = 3000, 50.0  # messages, MiB
LOOK, STILL = 0.5, 10.0  # seconds between looks; seconds without a new job after which no more come in
AT_ONCE = 1000  # jobs written at once


def envelopes(count: int) -> Iterator[flood.Raw]:
    texts = {f"message {number}": PEOPLE[number % len(PEOPLE)] for number in range(count)}
    return ((body, Nameless(delivery_mode=2)) for body in good(texts))


def samples(gateway: Process, over: float) -> list[float]:
    """MiB until the number of jobs stands still."""
    found, jobs, moved, pause = [flood.memory(gateway.popen.pid)], -1, time.monotonic(), Event()
    while time.monotonic() - moved < over:
        pause.wait(LOOK)
        found.append(flood.memory(gateway.popen.pid))
        accepted = gateway.get("/api/messages/stats")["states"]["accepted"]
        if accepted > jobs:
            jobs, moved = accepted, time.monotonic()
    return found


def drained(here: World, gateway: Process) -> tuple[float, list[float]]:
    """Messages a second over some thousands, and MiB meanwhile."""
    found: list[float] = []

    def sent() -> int:
        found.append(flood.memory(gateway.popen.pid))
        return int(here.simulator.get("/sim/counts")["messages"])

    first, began = sent(), time.monotonic()
    for part in range(1, 11):
        wait(lambda part=part: sent() >= first + part * SENT // 10, gateway)  # type: ignore[misc]
    return SENT / (time.monotonic() - began), found


def told(what: str, found: list[float], more: str) -> float:
    """Print it. Returns the rise in MiB since the first tenth."""
    rise = max(found) - max(found[: len(found) // 10 + 1])
    print(f"{what}: {found[0]:.0f} MiB, at most {max(found):.0f}, at the end {found[-1]:.0f}; {more}", flush=True)
    return rise


def in_the_broker(messages: int) -> float:
    """Returns the rise of memory, MiB."""
    with tempfile.TemporaryDirectory(prefix="wigwag-backlog-") as folder, servers.private(servers.RABBITMQ) as rabbit:
        door = QueueDoor(rabbit.url, prefetch=50)
        with world(Path(folder), door) as here:
            with here.gateway() as gateway:
                wait(lambda: ready(gateway), gateway)  # it has declared the queue
            asyncio.run(flood.publish(rabbit.url, envelopes(messages)))
            here.extra["WIGWAG_MESSAGES_PER_MINUTE"] = "60"
            with here.gateway() as gateway:
                found = samples(gateway, STILL)
                accepted = gateway.get("/api/messages/stats")["states"]["accepted"]
                waiting = asyncio.run(flood.count(rabbit.url, QUEUE))
            rise = told("waiting", found, f"{accepted} in the ledger, {waiting} in the broker")
            here.extra["WIGWAG_MESSAGES_PER_MINUTE"] = "0"
            with here.gateway() as gateway:
                rate, found = drained(here, gateway)
            told("sending", found, f"{rate:.0f} messages/s")
    return rise


async def fill(path: Path, messages: int) -> None:
    """Put jobs into a ledger whose gateway is not running."""
    stores, now = await open_stores(f"sqlite:///{path}"), time.time()
    for start in range(0, messages, AT_ONCE):
        await stores.ledger.accept([_job(number, now) for number in range(start, min(start + AT_ONCE, messages))])
    await stores.close()


def _job(number: int, now: float) -> Job:
    return Job(
        id=secrets.token_hex(16),
        account="default",
        to=contact_jid(PEOPLE[number % len(PEOPLE)]),
        content=Text(text=f"message {number}"),
        since=now,
        created=now,
        due=now,
        fingerprint=secrets.token_hex(8),
    )


def in_the_ledger(messages: int) -> float:
    """Returns the rise of memory, MiB."""
    with tempfile.TemporaryDirectory(prefix="wigwag-backlog-") as folder, world(Path(folder)) as here:
        with here.gateway():
            pass
        asyncio.run(fill(here.folder / "session" / "wigwag.db", messages))
        with here.gateway() as gateway:
            rate, found = drained(here, gateway)
        return told(f"{messages} in the ledger", found, f"{rate:.0f} messages/s")


def main() -> int:
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rises = [in_the_broker(messages), in_the_ledger(messages)]
    print(f"rise: {max(rises):.0f} MiB")
    return int(max(rises) > TARGET)


if __name__ == "__main__":
    logging.disable(logging.INFO)
    sys.exit(main())

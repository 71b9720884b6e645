# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of a process that delivers webhooks under load: every event arrives at least once, with a stable id, signed.

The events are in SQLite, the receiver is real and answers well and badly in turn.
"""

import asyncio
import json
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.outgoing.receiver import Request, receiving

pytestmark = [pytest.mark.slow, pytest.mark.chaos]
KILLS, EVENTS, SAFETY = 8, 40, 120.0
SECRET = "whsec_" + "A" * 40
WORKER = """
import asyncio, random, secrets, sys, uuid
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.outgoing import Outgoing
from wigwag.adapters.storage import open_stores
from wigwag.app.webhooks import Hooks, Webhooks
from wigwag.domain.addresses import parse_networks
from wigwag.domain.outbox import Event
from wigwag.domain.webhooks import Wish

async def live(database, url, secret, start, count):
    stores, clock = await open_stores(database), SystemClock()
    hooks = Hooks(
        endpoints=stores.endpoints, deliveries=stores.deliveries, archive=stores.deliveries,
        postman=Outgoing(parse_networks("127.0.0.0/8")),
    )
    webhooks = Webhooks(
        hooks=hooks, events=stores.events, clock=clock, announce=lambda fact: None, chance=random.random,
        new_id=lambda: uuid.uuid4().hex, random=secrets.token_bytes,
    )
    await webhooks.restore()
    if not webhooks.endpoints():
        for ordered in (False, True):
            await webhooks.add(Wish(url=f"{url}/{'ordered' if ordered else 'plain'}", ordered=ordered), secret)
    running = asyncio.create_task(webhooks.run())
    for n in range(start, start + count):
        await stores.events.append([Event(id=f"e{n}", kind="message.sent", account="a", at=clock.now(), data={"n": n})])
        webhooks._news.set()
        print(n, flush=True)
    await running

asyncio.run(live(*sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])))
"""


async def work(database: str, url: str, start: int, count: int) -> asyncio.subprocess.Process:
    line = (sys.executable, "-c", WORKER, database, url, SECRET, str(start), str(count))
    return await asyncio.create_subprocess_exec(*line, stdout=asyncio.subprocess.PIPE)


async def test_every_event_arrives_at_least_once_whenever_the_process_is_killed(tmp_path: Path) -> None:
    chance, database = random.Random(5), f"sqlite:///{tmp_path}/wigwag.db"
    seen: Counter[tuple[str, str]] = Counter()

    def answer(request: Request) -> str:
        """Some first attempts are refused, so that a few wait for the next when the kill comes."""
        key = request.path, request.headers["webhook-id"]
        seen[key] += 1
        return "/500" if seen[key] == 1 and len(seen) % 60 == 0 else "/200"

    acknowledged: set[int] = set()
    async with asyncio.timeout(SAFETY), receiving(answer) as receiver:
        for round_ in range(KILLS):
            process = await work(database, f"http://127.0.0.1:{receiver.port}", round_ * EVENTS, EVENTS)
            assert process.stdout
            for _ in range(chance.randrange(1, EVENTS)):
                acknowledged.add(int(await process.stdout.readline()))
            process.send_signal(signal.SIGKILL)
            acknowledged |= {int(line) for line in (await process.stdout.read()).split()}
            await process.wait()
        last = await work(database, f"http://127.0.0.1:{receiver.port}", KILLS * EVENTS, 1)
        assert last.stdout
        acknowledged.add(int(await last.stdout.readline()))
        await receiver.until(lambda requests: all(taken(requests, path) >= acknowledged for path in PATHS), SAFETY)
        last.send_signal(signal.SIGKILL)
        await last.wait()
    ids: dict[int, set[str]] = {}
    for request in receiver.requests:
        Webhook(SECRET).verify(request.body, request.headers)
        ids.setdefault(number(request), set()).add(request.headers["webhook-id"])
    assert {len(told) for told in ids.values()} == {1}
    assert len(ids) == len({told for one in ids.values() for told in one})
    assert_in_order([number(request) for request in receiver.requests if request.path == "/ordered"])


PATHS = ("/plain", "/ordered")


def number(request: Request) -> int:
    return int(json.loads(request.body)["data"]["n"])


def taken(requests: list[Request], path: str) -> set[int]:
    return {number(request) for request in requests if request.path == path}


def assert_in_order(numbers: list[int]) -> None:
    """First sights rise; a repeat after a failure or a kill is of the one that came last."""
    assert list(dict.fromkeys(numbers)) == sorted(set(numbers))

# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of the gateway at each point of a message's way, and at random under load; then every message is judged.

    python bench/kills.py [TIMES] [RANDOM] [--door rest|queue|nameless] [--point POINT]

How often at each point (30), and how often at random (200); or at one point alone. Messages come over HTTP, or in
envelopes from a RabbitMQ of its own, with or without a `message_id`. What the broker has put away, because we died
more than twenty times over it, is replayed before the judgement, as an operator would. Exits 1 if anything was lost or
doubled, or if the gateway says what is not so. About 45 minutes with the defaults.
"""

import argparse
import logging
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import servers
from tests.acceptance.doors import QueueDoor
from tests.acceptance.kills import Verdict, World, kill_at, kill_somewhen, world
from tests.acceptance.mortal import POINTS, QUEUE_POINTS
from tests.acceptance.processes import Process, wait

WAITING = 100  # envelopes in the queue when a random kill comes


def judged(here: World, what: str) -> Verdict:
    """Let the dust settle, and say what became of all."""
    with here.gateway() as gateway:
        here.write(gateway, 0)
        replayed = _replayed(gateway) if here.door.name == QueueDoor.name else 0
        verdict = here.settle(gateway)
    states = ", ".join(f"{state} {count}" for state, count in verdict.states.items())
    print(
        f"{what}: {len(here.notes.asked)} messages; lost {len(verdict.lost)}, doubled {len(verdict.doubled)}, "
        f"false {len(verdict.lied)}, in doubt and visible {len(verdict.in_doubt)}, "
        f"sent but never settled {len(verdict.unsettled)} ({states}); replayed {replayed}",
        flush=True,
    )
    return verdict


def _replayed(gateway: Process) -> int:
    """Have all dead letters back that were delivered too often. Returns how many."""
    counts: list[int] = []

    def done() -> bool:
        answer = httpx.post(f"{gateway.url}/api/dead-letters/replay", params={"reason": "delivery_limit"}, timeout=30)
        counts.extend([answer.json()["count"]] if answer.is_success else [])
        return answer.is_success

    wait(done, gateway)
    return counts[0]


@contextmanager
def fresh(door: str) -> Iterator[World]:
    """A world that nothing has happened in, with a broker if its door is a queue."""
    with tempfile.TemporaryDirectory(prefix="wigwag-kills-") as folder:
        if door == "rest":
            with world(Path(folder)) as here:
                yield here
        else:
            with servers.private(servers.RABBITMQ) as rabbit:
                way_in = QueueDoor(rabbit.url, named=door == "queue", prefetch=20)
                with world(Path(folder), way_in) as here:
                    yield here


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("times", nargs="?", type=int, default=30)
    parser.add_argument("at_random", nargs="?", type=int, default=200)
    parser.add_argument("--door", choices=["rest", "queue", "nameless"], default="rest")
    parser.add_argument("--point", choices=QUEUE_POINTS)
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    chance, faults, began = random.Random(1), 0, time.monotonic()
    points = POINTS if asked.door == "rest" else QUEUE_POINTS
    for point in [asked.point] if asked.point else points:
        with fresh(asked.door) as here:
            died = sum(kill_at(here, point, chance) for _ in range(asked.times))
            faults += len(judged(here, f"{died} kills {point}").faults)
    if not asked.point:
        with fresh(asked.door) as here:
            for _ in range(asked.at_random):
                kill_somewhen(here, chance.uniform(0.05, 1.5), 10 if asked.door == "rest" else WAITING)
            faults += len(judged(here, f"{asked.at_random} kills at random under load").faults)
    print(f"{(time.monotonic() - began) / 60:.0f} minutes; {faults} faults")
    return bool(faults)


if __name__ == "__main__":
    logging.disable(logging.INFO)
    sys.exit(main())

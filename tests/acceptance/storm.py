# SPDX-License-Identifier: Apache-2.0
"""Bad envelopes among good ones, in any number: published, taken in, and all that became of them is compared."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event, Thread

from tests.acceptance import flood, fuzz
from tests.acceptance.kills import PEOPLE, World
from tests.acceptance.processes import Process

LOOK = 0.2  # seconds between looks
STUCK = 60.0  # seconds in which nothing moves


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What became of a storm. `memory`: MiB of the gateway as time went on."""

    missing: list[tuple[str, str]]  # good, and not read
    doubled: list[tuple[str, str]]
    unburied: int  # bad, and not a dead letter
    foreign: int  # dead letters that are not one of the bad ones, or are one twice
    reasons: Counter[str]
    memory: list[float]
    seconds: float


def storm(here: World, gateway: Process, url: str, good: int, bad: int, huge: int) -> Aftermath:
    """Publish so many of each, in an order of chance, and wait until nothing moves any more."""
    chance = random.Random(21)
    wanted = {f"{number} {chance.random()}": PEOPLE[number % len(PEOPLE)] for number in range(good)}
    hashes: Counter[bytes] = Counter()
    memory: list[float] = []
    began = time.monotonic()
    publishing = Thread(target=lambda: asyncio.run(flood.publish(url, _mixed(wanted, bad, huge, chance, hashes))))
    publishing.start()
    _wait(
        lambda: (_read(here), asyncio.run(flood.count(url, flood.DEAD_LETTERS))),
        (good, bad),
        lambda: memory.append(flood.memory(gateway.popen.pid)),
    )
    publishing.join()
    seconds = time.monotonic() - began
    buried, reasons = asyncio.run(flood.dead_letters(url))
    read = here.read()
    return Aftermath(
        missing=[message for message in wanted.items() if not read[message]],
        doubled=[message for message, times in read.items() if times > 1],
        unburied=(hashes - buried).total(),
        foreign=(buried - hashes).total(),
        reasons=reasons,
        memory=memory,
        seconds=seconds,
    )


def _mixed(
    wanted: dict[str, str], bad: int, huge: int, chance: random.Random, hashes: Counter[bytes]
) -> Iterator[flood.Raw]:
    """Good and bad ones by chance. Notes the hash of each bad one."""
    odd, texts, wrong = fuzz.Odd(chance), iter(wanted.items()), fuzz.bad(bad, huge, chance)
    kinds = [True] * len(wanted) + [False] * bad
    chance.shuffle(kinds)
    for number, is_good in enumerate(kinds):
        properties = odd.properties(f"storm-{number}" if chance.random() < 0.5 else None)
        if is_good:
            yield json.dumps(fuzz.good(*next(texts))).encode(), properties
        else:
            body = next(wrong)
            hashes[flood.digest(body)] += 1
            yield body, properties


def _wait(look: Callable[[], tuple[int, int]], until: tuple[int, int], each: Callable[[], None]) -> None:
    """Look until it is so, or until nothing moves any more; then the comparison says what is missing."""
    seen, moved, pause = (-1, -1), time.monotonic(), Event()
    while any(have < want for have, want in zip(seen, until, strict=True)):
        now = look()
        if now != seen:
            seen, moved = now, time.monotonic()
        elif time.monotonic() - moved > STUCK:
            return
        each()
        pause.wait(LOOK)


def _read(here: World) -> int:
    return int(here.simulator.get("/sim/counts")["messages"])

# SPDX-License-Identifier: Apache-2.0
"""Three gateways on one Redis and one PostgreSQL, and what users see when one dies, is stopped, or Redis is lost.

    bench/nodes.py [--people 1000] [--only kill|end|stop|redis]

People have real websockets. A watcher at each node knows everybody, and times what it hears. Exits with an error if a
figure that was promised is missed. Ten minutes.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from time import time
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import servers
from tests.acceptance.fleet import Fleet, fleet, pause, quantiles

OFFLINE, GHOSTS, SEEN, AGAIN = 15.0, 30.0, 6.0, 10.0  # seconds
GRACE = 6.0  # seconds in which those who return are back, well within the 8 that they have
missed: list[str] = []


def expect(holds: bool, what: str) -> None:
    """Say what was promised and is not so."""
    if not holds:
        missed.append(what)
        print(f"    MISSED: {what}")


def halves(people: int) -> tuple[list[int], list[int]]:
    everybody = list(range(1, people + 1))
    random.Random(7).shuffle(everybody)
    return everybody[: people // 2], everybody[people // 2 :]


async def kill(here: Fleet, people: int) -> None:
    """SIGKILL of the node with everybody on it; half of them return to the others."""
    await _without(here, people, here.kill)


async def end(here: Fleet, people: int) -> None:
    """SIGTERM of that node, as for a new version; half of them return to the others."""
    await _without(here, people, here.end)


async def _without(here: Fleet, people: int, lose: Callable[[int], float]) -> None:
    returning, leaving = halves(people)
    await here.place([*returning, *leaving], 0)
    await here.until_right({*returning, *leaving}, [0, 1, 2])
    lost = lose(0)

    async def back(user: int) -> None:
        await pause(random.uniform(0.0, GRACE))
        await here.people[user].come(here.nodes[1 + user % 2])

    await asyncio.gather(*(back(user) for user in returning))
    returned = time() - lost
    await pause(max(0.0, GHOSTS - (time() - lost)))
    ghosts = here.wrong(set(returning), [1, 2])
    await report(here, lost, returning, leaving, [1, 2])
    print(f"  the last was back after {returned:.1f} s; ghosts after {GHOSTS:.0f} s: {len(ghosts)}")
    expect(not ghosts, f"{len(ghosts)} ghosts")
    counts = [await here.active(node) for node in (1, 2)]
    expect(counts == [len(returning) + 2] * 2, f"active users {counts}")


async def stop(here: Fleet, people: int) -> None:
    """SIGSTOP of the node with everybody on it for 60 s; half of them return to the others. Then SIGCONT."""
    returning, staying = halves(people)
    await here.place([*returning, *staying], 0)
    await here.until_right({*returning, *staying}, [0, 1, 2])
    stopped = here.freeze(0)

    async def back(user: int) -> None:
        await pause(random.uniform(0.0, GRACE))
        here.people[user].abandon()
        await here.people[user].come(here.nodes[1 + user % 2])

    await asyncio.gather(*(back(user) for user in returning))
    await pause(max(0.0, 60.0 - (time() - stopped)))
    await report(here, stopped, returning, staying, [1, 2])
    going = here.thaw(0)
    await here.until_ready(0)
    ready = time() - going

    def there() -> set[int]:
        return {*returning, *(user for user in staying if here.people[user].connected)}

    await here.until(lambda: not here.wrong(there(), [0, 1, 2]))
    right = time() - going
    refused = await here.metric(0, "wigwag_node_refused_total")
    kept = len(there()) - len(returning)
    print(
        f"  after SIGCONT: ready {ready:.1f} s, all three right {right:.1f} s; {kept} of {len(staying)} sockets live on"
    )
    print(f"  writes refused to the node that slept: {refused:.0f}")
    expect(refused >= 1, "nothing was refused to the node that slept")
    expect(right <= OFFLINE, f"right only {right:.1f} s after SIGCONT")


async def redis(here: Fleet, people: int) -> None:
    """Redis dies and comes back empty, while people come, choose and go."""
    everybody = list(range(1, people + 1))
    coming, going, staying = everybody[: people // 10], everybody[people // 10 : people // 5], everybody[people // 5 :]
    for number in range(3):
        await here.place([*going, *staying][number::3], number)
    await here.until_right({*going, *staying}, [0, 1, 2])
    lost = time()
    losing = asyncio.create_task(here.lose_redis())
    await pause(0.5)
    await here.place(coming, 1)
    await asyncio.gather(*(here.people[user].go() for user in going))
    back = await losing
    await here.until_ready(0, 1, 2)
    ready = time() - back
    await here.until_right({*coming, *staying}, [0, 1, 2])
    right = time() - back
    flickers = here.flickered([*coming, *staying], lost, [0, 1, 2])
    print(f"  after Redis was back: all ready {ready:.1f} s, all right {right:.1f} s")
    print(f"  told to be offline without being so: {len(flickers)}")
    expect(right <= AGAIN, f"right only after {right:.1f} s")
    expect(not flickers, f"{len(flickers)} were told to be offline because Redis was lost")
    await pause(GHOSTS)
    ghosts = here.wrong({*coming, *staying}, [0, 1, 2])
    counts = [await here.active(node) for node in (0, 1, 2)]
    print(f"  {GHOSTS:.0f} s later: ghosts {len(ghosts)}, active users {counts}")
    expect(not ghosts, f"{len(ghosts)} ghosts")
    expect(counts == [len(coming) + len(staying) + 3] * 3, f"active users {counts}")


async def report(here: Fleet, since: float, returning: list[int], leaving: list[int], watchers: list[int]) -> None:
    """What the watchers heard of a node's end."""
    times = [at for user in leaving for at in here.away(user, since, watchers)]
    flickers = here.flickered(returning, since, watchers)
    screens = [here.watchers[each].screen for each in watchers]
    errors = [abs((screen[user].last_seen or 0.0) - since) for screen in screens for user in leaving]
    print(f"  offline at both other nodes: {len(times)} of {2 * len(leaving)}; {quantiles(times)}")
    print(f"  flickers of the {len(returning)} who returned: {len(flickers)}")
    print(f"  last seen is off by {quantiles(errors)}; `v` that did not rise: {here.fallen()}")
    expect(len(times) == 2 * len(leaving), "somebody was never told to be offline")
    expect(bool(times) and max(times) <= OFFLINE, f"offline only after {max(times, default=0.0):.1f} s")
    expect(not flickers, f"{len(flickers)} flickers")
    expect(max(errors) <= SEEN, f"last seen off by {max(errors):.1f} s")
    expect(here.fallen() == 0, "a v fell")


PARTS: dict[str, Callable[[Fleet, int], Coroutine[Any, Any, None]]] = {
    "kill": kill,
    "end": end,
    "stop": stop,
    "redis": redis,
}


async def measure(names: list[str], people: int) -> None:
    for name in names:
        with servers.private(servers.POSTGRES) as database, tempfile.TemporaryDirectory(prefix="wigwag-nodes-") as home:
            async with fleet(Path(home), people, database=database.url) as here:
                print(f"{name}: {people} people, three nodes")
                await PARTS[name](here, people)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--only", choices=list(PARTS))
    wanted = parser.parse_args()
    asyncio.run(measure([wanted.only] if wanted.only else list(PARTS), wanted.people))
    sys.exit("\n".join(missed) or None)


if __name__ == "__main__":
    main()

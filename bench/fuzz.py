# SPDX-License-Identifier: Apache-2.0
"""10,000 bad envelopes among 10,000 good ones: what became of each, and what the gateway needs in memory.

    python bench/fuzz.py [GOOD] [BAD] [HUGE]

HUGE (36) of the bad ones have 10 MB. Fails if a good one is not read exactly once, a bad one is not a dead letter
exactly once and with a reason of docs/RABBITMQ.md, or the memory rises by more than 50 MiB after the first fifth.
"""

import logging
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import servers
from tests.acceptance.doors import QueueDoor
from tests.acceptance.flood import documented
from tests.acceptance.kills import world
from tests.acceptance.storm import Aftermath, storm
from tests.acceptance.trouble import settled

TARGET = 50.0  # MiB


def run(good: int, bad: int, huge: int) -> Aftermath:
    with tempfile.TemporaryDirectory(prefix="wigwag-fuzz-") as folder, servers.private(servers.RABBITMQ) as rabbit:
        door = QueueDoor(rabbit.url, prefetch=50)
        with world(Path(folder), door) as here, here.gateway() as gateway:
            settled(gateway, rabbit)
            after = storm(here, gateway, rabbit.url, good, bad, huge)
            assert gateway.popen.poll() is None, "the gateway ended"
    return after


def main() -> int:
    given = [int(argument) for argument in sys.argv[1:]]
    good, bad, huge = [*given, *(10_000, 10_000, 36)[len(given) :]]
    after = run(good, bad, huge)
    warm = len(after.memory) // 5
    before, later = after.memory[: warm + 1], after.memory[warm:]
    rise = after.memory[-1] - max(before)
    print(
        f"{good} good and {bad} bad ones ({huge} of 10 MB) in {after.seconds:.0f} s: "
        f"missing {len(after.missing)}, doubled {len(after.doubled)}, "
        f"not buried {after.unburied}, buried for nothing or twice {after.foreign}"
    )
    print("reasons:", ", ".join(f"{reason} {count}" for reason, count in after.reasons.most_common()))
    print(
        f"memory: {after.memory[0]:.0f} MiB at the start, {max(before):.0f} in the first fifth, then at most "
        f"{max(later):.0f}, {after.memory[-1]:.0f} at the end"
    )
    wrong = after.missing or after.doubled or after.unburied or after.foreign
    strange = set(after.reasons) - set(documented()) | {"internal_error"} & set(after.reasons)
    return int(bool(wrong or strange or rise > TARGET))


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    sys.exit(main())

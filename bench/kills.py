# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of the gateway at each point of a message's way, and at random under load; then every message is judged.

Usage: kills.py [TIMES] [RANDOM]: how often at each point (30), and how often at random (200). Exits 1 if anything was
lost or doubled, or if the gateway says what is not so. About 45 minutes with the defaults.
"""

import logging
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.acceptance.kills import Verdict, World, kill_at, kill_somewhen, world
from tests.acceptance.mortal import POINTS


def judged(here: World, what: str) -> Verdict:
    """Let the dust settle, and say what became of all."""
    with here.gateway() as gateway:
        here.write(gateway, 0)
        verdict = here.settle(gateway)
    states = ", ".join(f"{state} {count}" for state, count in verdict.states.items())
    print(
        f"{what}: {len(here.notes.asked)} messages; lost {len(verdict.lost)}, doubled {len(verdict.doubled)}, "
        f"false {len(verdict.lied)}, in doubt and visible {len(verdict.in_doubt)}, "
        f"sent but never settled {len(verdict.unsettled)} ({states})",
        flush=True,
    )
    return verdict


def main() -> int:
    times, at_random = (int(argument) for argument in (*sys.argv[1:], *("30", "200")[len(sys.argv) - 1 :]))
    chance, faults, began = random.Random(1), 0, time.monotonic()
    for point in POINTS:
        with tempfile.TemporaryDirectory(prefix="wigwag-kills-") as folder, world(Path(folder)) as here:
            died = sum(kill_at(here, point, chance) for _ in range(times))
            faults += len(judged(here, f"{died} kills {point}").faults)
    with tempfile.TemporaryDirectory(prefix="wigwag-kills-") as folder, world(Path(folder)) as here:
        for _ in range(at_random):
            kill_somewhen(here, chance.uniform(0.05, 1.5))
        faults += len(judged(here, f"{at_random} kills at random under load").faults)
    print(f"{(time.monotonic() - began) / 60:.0f} minutes; {faults} faults")
    return bool(faults)


if __name__ == "__main__":
    logging.disable(logging.INFO)
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Whether the default pace stays below the simulator's limit on the wire: 1,000 contacts, in real time, 7.5 minutes.

    python bench/wire.py

Simulator and gateway run as processes, as an operator runs them. Fails when a subscribe is refused or missing, or when
any 60 seconds see 200 of them.
"""

import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.acceptance.processes import Process, pair, wigwag

CONTACTS, LIMIT, MINUTE = 1_000, 200, 60.0
LOOK_EVERY, PATIENCE = 30.0, 600.0  # seconds
ACCOUNT = "15550001111"


def track(gateway: Process, simulator: Process) -> None:
    numbers = [str(15550200000 + n) for n in range(CONTACTS)]
    simulator.post("/sim/contacts", [{"phone": number} for number in numbers])
    gateway.post("/api/subscriptions", {"contacts": [{"phone": number} for number in numbers]})


def follow(gateway: Process) -> None:
    """Say how it goes until all are active."""
    began = time.monotonic()
    while (stats := gateway.get("/api/subscriptions/stats"))["active"] < CONTACTS:
        print(
            f"{time.monotonic() - began:5.0f} s  {stats['active']} active, {stats['queue_length']} queued", flush=True
        )
        if time.monotonic() - began > PATIENCE:
            return
        time.sleep(LOOK_EVERY)
    print(f"{time.monotonic() - began:5.0f} s  all active")


def busiest_minute(times: list[float]) -> int:
    """The most subscribes in any 60 seconds."""
    return max(sum(start <= at < start + MINUTE for at in times) for start in times)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with wigwag("simulate", log=home / "simulator.log") as simulator:
            arguments = ("serve", "--data", str(home / "data"), "--simulator", simulator.url)
            with wigwag(*arguments, log=home / "gateway.log") as gateway:
                track(gateway, simulator)
                pair(gateway, simulator, ACCOUNT)
                follow(gateway)
            seen = simulator.get("/sim/subscriptions")
    sent = [datetime.fromisoformat(entry["at"]).timestamp() for entry in seen if entry["action"] == "subscribe"]
    refused = sum(entry["action"] == "refused" for entry in seen)
    busiest = busiest_minute(sent)
    print(f"{len(sent)} subscribes in {sent[-1] - sent[0]:.0f} s, {refused} refused, {busiest} in the busiest minute")
    return 0 if len(sent) == CONTACTS and not refused and busiest < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

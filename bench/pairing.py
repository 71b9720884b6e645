# SPDX-License-Identifier: Apache-2.0
"""Whether a code that nobody scans is renewed, in real time: three minutes, because whatsmeow keeps its own time.

    python bench/pairing.py

Prints when each QR code appeared. Fails unless a second round of codes follows the first without a restart, a code of
it pairs, and the gateway then stops in order.
"""

import sys
import tempfile
import time
from http import HTTPStatus
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.acceptance.processes import Process, pair, wigwag

CODES = 6  # in a round: the first is valid for 60 s, each other for 20 s
PATIENCE, LOOK_EVERY = 240.0, 1.0  # seconds


def code_on_offer(gateway: Process) -> str | None:
    answer = httpx.get(f"{gateway.url}/api/accounts/default/qr", params={"format": "json"})
    return str(answer.json()["qr"]) if answer.status_code == HTTPStatus.OK else None


def watch_codes(gateway: Process) -> int:
    """Wait for the first code of the second round. Returns how many were seen."""
    began, seen = time.monotonic(), set[str]()
    while len(seen) <= CODES and time.monotonic() - began < PATIENCE:
        code = code_on_offer(gateway)
        if code is not None and code not in seen:
            seen.add(code)
            print(f"{time.monotonic() - began:5.0f} s  code {len(seen)}", flush=True)
        time.sleep(LOOK_EVERY)
    return len(seen)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with wigwag("simulate", log=home / "simulator.log") as simulator:
            arguments = ("serve", "--data", str(home / "data"), "--simulator", simulator.url)
            with wigwag(*arguments, log=home / "gateway.log") as gateway:
                codes = watch_codes(gateway)
                pair(gateway, simulator, "15550001111")
                stopped = gateway.stop()
    print(f"{codes} codes, paired with the last one, exit code {stopped}")
    return 0 if codes > CODES and stopped == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

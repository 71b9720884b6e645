# SPDX-License-Identifier: Apache-2.0
"""wigwag as an operator runs it: `wigwag simulate` and `wigwag serve` as processes, seen only from outside."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from threading import Event
from typing import Any

import httpx

from tests import guard

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would drown what failed
PATIENCE = 60.0  # seconds until a test gives up waiting; never a measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A wigwag at work."""

    url: str
    log: Path
    popen: "subprocess.Popen[bytes]"

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.url}{path}").raise_for_status().json()

    def post(self, path: str, body: Any = None) -> Any:
        answer = httpx.post(f"{self.url}{path}", json=body, timeout=30.0).raise_for_status()
        return answer.json() if answer.content else None

    def put(self, path: str, body: Any) -> Any:
        return httpx.put(f"{self.url}{path}", json=body).raise_for_status().json()

    def metrics(self) -> str:
        return httpx.get(f"{self.url}/metrics").raise_for_status().text

    def kill(self) -> None:
        """What the machine does to it at 3 a.m."""
        self.popen.kill()
        self.popen.wait()

    def stop(self) -> int:
        """What an operator does. Returns the exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(PATIENCE)


@contextmanager
def wigwag(
    *arguments: str, log: Path, port: int | None = None, more: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """Run a verb that serves, with `more` in its environment, and wait until it answers."""
    port = port or free_port()
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [sys.executable, "-m", "wigwag", *arguments, "--port", str(port)],
            stdout=output,
            stderr=output,
            env={**environment, **(more or {})},
        )
    process = Process(url=f"http://127.0.0.1:{port}", log=log, popen=popen)
    try:
        wait(lambda: answers(process), process)
        yield process
    finally:
        popen.kill()
        popen.wait()
        if arguments[0] != "simulate":  # it is about its people
            guard.read(log)


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait(holds: Callable[[], object], process: Process | None = None) -> None:
    """Look until something is true. Whoever waits in vain is told what, and how the process's log ends."""
    give_up, pause = time.monotonic() + PATIENCE, Event()
    while not holds():
        ended = process is not None and process.popen.poll() is not None
        if ended or time.monotonic() > give_up:
            tail = process.log.read_text(errors="replace")[-3000:] if process else ""
            raise AssertionError(f"it never became true: {holds.__code__.co_names}\n{tail}")
        pause.wait(0.02)


def answers(process: Process) -> bool:
    try:
        httpx.get(f"{process.url}/livez")
    except httpx.TransportError:
        return False
    return True


def pair(gateway: Process, simulator: Process, phone: str) -> None:
    """Scan the code on offer, as a person with a phone would."""

    def paired() -> bool:
        account = gateway.get("/api/accounts/default")
        if account["state"] == "pairing":
            answer = httpx.get(f"{gateway.url}/api/accounts/default/qr", params={"format": "json"})
            if answer.status_code == httpx.codes.OK:
                httpx.post(f"{simulator.url}/sim/scan", json={"qr": answer.json()["qr"], "phone": phone})
        return bool(account["state"] == "connected")

    wait(paired, gateway)

# SPDX-License-Identifier: Apache-2.0
"""A world in which the gateway is killed again and again, and the checker of what became of every message.

Jepsen's way: clients note what they asked for and what they were answered; afterwards the notes, the gateway's ledger
and what the contacts read are compared. Nothing may be lost, nothing doubled, and what is in doubt must be visible.
"""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

import httpx

from tests.acceptance.processes import Process, answers, free_port, pair, wait, wigwag

PHONE = "15550001111"
PEOPLE = [f"1555010{number:04}" for number in range(8)]
ARRIVED = {"sent", "delivered", "read", "played"}
LOOKS = 50  # at a world that should settle, before we call its faults by name
PROGRAM = Path(__file__).with_name("mortal.py")


@dataclass(slots=True)
class Notes:
    """What a client asked for: text and recipient by idempotency key, and the job's id once it was answered."""

    asked: dict[str, tuple[str, str]] = field(default_factory=dict)
    answered: dict[str, str] = field(default_factory=dict)

    @property
    def open(self) -> list[str]:
        """What must be asked again, because no answer came."""
        return [key for key in self.asked if key not in self.answered]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of all messages."""

    states: Counter[str]
    lost: list[str]
    doubled: list[str]
    lied: list[str]  # called sent, and nobody has it; or nobody sent it, and somebody has it
    in_doubt: list[str]  # unconfirmed, and nobody has it
    unsettled: list[str]  # unconfirmed, although a receipt came

    @property
    def faults(self) -> list[str]:
        """Whatever must never happen."""
        return [*self.lost, *self.doubled, *self.lied, *self.unsettled]


class World:
    """A simulator, and a gateway that comes and goes over the same folder."""

    def __init__(self, folder: Path, simulator: Process) -> None:
        self.folder, self.simulator, self.notes = folder, simulator, Notes()
        self.extra: dict[str, str] = {}  # more of the gateway's environment
        self._written = 0
        for number in PEOPLE:
            simulator.put(f"/sim/contacts/{number}", {"name": number})
        # Receipts wait for the end: one that WhatsApp's library has acknowledged is lost with the process.
        simulator.put("/sim/receipts", {"hold": True})

    @contextmanager
    def gateway(self, point: str = "never", nth: int = 0) -> Iterator[Process]:
        """A gateway that dies at a point, for the n-th time there. The block begins when its link is up."""
        port, log = free_port(), self.folder / "gateway.log"
        environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        environment |= {
            "APP_PORT": str(port),
            "WHATSAPP_SESSION_PATH": str(self.folder / "session"),
            "WHATSAPP_SIMULATOR_URL": self.simulator.url,
            "WIGWAG_MESSAGES_PER_MINUTE": "0",
            "PYTHONPATH": os.pathsep.join(sys.path),
            **self.extra,
        }
        with log.open("ab") as output:
            command = [sys.executable, str(PROGRAM), point, str(nth)]
            popen = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        process = Process(url=f"http://127.0.0.1:{port}", log=log, popen=popen)
        first = not (self.folder / "session" / "whatsapp.db").exists()
        try:
            if first:
                wait(lambda: answers(process), process)
                pair(process, self.simulator, PHONE)
            else:
                self._connected(process)
            yield process
        finally:
            popen.kill()
            popen.wait()

    def _connected(self, process: Process) -> None:
        """Wait for the link; a gateway that died before that is fine as well."""

        def connected() -> bool:
            if process.popen.poll() is not None:
                return process.popen.returncode == -signal.SIGKILL
            try:
                return bool(process.get("/api/accounts/default")["state"] == "connected")
            except httpx.HTTPError:
                return False

        wait(connected)

    def write(self, gateway: Process, messages: int) -> None:
        """Ask for new messages, and again for those without an answer, until all is answered or the gateway died."""
        for _ in range(messages):
            self._written += 1
            key, to = f"key-{self._written}", PEOPLE[self._written % len(PEOPLE)]
            self.notes.asked[key] = (f"message {self._written}", to)
        with httpx.Client(base_url=gateway.url, timeout=20.0) as client:
            for key in self.notes.open:
                try:
                    answer = client.post("/api/messages", json=self._body(key), headers={"Idempotency-Key": key})
                except httpx.HTTPError:
                    return
                assert answer.status_code == httpx.codes.ACCEPTED, answer.text
                self.notes.answered[key] = answer.json()["id"]

    def _body(self, key: str) -> dict[str, Any]:
        text, to = self.notes.asked[key]
        return {"to": f"+{to}", "text": text}

    def die(self, gateway: Process) -> bool:
        """Wait until the gateway has killed itself; False if all was sent before it came to its point."""
        wait(lambda: gateway.popen.poll() is not None or self._idle(gateway))
        return gateway.popen.poll() is not None

    def _idle(self, gateway: Process) -> bool:
        try:
            return not self._jobs(gateway, "accepted", "sending")
        except httpx.HTTPError:
            return False

    def settle(self, gateway: Process) -> Verdict:
        """Wait until all that was asked for is sent or in doubt, and receipts have come. What became of it."""
        wait(lambda: not self._jobs(gateway, "accepted", "sending"), gateway)
        self.simulator.post("/sim/receipts/release", {})
        verdicts: list[Verdict] = []

        def well() -> bool:
            verdicts.append(self.judge(gateway))
            return not verdicts[-1].faults or len(verdicts) > LOOKS

        wait(well, gateway)
        return verdicts[-1]

    def _jobs(self, gateway: Process, *states: str) -> list[dict[str, Any]]:
        query = [("state", state) for state in states]
        found: list[dict[str, Any]] = []
        before: Any = None
        while True:
            page = httpx.get(
                f"{gateway.url}/api/messages",
                params=[*query, ("limit", 500), *([("before", before)] if before else [])],
            ).json()
            found += page["messages"]
            before = page["next"]
            if not before:
                return found

    def judge(self, gateway: Process) -> Verdict:
        """Compare what was asked for, what the gateway says, and what the contacts have."""
        jobs = {job["idempotency_key"]: job for job in self._jobs(gateway)}
        read = Counter((line["text"], line["phone"]) for line in self.simulator.get("/sim/inbox?limit=100000"))
        states = Counter(job["state"] for job in jobs.values())
        verdict = Verdict(states=states, lost=[], doubled=[], lied=[], in_doubt=[], unsettled=[])
        for key, message in self.notes.asked.items():
            times, job = read[message], jobs.get(key)
            state = job["state"] if job else "absent"
            if times > 1:
                verdict.doubled.append(key)
            if key in self.notes.answered and state not in {*ARRIVED, "unconfirmed", "failed"}:
                verdict.lost.append(key)
            if (state in ARRIVED) is not bool(times) and state != "unconfirmed":
                verdict.lied.append(key)
            if state == "unconfirmed":
                (verdict.unsettled if times else verdict.in_doubt).append(key)
        return verdict


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A world of its own in a folder."""
    with wigwag("simulate", log=folder / "simulator.log") as simulator:
        yield World(folder, simulator)


def kill_at(here: World, point: str, chance: random.Random, messages: int = 6) -> bool:
    """One life of the gateway that ends at a point. False if it did not."""
    faults = [{"kind": "delay_acks", "delay": 5.0, "seconds": 30}] if point == "after bytes" else []
    nth = chance.randint(1, messages - 1)
    with here.gateway(point, nth) as gateway:
        for fault in faults:
            here.simulator.post("/sim/faults", fault)
        here.write(gateway, messages)
        died = here.die(gateway)
    httpx.delete(f"{here.simulator.url}/sim/faults")
    return died


def kill_somewhen(here: World, seconds: float) -> None:
    """One life of the gateway under load that ends after so many seconds of work, wherever it is then."""
    with here.gateway() as gateway:
        end = Timer(seconds, gateway.popen.kill)
        end.start()
        while gateway.popen.poll() is None:
            here.write(gateway, 10)
        end.join()

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
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import httpx

from tests import guard
from tests.acceptance.doors import Door, Notes, RestDoor
from tests.acceptance.processes import Process, answers, free_port, pair, wait, wigwag

PHONE = "15550001111"
PEOPLE = [f"1555010{number:04}" for number in range(8)]
ARRIVED = {"sent", "delivered", "read", "played"}
LOOKS = 50  # at a world that should settle, before we call its faults by name
PROGRAM = Path(__file__).with_name("mortal.py")


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
    def arrived(self) -> int:
        """How many WhatsApp took."""
        return sum(self.states[state] for state in ARRIVED)

    @property
    def faults(self) -> list[str]:
        """Whatever must never happen."""
        return [*self.lost, *self.doubled, *self.lied, *self.unsettled]


class World:
    """A simulator, and a gateway that comes and goes over the same folder.

    Args:
        door: by which messages are asked for.
        people: to whom, in turn.
    """

    def __init__(self, folder: Path, simulator: Process, door: Door, people: Sequence[str]) -> None:
        self.folder, self.simulator, self.door, self.notes = folder, simulator, door, Notes()
        self.people = people
        self.extra: dict[str, str] = {}  # more of the gateway's environment
        self._written = 0
        for number in people:
            simulator.put(f"/sim/contacts/{number}", {"name": number})
        # Receipts wait for the end: one that WhatsApp's library has acknowledged is lost with the process.
        simulator.put("/sim/receipts", {"hold": True})

    @contextmanager
    def gateway(self, point: str = "never", nth: int = 0, program: Path = PROGRAM) -> Iterator[Process]:
        """A gateway that dies at a point, for the n-th time there. The block begins when its link is up.

        Args:
            program: what to run; it takes its settings from the environment.
        """
        port, log = free_port(), self.folder / "gateway.log"
        environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        environment |= {
            "APP_PORT": str(port),
            "WHATSAPP_SESSION_PATH": str(self.folder / "session"),
            "WHATSAPP_SIMULATOR_URL": self.simulator.url,
            "WIGWAG_MESSAGES_PER_MINUTE": "0",
            "PYTHONPATH": os.pathsep.join(sys.path),
            **self.door.settings,
            **self.extra,
        }
        with log.open("ab") as output:
            command = [sys.executable, str(program), point, str(nth)]
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
            guard.read(log)

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

    def note(self, messages: int) -> None:
        """Make new messages, and ask for none of them yet."""
        for _ in range(messages):
            self._written += 1
            key, to = f"key-{self._written}", self.people[self._written % len(self.people)]
            self.notes.asked[key] = (f"message {self._written}", to)

    def write(self, gateway: Process, messages: int) -> None:
        """Ask for new messages, and again for those without an answer, until all is answered or the gateway died."""
        self.note(messages)
        self.door.ask(gateway, self.notes)

    def die(self, gateway: Process) -> bool:
        """Wait until the gateway has killed itself; False if all was sent before it came to its point."""
        wait(lambda: gateway.popen.poll() is not None or self.idle(gateway))
        return gateway.popen.poll() is not None

    def idle(self, gateway: Process) -> bool:
        """Whether all that was asked for is in the ledger, and nothing is left to do."""
        try:
            stats = gateway.get("/api/messages/stats")
        except httpx.HTTPError:
            return False
        under_way = stats["states"]["accepted"] + stats["states"]["sending"]
        return not under_way and stats["total"] >= len(self.notes.answered)

    def settle(self, gateway: Process) -> Verdict:
        """Wait until all that was asked for is sent or in doubt, and receipts have come. What became of it."""
        with suppress(AssertionError):  # what never comes is lost, and the verdict says so
            wait(lambda: self.idle(gateway), gateway)
        self.simulator.post("/sim/receipts/release", {})
        verdicts: list[Verdict] = []

        def well() -> bool:
            verdicts.append(self.judge(gateway))
            return not verdicts[-1].faults or len(verdicts) > LOOKS

        wait(well, gateway)
        return verdicts[-1]

    def jobs(self, gateway: Process) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        before: Any = None
        while True:
            page = httpx.get(
                f"{gateway.url}/api/messages",
                params={"limit": 500, **({"before": before} if before else {})},
            ).json()
            found += page["messages"]
            before = page["next"]
            if not before:
                return found

    def read(self) -> Counter[tuple[str, str]]:
        """What the contacts have, and how often: text and number."""
        return Counter((line["text"], line["phone"]) for line in self.simulator.get("/sim/inbox?limit=100000"))

    def judge(self, gateway: Process) -> Verdict:
        """Compare what was asked for, what the gateway says, and what the contacts have."""
        jobs = defaultdict[tuple[str, str], list[str]](list)
        for job in self.jobs(gateway):
            state = job["state"] if job["door"] == self.door.name else "from elsewhere"
            jobs[job["content"]["text"], job["to"].partition("@")[0]].append(state)
        read = self.read()
        states = Counter(state for mine in jobs.values() for state in mine)
        verdict = Verdict(states=states, lost=[], doubled=[], lied=[], in_doubt=[], unsettled=[])
        for key, message in self.notes.asked.items():
            times, [state, *more] = read[message], jobs.get(message, ["absent"])
            if times > 1 or more:
                verdict.doubled.append(key)
            if key in self.notes.answered and state not in {*ARRIVED, "unconfirmed", "failed"}:
                verdict.lost.append(key)
            if (state in ARRIVED) is not bool(times) and state != "unconfirmed":
                verdict.lied.append(key)
            if state == "unconfirmed":
                (verdict.unsettled if times else verdict.in_doubt).append(key)
        return verdict


@contextmanager
def world(folder: Path, door: Door | None = None, people: Sequence[str] = PEOPLE) -> Iterator[World]:
    """A world of its own in a folder. Messages come in over REST unless another door is given."""
    with wigwag("simulate", log=folder / "simulator.log") as simulator:
        yield World(folder, simulator, door or RestDoor(), people)


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


def kill_somewhen(here: World, seconds: float, messages: int = 10) -> None:
    """One life of the gateway under load that ends after so many seconds of work, wherever it is then."""
    with here.gateway() as gateway:
        end = Timer(seconds, gateway.popen.kill)
        end.start()
        here.write(gateway, messages)
        while here.door.name == "rest" and gateway.popen.poll() is None:  # a queue holds enough by then
            here.write(gateway, messages)
        end.join()

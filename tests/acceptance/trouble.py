# SPDX-License-Identifier: Apache-2.0
"""What a gateway needs goes away under load and comes back: the broker, the link, the database. Then all is judged.

Strikes return when the trouble is over. Meanwhile somebody publishes, and somebody asks the API all the time.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Thread

import httpx

from tests.acceptance.doors import QueueDoor
from tests.acceptance.kills import Verdict, World
from tests.acceptance.processes import PATIENCE, Process, wait
from tests.acceptance.relay import Relay
from tests.servers import Instance

BEFORE, IN_FLIGHT = 50, 150  # messages that are read, and published and not read, before it strikes
AFTERWARDS = 50  # more messages, published when it is over
AT_ONCE = 100  # messages in one go
ASKED = ("/livez", "/api/messages/stats", "/metrics")
HANGS = 10.0  # seconds without an answer
PAUSE = 0.1  # seconds between questions, and between attempts to publish

Strike = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was seen. Seconds count from the return of what was away; None: it never came to that."""

    verdict: Verdict
    in_flight: int  # published or accepted and not read, when it struck
    accepted_again: float | None
    sent_again: float | None
    slowest_answer: float
    silent: list[str]  # paths of the API that did not answer


@dataclass(slots=True)
class Watch:
    """Asks the API all the time, and notes how it answers."""

    url: str
    slowest: float = 0.0
    silent: list[str] = field(default_factory=list)
    _over: Event = field(default_factory=Event)

    @contextmanager
    def watching(self) -> Iterator["Watch"]:
        thread = Thread(target=self._ask, name="watch")
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()

    def _ask(self) -> None:
        with httpx.Client(base_url=self.url, timeout=HANGS) as client:
            while not self._over.wait(PAUSE):
                for path in ASKED:
                    began = time.monotonic()
                    try:
                        client.get(path)
                    except httpx.HTTPError:
                        self.silent.append(path)
                    self.slowest = max(self.slowest, time.monotonic() - began)


def trouble(here: World, gateway: Process, strike: Strike, messages: int) -> Outcome:
    """Publish so many messages, let it strike in the middle, and wait for the end."""
    assert isinstance(here.door, QueueDoor)
    here.note(messages)
    with Watch(gateway.url).watching() as watch:
        with _publishing(here, here.door):
            wait(lambda: BEFORE <= _count(here) <= len(here.notes.answered) - IN_FLIGHT, gateway)
            in_flight = len(here.notes.answered) - _count(here)
            strike()
            back = time.time()
        here.note(AFTERWARDS)  # all others may have been taken in before, and sent meanwhile
        with _publishing(here, here.door):
            pass
        verdict = here.settle(gateway)
    return Outcome(
        verdict=verdict,
        in_flight=in_flight,
        accepted_again=_first(back, [job["created_at"] for job in here.jobs(gateway)]),
        sent_again=_first(back, [line["at"] for line in here.simulator.get("/sim/inbox?limit=100000")]),
        slowest_answer=watch.slowest,
        silent=watch.silent,
    )


@contextmanager
def _publishing(here: World, door: QueueDoor) -> Iterator[None]:
    """Publish in the background, and again what was not confirmed, until all is."""
    given_up = Event()

    def publish() -> None:
        while door.open(here.notes) and not given_up.wait(PAUSE):
            asyncio.run(door.publish(here.notes, AT_ONCE))

    thread = Thread(target=publish, name="publish")
    thread.start()
    try:
        yield
        thread.join(PATIENCE)
    finally:
        given_up.set()
        thread.join()


def _count(here: World) -> int:
    return int(here.simulator.get("/sim/counts")["messages"])


def _first(back: float, instants: list[str]) -> float | None:
    after = [at - back for at in (datetime.fromisoformat(instant).timestamp() for instant in instants) if at >= back]
    return min(after, default=None)


# --- strikes


def settled(gateway: Process, rabbit: Instance) -> None:
    """Let the broker write down its young queues, by a stop: after a kill it would not find them."""
    wait(lambda: ready(gateway), gateway)
    rabbit.stop()
    rabbit.launch()
    rabbit.wait_until_ready()
    wait(lambda: ready(gateway), gateway)


def ready(gateway: Process) -> bool:
    """Whether link, database and broker are all there."""
    return httpx.get(f"{gateway.url}/readyz").status_code == httpx.codes.OK


def broker_killed(rabbit: Instance) -> Strike:
    """SIGKILL of the broker, and a new start."""

    def strike() -> None:
        rabbit.kill()
        rabbit.launch()
        rabbit.wait_until_ready()

    return strike


def link_cut(relay: Relay, seconds: float) -> Strike:
    """The line to WhatsApp is cut, and refused for some seconds."""

    def strike() -> None:
        relay.shut()
        Event().wait(seconds)
        relay.open()

    return strike


def database_locked(here: World, seconds: float) -> Strike:
    """Another program has the database for itself for some seconds."""

    def strike() -> None:
        path = here.folder / "session" / "wigwag.db"
        with closing(sqlite3.connect(path, isolation_level=None, timeout=60.0)) as other:
            other.execute("BEGIN EXCLUSIVE")
            Event().wait(seconds)
            other.execute("ROLLBACK")

    return strike

# SPDX-License-Identifier: Apache-2.0
"""How fast envelopes become sent messages, beside whatsmeow alone in the same run.

    python bench/send.py [MESSAGES] [ROUNDS]

A round has a broker, a simulator and a gateway as processes of their own: SQLite, no pacing, a prefetch of 50, receipts
held back, 64 recipients. The envelopes (1,500) wait in the queue when the gateway starts. Afterwards a bare client of
neonize sends as many texts one after the other through the same simulator: as plain as can be, then as wigwag has it
(with the secret in every message, a journal that is emptied, and no debug lines), and with secrets over a session file
in WAL mode, which shows what the disk's part is. Printed are medians of three rounds; the first messages do not count.
The ceiling is whatsmeow where messages wait for it all the time.
"""

import asyncio
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import servers
from tests.acceptance.doors import QueueDoor
from tests.acceptance.kills import World, world
from tests.acceptance.processes import wait
from wigwag.app.core import Outside
from wigwag.compose import run
from wigwag.config import Settings

WARM = 200  # messages that do not count
PEOPLE = [f"1555011{number:04}" for number in range(64)]
BARE_PHONE = "15550002222"
PLAIN, OURS, WAL = "plain", "as wigwag has it", "with secrets and a WAL file"
LOOK_EVERY, PATIENCE = 0.5, 300.0  # seconds
TICKS = os.sysconf("SC_CLK_TCK")


# --- a gateway that says what it waits for


class Busy:
    """For how long at least one call was under way, in seconds."""

    def __init__(self, inner: Any, names: set[str]) -> None:
        self._inner, self._names = inner, names
        self.calls, self._since, self._total = 0, 0.0, 0.0

    @property
    def total(self) -> float:
        return self._total + (time.monotonic() - self._since if self.calls else 0.0)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._timed(found) if name in self._names else found

    def _timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def timed(*arguments: Any, **options: Any) -> Any:
            if not self.calls:
                self._since = time.monotonic()
            self.calls += 1
            try:
                return await call(*arguments, **options)
            finally:
                self.calls -= 1
                if not self.calls:
                    self._total += time.monotonic() - self._since

        return timed


async def gateway() -> None:
    """Run a gateway that tells twice a second how long it was busy with WhatsApp and the ledger, and how much waits."""
    busy: list[Busy] = []

    def around(outside: Outside) -> Outside:
        courier, ledger = outside.mail.courier, outside.mail.ledger
        busy[:] = [Busy(courier, {"send"}), Busy(ledger, {"accept", "advance", "due", "next_due"})]
        return replace(outside, mail=replace(outside.mail, courier=busy[0], ledger=busy[1]))

    async def tell() -> None:
        while True:
            await asyncio.sleep(0.5)
            print("busy", time.time(), *(each.total for each in busy), *(each.calls for each in busy[:1]), flush=True)

    telling = asyncio.create_task(tell(), name="tell")
    await run(Settings(), around=around)  # type: ignore[call-arg]  # all comes from the environment
    telling.cancel()


# --- a client with nothing around it


def bare(url: str, folder: str, messages: int, way: str) -> None:
    """Pair, and send texts one after the other. Prints how many went out in a second, and what one cost."""
    import httpx  # noqa: PLC0415  this process loads neonize, and the others must not
    from neonize.client import NewClient  # noqa: PLC0415
    from neonize.events import ConnectedEv  # noqa: PLC0415
    from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, MessageContextInfo  # noqa: PLC0415
    from neonize.utils import build_jid  # noqa: PLC0415

    from wigwag.adapters.whatsapp.session import OPTIONS  # noqa: PLC0415
    from wigwag.adapters.whatsapp.simulator import attach  # noqa: PLC0415
    from wigwag.compose.parts import trust  # noqa: PLC0415

    attach(url, *asyncio.run(trust(url)))
    if way == WAL:
        with closing(sqlite3.connect(f"{folder}/bare.db")) as database:
            database.execute("PRAGMA journal_mode=WAL")
    if way == OURS:
        logging.getLogger("neonize.utils.log").setLevel(logging.INFO)
    client, connected = NewClient(f"{folder}/bare.db{OPTIONS if way == OURS else ''}", uuid="bare"), Event()
    client.qr(lambda _client, code: httpx.post(f"{url}/sim/scan", json={"qr": code.decode(), "phone": BARE_PHONE}))
    client.event(ConnectedEv)(lambda _client, _event: connected.set())
    Thread(target=client.connect, daemon=True).start()
    assert connected.wait(30)
    time.sleep(2)  # it sends its keys now
    for number in range(WARM + messages):
        if number == WARM:
            began, cost = time.monotonic(), time.process_time()
        message = Message(conversation=f"message {number}")
        if way != PLAIN:
            message.messageContextInfo.MergeFrom(MessageContextInfo(messageSecret=os.urandom(32)))
        client.send_message(build_jid(PEOPLE[number % len(PEOPLE)]), message)
    took, cost = time.monotonic() - began, time.process_time() - cost
    print(messages / took, cost / messages, flush=True)
    os._exit(0)  # neonize's threads never end


# --- the measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Messages a second; CPU seconds a message by process; which part of the time somebody was waited for.

    Args:
        waiting: messages that were with WhatsApp, or waited for that.
    """

    rate: float
    cpu: dict[str, float]
    with_whatsapp: float
    with_ledger: float
    waiting: float
    bare: dict[str, float]
    bare_cpu: float


def cpu(pid: int, thread: int | None = None) -> float:
    """CPU seconds of a process, or of one of its threads, so far."""
    fields = Path(f"/proc/{pid}/{f'task/{thread}/' if thread else ''}stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def one_round(messages: int) -> Round:
    with tempfile.TemporaryDirectory(prefix="wigwag-send-") as folder, servers.private(servers.RABBITMQ) as rabbit:
        door = QueueDoor(rabbit.url, prefetch=50)
        with world(Path(folder), door, PEOPLE) as here:
            with here.gateway():
                pass  # pairs, and declares the queue
            here.note(WARM + messages)
            wait(lambda: asyncio.run(door.publish(here.notes, 1000)) and not here.notes.open)
            with here.gateway("gateway", program=Path(__file__).resolve()) as process:
                pids = {"gateway": process.popen.pid, "simulator": here.simulator.popen.pid, "broker": rabbit.pid}
                _await(here, WARM)
                began, costs, first = time.time(), _costs(pids), _sent(here)
                _await(here, WARM + messages)
                ended, sent = time.time(), _sent(here) - first
                spent = {name: (cost - costs[name]) / sent for name, cost in _costs(pids).items()}
            with_whatsapp, with_ledger, waiting = _busy(here.folder / "gateway.log", began, ended)
            rate = _rate(here, messages)
            alone = {way: _bare(here, messages, way) for way in (PLAIN, OURS, WAL)}
    return Round(
        rate=rate,
        cpu=spent,
        with_whatsapp=with_whatsapp,
        with_ledger=with_ledger,
        waiting=waiting,
        bare={way: rate for way, (rate, _cost) in alone.items()},
        bare_cpu=alone[OURS][1],
    )


def _await(here: World, count: int) -> None:
    """Look rarely: to look costs the simulator time, and nobody looks while the bare client sends."""
    for _ in range(int(PATIENCE / LOOK_EVERY)):
        if _sent(here) >= count:
            return
        time.sleep(LOOK_EVERY)
    raise SystemExit(f"{count} messages were not sent in {PATIENCE:.0f} s: see {here.folder / 'gateway.log'}")


def _rate(here: World, messages: int) -> float:
    """Messages a second, by the times at which the contacts read them."""
    times = sorted(datetime.fromisoformat(line["at"]) for line in here.simulator.get("/sim/inbox?limit=100000"))
    return messages / (times[WARM + messages - 1] - times[WARM - 1]).total_seconds()


def _sent(here: World) -> int:
    return int(here.simulator.get("/sim/counts")["messages"])


def _costs(pids: dict[str, int]) -> dict[str, float]:
    """CPU seconds so far, by process; also of the gateway's first thread, where its event loop runs."""
    loop = pids["gateway"]
    return {**{name: cpu(pid) for name, pid in pids.items()}, "of it its event loop": cpu(loop, loop)}


def _busy(log: Path, began: float, ended: float) -> tuple[float, float, float]:
    """Which part of the time the gateway was busy with WhatsApp, and with the ledger; how many waited for WhatsApp."""
    lines = [line.split()[1:] for line in log.read_text(errors="replace").splitlines() if line.startswith("busy ")]
    rows = [row for row in (list(map(float, line)) for line in lines) if began <= row[0] <= ended]
    (start, *first, _), (end, *last, _) = rows[0], rows[-1]
    whatsapp, ledger = ((after - before) / (end - start) for before, after in zip(first, last, strict=True))
    return whatsapp, ledger, median(row[-1] for row in rows)


def _bare(here: World, messages: int, way: str) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(dir=here.folder) as folder:
        command = [sys.executable, __file__, "bare", here.simulator.url, folder, str(messages), way]
        told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout
    rate, cost = told.split()[-2:]
    return float(rate), float(cost)


def report(rounds: list[Round]) -> None:
    def middle(what: Callable[[Round], float]) -> float:
        return median(map(what, rounds))

    each = ", ".join(f"{one.rate:.0f}" for one in rounds)
    print(f"RabbitMQ to sent: {middle(lambda one: one.rate):.0f} messages/s ({each})")
    for way in rounds[0].bare:
        alone, ratio = median(one.bare[way] for one in rounds), median(one.rate / one.bare[way] for one in rounds)
        print(f"whatsmeow alone, {way}: {alone:.0f} messages/s; RabbitMQ to sent is {ratio:.2f} of that")
    costs = {name: median(one.cpu[name] for one in rounds) for name in rounds[0].cpu}
    costs["bare client"] = middle(lambda one: one.bare_cpu)
    print("CPU a message:", ", ".join(f"{name} {1000 * cost:.2f} ms" for name, cost in costs.items()))
    whatsapp, ledger = middle(lambda one: one.with_whatsapp), middle(lambda one: one.with_ledger)
    waiting = middle(lambda one: one.waiting)
    print(f"a message is with WhatsApp {whatsapp:.0%} of the time, {waiting:.0f} are there or wait for that")
    print(f"the ledger is at work {ledger:.0%} of the time")


def main() -> int:
    messages, count = (int(given) for given in (*sys.argv[1:], *("1500", "3")[len(sys.argv) - 1 :]))
    report([one_round(messages) for _ in range(count)])
    return 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["gateway", _]:
            uvloop.run(gateway())  # as `wigwag serve` does
        case ["bare", url, folder, messages, way]:
            bare(url, folder, int(messages), way)
        case _:
            sys.exit(main())

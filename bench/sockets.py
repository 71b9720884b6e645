# SPDX-License-Identifier: Apache-2.0
"""Presence of users over Socket.IO: our gateway beside two Node programs, in the same run.

    python bench/sockets.py [--rounds 3] [--only star,ring,vanish,idle] [--idle SECONDS]

Ours is `wigwag serve` with users in SQLite; `seed` is Node as seed 004 writes it, and `broadcast` the better Node
program, which is the one to compare with. They take turns on one core, and the client (`bench/socketio/load.c`) has the
other. Every user says who they are, asks for presence and answers pings; every contact must hear every change, once and
in order.

    star    one user with 1,000 contacts: connecting, one change at a time, eight under way
    ring    1,000 users with 20 contacts each, 64 users change at once
    vanish  5,000 connections of a star break without a word, until a contact has heard of all and all is written; not
            counting what the server takes when it has no connections
    idle    10,000 connections that do nothing but answer pings; only ours, for 20 seconds if nothing else is said

Needs a C compiler, Node 20 and npm. The gateway refuses what is over its limits, as it always does: so one user makes
36 changes at most, and rests before the next.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.acceptance.processes import Process, answers, free_port, wait
from wigwag.adapters.storage.stores import open_stores
from wigwag.app.ports import User

HERE = Path(__file__).parent / "socketio"
OURS, SEED, BROADCAST = "wigwag", "seed", "broadcast"
STAR, RING = 0, 20  # contacts, as the load client takes them
TICKS, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
FULL_BUCKET = 5.0  # seconds after which a user may change 40 times at once again
SAVED = 6.0  # seconds after which what was last seen is in the database
AT_REST = 4.0  # seconds in which is measured what a server takes for nothing
AT_ONCE = 64  # connections that are being made
FANOUT, MEMORY, FAREWELL = 0.9, 45.0, 200.0  # targets: of `broadcast`; KiB a connection; microseconds a connection


# --- processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that answers, and what it takes."""

    port: int
    pid: int

    def cpu(self) -> float:
        """Seconds so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> int:
        """Bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE


class Client:
    """The load client: a command in, what came of it out. Whatever it lost or should not have heard is an error."""

    def __init__(self, popen: "subprocess.Popen[str]") -> None:
        self._popen = popen

    def do(self, command: str) -> dict[str, float]:
        assert self._popen.stdin
        assert self._popen.stdout
        self._popen.stdin.write(f"{command}\n")
        self._popen.stdin.flush()
        told: dict[str, float] = json.loads(self._popen.stdout.readline() or "null") or {"lost": -1}
        if told["lost"] or told["bad"]:
            raise SystemExit(f"{command}: {told}")
        return told


def on_core(number: int, *command: str) -> list[str]:
    return ["taskset", "--cpu-list", str(number), *command] if (os.cpu_count() or 1) > 1 else list(command)


@contextmanager
def running(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[str]"]:
    popen = subprocess.Popen(command, text=True, **options)
    try:
        yield popen
    finally:
        popen.kill()
        popen.wait()


class Bench:
    """What is prepared once: the client, and a database of users for each graph."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._load = folder / "load"
        compile_it = ["cc", "-O2", "-o", str(self._load), str(HERE / "load.c")]
        subprocess.run(compile_it, check=True)
        subprocess.run(["npm", "ci", "--silent"], cwd=HERE, check=True)

    @contextmanager
    def loaded(self, name: str, users: int, contacts: int) -> Iterator[tuple[Server, Client]]:
        """A server, and a client that has not connected yet."""
        start = self._gateway if name == OURS else self._node
        with start(name, users, contacts) as server:
            command = on_core(1, str(self._load), str(server.port), str(users), str(contacts))
            with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as popen:
                yield server, Client(popen)

    @contextmanager
    def _node(self, name: str, users: int, contacts: int) -> Iterator[Server]:
        port = free_port()
        command = on_core(0, "node", "reference.cjs", str(port), name, str(users), str(contacts))
        with running(command, cwd=HERE, stdout=subprocess.PIPE) as popen:
            assert popen.stdout
            popen.stdout.readline()
            yield Server(port=port, pid=popen.pid)

    @contextmanager
    def _gateway(self, _name: str, users: int, contacts: int) -> Iterator[Server]:
        port, data, log = free_port(), self._folder / "data", self._folder / "gateway.log"
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(self._people(users, contacts), data)
        environment = os.environ | {"WIGWAG_REALTIME_AUTH": "trusted"}
        command = on_core(0, sys.executable, "-m", "wigwag", "serve", "--data", str(data), "--port", str(port))
        with log.open("w") as output, running(command, env=environment, stdout=output, stderr=output) as popen:
            process = Process(url=f"http://127.0.0.1:{port}", log=log, popen=popen)  # type: ignore[arg-type]  # text
            wait(lambda: answers(process), process)
            yield Server(port=port, pid=popen.pid)

    def _people(self, users: int, contacts: int) -> Path:
        data = self._folder / f"people-{users}-{contacts}"
        if not data.exists():
            data.mkdir()
            asyncio.run(_settle(data, users, contacts))
        return data


async def _settle(data: Path, users: int, contacts: int) -> None:
    """Users and their contacts, as a host application would have told us."""
    stores = await open_stores(f"sqlite:///{data}/wigwag.db")
    try:
        await stores.users.put([User(id=user) for user in range(users)])
        if contacts == STAR:
            await stores.users.add_contacts(0, range(1, users))
        for user in range(users if contacts else 0):
            await stores.users.add_contacts(user, [(user + 1 + step) % users for step in range(contacts // 2)])
    finally:
        await stores.close()


# --- what is measured


def connect(server: Server, client: Client, users: int) -> dict[str, float]:
    before, cost = server.memory(), server.cpu()
    told = client.do(f"open {AT_ONCE}")
    client.do("wait 1")
    return {
        "connects a second": users / told["seconds"],
        "connect, us of CPU": (server.cpu() - cost) / users * 1e6,
        "KiB a connection": (server.memory() - before) / users / 1024,
    }


def toggle(server: Server, client: Client, what: str, changes: int, at_once: int) -> dict[str, float]:
    cost = server.cpu()
    told = client.do(f"toggle {changes} {at_once}")
    return {
        f"{what}: messages a second": told["messages"] / told["seconds"],
        f"{what}: p50, ms": told["p50"],
        f"{what}: p99, ms": told["p99"],
        f"{what}: us of CPU a message": (server.cpu() - cost) / told["messages"] * 1e6,
    }


def star(bench: Bench, name: str) -> dict[str, float]:
    users = 1_001
    with bench.loaded(name, users, STAR) as (server, client):
        found = connect(server, client, users)
        client.do("toggle 30 1")  # a program that compiles itself has the time to
        client.do(f"wait {FULL_BUCKET}")
        found |= toggle(server, client, "one to 1,000", 36, 1)
        client.do(f"wait {FULL_BUCKET}")
        return found | toggle(server, client, "one to 1,000, 8 at once", 36, 8)


def ring(bench: Bench, name: str) -> dict[str, float]:
    with bench.loaded(name, 1_000, RING) as (server, client):
        client.do(f"open {AT_ONCE}")
        client.do("toggle 1000 64")
        found = toggle(server, client, "one to 20", 300, 1)
        return found | toggle(server, client, "one to 20, 64 at once", 3_000, 64)


def vanish(bench: Bench, name: str) -> dict[str, float]:
    users = 5_001
    with bench.loaded(name, users, STAR) as (server, client):
        found = {f"{what}, 5,000": figure for what, figure in connect(server, client, users).items()}
        found |= toggle(server, client, "one to 5,000, 4 at once", 20, 4)
        client.do("wait 6" if name == OURS else "wait 1")  # what connecting left to write is written
        cost, began = server.cpu(), time.monotonic()
        client.do("vanish")
        told = client.do(f"offline {users - 1} 60")
        if told["offline"] < users - 1:
            raise SystemExit(f"{name}: only {told['offline']} were told to be offline")
        client.do(f"wait {SAVED}" if name == OURS else "wait 1")
        cost, took = server.cpu() - cost, time.monotonic() - began
        return found | {
            "a vanished connection, us of CPU": (cost - took * _at_rest(server, client)) / (users - 1) * 1e6
        }


def _at_rest(server: Server, client: Client) -> float:
    """What a server without connections takes of a core."""
    cost = server.cpu()
    client.do(f"wait {AT_REST}")
    return (server.cpu() - cost) / AT_REST


def idle(bench: Bench, seconds: float) -> bool:
    """Hold connections that do nothing. The client gives up with the first that is lost."""
    users = 10_000
    with bench.loaded(OURS, users, RING) as (server, client):
        found = connect(server, client, users)
        client.do("wait 12")  # everybody was pinged once, and all is written
        cost, began = server.cpu(), time.monotonic()
        client.do(f"wait {seconds}")
        took = time.monotonic() - began
        busy, memory = (server.cpu() - cost) / took, server.memory() / (1 << 20)
    print(f"idle: {users} connections for {took:.0f} s, none lost; {busy:.1%} of a core, {memory:.0f} MiB in all")
    print(f"      {found['KiB a connection']:.1f} KiB a connection (target {MEMORY:.0f})")
    return found["KiB a connection"] <= MEMORY


# --- the figures


def report(rounds: dict[str, dict[str, list[float]]]) -> bool:
    """Print medians, and the medians of the rounds' ratios. Returns whether all is well."""
    print(f"{'':48}{OURS:>10}{BROADCAST:>11}{SEED:>10}{'x ' + BROADCAST:>13}{'x ' + SEED:>9}")
    for what, ours in rounds[OURS].items():
        references = [rounds[name][what] for name in (BROADCAST, SEED)]
        figures = [median(ours), *map(median, references)]
        ratios = [median(a / b for a, b in zip(ours, reference, strict=True)) for reference in references]
        print(f"{what:48}{_short(figures[0]):>10}{_short(figures[1]):>11}{_short(figures[2]):>10}", end="")
        print(f"{ratios[0]:13.2f}{ratios[1]:9.2f}")
    return not list(_missed(rounds))


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.2f}"


def _missed(rounds: dict[str, dict[str, list[float]]]) -> Iterator[str]:
    ours = {what: median(found) for what, found in rounds[OURS].items()}
    theirs = {what: median(found) for what, found in rounds[BROADCAST].items()}
    for what, figure in ours.items():
        missed = (
            (what.startswith("one to 1,000") and what.endswith("a second") and figure < FANOUT * theirs[what])
            or (what.startswith("KiB") and figure > MEMORY)
            or (what.startswith("a vanished") and figure > FAREWELL)
        )
        if missed:
            print(f"missed: {what}")
            yield what


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="star,ring,vanish,idle")
    parser.add_argument("--idle", type=float, default=20.0, metavar="SECONDS")
    given = parser.parse_args()
    measures: dict[str, Callable[[Bench, str], dict[str, float]]] = {"star": star, "ring": ring, "vanish": vanish}
    chosen = given.only.split(",")
    rounds: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in (OURS, BROADCAST, SEED)}
    with tempfile.TemporaryDirectory(prefix="wigwag-sockets-") as folder:
        bench = Bench(Path(folder))
        for number in range(given.rounds):
            print(f"round {number + 1} of {given.rounds}", file=sys.stderr)
            for measure in (measure for name, measure in measures.items() if name in chosen):
                for name, found in rounds.items():
                    for what, figure in measure(bench, name).items():
                        found[what].append(figure)
        well = not rounds[OURS] or report(rounds)
        if "idle" in chosen:
            well = idle(bench, given.idle) and well
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())

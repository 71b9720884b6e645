# SPDX-License-Identifier: Apache-2.0
"""The console under load: 10,000 contacts and 500 changes a second in one process, Chromium in front of it.

    python bench/console.py [--minutes 10]

Frames are counted by the page itself (requestAnimationFrame) while it is left alone, scrolled and typed into. Headless
Chromium paints with the processor, and a busy machine has none left: so a plain page of as many lines, where nothing
happens, is scrolled first, and what the main thread spends on a frame is told, which is ours. The heap is weighed after
a collection. Beside the page, somebody follows the stream and never reads. Then it is `wigwag demo`'s turn: how soon
the first contact is seen, and how long a click in the simulator takes to be seen.

Needs Debian's chromium and the built console (`make servers console`).
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import linear_regression, median
from typing import Any

import httpx
import uvicorn
from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from wigwag.adapters import console
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.rest import Stream, build_app
from wigwag.cli.demo_world import CAST
from wigwag.domain.history import Batch, Interval, Kind
from wigwag.domain.ids import Jid
from wigwag.domain.pacing import Pace
from wigwag.domain.presence import Status
from wigwag.testing import FakeClock, Trial, build_trial, running

CONTACTS, RATE = 10_000, 500
TURN = 0.02  # seconds between two handfuls of changes
STAYS, LONGEST, DAY = 12, 3_000.0, 86_400.0  # times that each contact was online; seconds
FRAMES, LATE, ENOUGH = 60.0, 1000 / 60 * 1.5, 0.98  # a second; ms of one that came late; of the frames there can be
PAINT, SEEN, SCRIPTS, GROWTH = 1000.0, 1000.0, 180.0, 1.0  # ms, ms, KiB, MiB in ten minutes
WEIGH_EVERY = 30.0  # seconds
LOADS, CLICKS = 5, 10
QUIETLY = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--lang=en-GB"),
)
BUILT = Path(console.__file__).parent / "built"
WATCH_FRAMES = """() => {
    const frames = window.frames_ = { deltas: [], long: [] }
    let before = performance.now()
    const next = now => { frames.deltas.push(now - before); before = now; frames.id = requestAnimationFrame(next) }
    frames.id = requestAnimationFrame(now => { before = now; frames.id = requestAnimationFrame(next) })
    frames.observer = new PerformanceObserver(list => frames.long.push(...list.getEntries().map(e => e.duration)))
    frames.observer.observe({ type: 'longtask' })
}"""
FRAMES_SEEN = """() => {
    const { id, observer, deltas, long } = window.frames_
    cancelAnimationFrame(id)
    observer.disconnect()
    return { deltas, long }
}"""
PAINTED = """() => new Promise(done => {
    const look = () => document.querySelector('[role=listitem]')
        ? requestAnimationFrame(() => setTimeout(() => done(performance.now())))
        : requestAnimationFrame(look)
    look()
})"""
CLICK = """async ([phone, online]) => {
    const line = document.querySelector('[role=listitem]')
    const state = online ? 'online' : 'offline'
    const began = performance.now()
    const seen = new Promise(done => {
        const there = () => line.classList.contains(state)
        const look = () => there() ? done(performance.now() - began) : requestAnimationFrame(look)
        look()
    })
    const headers = { 'Content-Type': 'application/json', 'X-Wigwag-Request': 'console' }
    const asked = { method: 'POST', headers, body: JSON.stringify({ online }) }
    const answer = await fetch(`/sim/contacts/${phone}/presence`, asked)
    if (!answer.ok) throw new Error(await answer.text())
    return await seen
}"""


# --- the gateway


class LiveClock(SystemClock, FakeClock):
    """Real time, for a trial."""


async def populate(trial: Trial, jids: Sequence[Jid]) -> None:
    """Contacts who are observed, with a day behind them."""
    chance, now, stays = Random(7), trial.clock.now(), list[Interval]()
    for jid in jids:
        starts = [*sorted(now - chance.random() * DAY for _ in range(STAYS)), now]
        for start, after in pairwise(starts):
            end = min(start + chance.random() * LONGEST, after)
            stays.append(Interval(jid=jid, kind=Kind.ONLINE, start=start, end=end))
        stays.append(Interval(jid=jid, kind=Kind.OBSERVED, start=now - DAY / 2, end=now))
    await trial.stores.presence.save(Batch(presences=[], intervals=stays, alive_at=now))
    await trial.core.gateway.track([(jid, f"Contact {index} of many") for index, jid in enumerate(jids)])
    while trial.core.gateway.presence_counts().observed < len(jids):  # noqa: ASYNC110  it is not worth a sink
        await asyncio.sleep(0.1)


async def feed(trial: Trial, jids: Sequence[Jid]) -> None:
    """Let contacts come and go, evenly in time and at random among them."""
    chance, book, due = Random(8), trial.core.book, time.monotonic()
    while True:
        for jid in chance.choices(jids, k=round(RATE * TURN)):
            known = book.get(jid)
            trial.whatsapp.tell_presence(jid, online=known is not None and known.status is not Status.ONLINE)
        trial.facts.facts.clear()
        due += TURN
        await asyncio.sleep(max(0.0, due - time.monotonic()))


async def gateway() -> None:
    """The server's process: says its port on a line, then works until it is ended."""
    trial = build_trial(clock=LiveClock(), pace=Pace(batch=1000, gap=0.0, rest=0.0))
    jids = [Jid(f"{919_000_000_000 + index}@s.whatsapp.net") for index in range(CONTACTS)]
    stream = Stream(trial.core.gateway, trial.clock)
    trial.core.fanout.add("events", stream.sink)

    async def ready() -> list[Any]:
        return []

    app = build_app(
        trial.core.gateway,
        access=trial.core.access,
        clock=trial.clock,
        exposition=lambda _accept: None,  # type: ignore[arg-type,return-value]  # nobody scrapes
        observe=lambda route, _method, _status, seconds: stream.figures.observe_request(route, seconds),
        ready=ready,
        version="bench",
        stream=stream,
    )
    async with running(trial), asyncio.TaskGroup() as tasks:
        await trial.connect()
        await populate(trial, jids)
        tasks.create_task(stream.run(), name="figures")
        server = uvicorn.Server(
            uvicorn.Config(
                console.mounted(console.Files(), app), port=0, log_level="error", timeout_graceful_shutdown=1
            )
        )
        tasks.create_task(server.serve(), name="http")
        while not server.started:  # noqa: ASYNC110  uvicorn offers nothing to wait for
            await asyncio.sleep(0.01)
        print(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", flush=True)
        await feed(trial, jids)


# --- the page


@contextmanager
def process(*arguments: str, output: Any = subprocess.PIPE) -> Iterator["subprocess.Popen[bytes]"]:
    started = subprocess.Popen([sys.executable, *arguments], stdout=output)
    try:
        yield started
    finally:
        started.terminate()
        started.wait()


def metrics(devtools: CDPSession) -> dict[str, float]:
    return {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}


def weigh(devtools: CDPSession) -> tuple[float, int]:
    """MiB of the page's heap, and nodes of its document, after a collection."""
    devtools.send("HeapProfiler.collectGarbage")
    found = metrics(devtools)
    return found["JSHeapUsedSize"] / (1 << 20), int(found["Nodes"])


def idle(page: Page, seconds: float) -> None:
    page.wait_for_timeout(seconds * 1000)


def scroll(page: Page, seconds: float) -> None:
    """Turn the wheel as a hand does, down for the first half and up again."""
    page.mouse.move(700, 600)
    began = time.monotonic()
    while (spent := time.monotonic() - began) < seconds:
        page.mouse.wheel(0, 120 if spent < seconds / 2 else -120)
        page.wait_for_timeout(16)


def search(page: Page, seconds: float) -> None:
    """Type a fast writer's letters and take them back."""
    box, began = page.get_by_role("searchbox"), time.monotonic()
    box.focus()
    while time.monotonic() - began < seconds:
        page.keyboard.type("contact 12", delay=90)
        for _ in "contact 12":
            page.keyboard.press("Backspace", delay=40)


def processor() -> dict[str, float]:
    """Seconds that each kind of this program's processes has worked."""
    found: dict[str, float] = {}
    ours, ticks = {os.getpid()}, os.sysconf("SC_CLK_TCK")
    for path in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):  # children come after parents
        with suppress(OSError):  # it has ended
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) not in ours:
                continue
            ours.add(int(path.name))
            line = (path / "cmdline").read_text().replace("\0", " ").split()
            kind = next((part[7:] for part in line if part.startswith("--type=")), "")
            kind = "gateway" if "--serve" in line else kind or "others"
            found[kind] = found.get(kind, 0.0) + (int(fields[11]) + int(fields[12])) / ticks
    return found


def measure(page: Page, devtools: CDPSession, title: str, act: Any, seconds: float) -> float:
    """Count frames a second while something is done."""
    before, worked = metrics(devtools), processor()
    page.evaluate(WATCH_FRAMES)
    act(page, seconds)
    seen = page.evaluate(FRAMES_SEEN)
    after, cost = metrics(devtools), processor()
    deltas = sorted(seen["deltas"])
    total, count = sum(deltas), len(deltas)
    rate, late = count * 1000 / total, sum(delta > LATE for delta in deltas)
    spent = {
        name: (after[f"{name}Duration"] - before[f"{name}Duration"]) * 1000 / count
        for name in ("Task", "Script", "RecalcStyle", "Layout")
    }
    print(
        f"{title:8} {rate:5.1f} frames a second ({rate / FRAMES:.2f}); p50 {deltas[count // 2]:.1f}, "
        f"p95 {deltas[int(count * 0.95)]:.1f}, p99 {deltas[int(count * 0.99)]:.1f}, worst {deltas[-1]:.0f} ms; "
        f"late {late / count:.1%}; {len(seen['long'])} long tasks, worst {max(seen['long'], default=0):.0f} ms"
    )
    print(f"{'':8} ms of the main thread a frame: ", end="")
    print(", ".join(f"{name.lower()} {value:.2f}" for name, value in spent.items()), end="; cores: ")
    shares = ((kind, (cost[kind] - worked.get(kind, 0.0)) * 1000 / total) for kind in cost)
    print(", ".join(f"{kind} {share:.0%}" for kind, share in shares if share > 0.005))
    return float(rate)


def flat(page: Page, devtools: CDPSession, minutes: float) -> bool:
    """Whether the heap stays as it is. The first half minute does not count: what is kept fills up."""
    began, points = time.monotonic(), list[tuple[float, float]]()
    every = min(WEIGH_EVERY, minutes * 60 / 6)
    while (at := time.monotonic() - began) < minutes * 60 + every / 2:
        heap, nodes = weigh(devtools)
        points.append((at / 60, heap))
        print(f"memory   after {at:4.0f} s: {heap:.1f} MiB, {nodes} nodes", flush=True)
        page.mouse.wheel(0, 900 if len(points) % 4 < 2 else -900)
        page.wait_for_timeout(every * 1000)
    settled = points[len(points) // 4 :]
    slope = linear_regression(*zip(*settled, strict=True)).slope * 10
    print(f"memory   {slope:+.2f} MiB in ten minutes (target {GROWTH:+.0f})")
    return minutes < 2 or slope <= GROWTH  # in less time it is chance


def plain(chromium: Browser, seconds: float) -> float:
    """The frames a second of a page without scripts that is scrolled."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_content(
        "".join(f"<p style='height: 48px; margin: 0'>Contact {each} of many</p>" for each in range(CONTACTS))
    )
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "timeTicks"})
    rate = measure(page, devtools, "plain", scroll, seconds)
    context.close()
    return rate


def crowd(chromium: Browser, minutes: float, seconds: float) -> bool:
    possible = plain(chromium, seconds)
    with process(__file__, "--serve") as server:
        assert server.stdout is not None
        url = server.stdout.readline().decode().strip()
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        page = context.new_page()
        page.goto(url)
        page.locator("[role=listitem]").first.wait_for()
        stuck = neglect(url)
        devtools = context.new_cdp_session(page)
        devtools.send("Performance.enable", {"timeDomain": "timeTicks"})
        idle(page, 3)
        acts = {"alone": idle, "scrolled": scroll, "typed": search}
        rates = [measure(page, devtools, title, act, seconds) for title, act in acts.items()]
        well = [rate >= ENOUGH * min(possible, FRAMES) for rate in rates]
        page.get_by_role("searchbox").fill("")
        begun = httpx.get(f"{url}/api/system").json()["samples"][-10:]
        print(f"events   {sum(each['presence_changes'] for each in begun) / len(begun):.0f} a second (wanted {RATE})")
        well.append(flat(page, devtools, minutes))
        clients = httpx.get(f"{url}/api/system").json()["samples"][-1]["clients"]
        print(f"stream   {clients} client, while one that does not read still holds its socket (target 1)")
        well.append(clients == 1)
        stuck.close()
        context.close()
    return all(well)


def neglect(url: str) -> socket.socket:
    """Follow the stream too, and never read."""
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", int(url.rpartition(":")[2])))
    stuck.sendall(b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return stuck


# --- the demo


def demo(chromium: Browser) -> bool:
    with tempfile.TemporaryDirectory(prefix="wigwag-bench-") as home, Path(home, "out").open("wb") as output:
        port = _free_port()
        with process("-m", "wigwag", "demo", "--port", str(port), "--data", home, output=output):
            url = f"http://127.0.0.1:{port}"
            _until(lambda: httpx.get(f"{url}/api/presence/stats").json()["observed"] >= 1)
            httpx.put(
                f"{url}/api/subscriptions/pace", json={"batch_delay_seconds": 0.1, "subscription_delay_seconds": 0.01}
            )
            _until(lambda: httpx.get(f"{url}/api/presence/stats").json()["observed"] == len(CAST))
            paints = [first_paint(chromium, url) for _ in range(LOADS)]
            clicks = clicked(chromium, url)
    print(f"demo     first contact painted after {_range(paints)} ms (target {PAINT:.0f})")
    print(f"demo     a click in the simulator is seen after {_range(clicks)} ms (target {SEEN:.0f})")
    return max(paints) <= PAINT and max(clicks) <= SEEN


def first_paint(chromium: Browser, url: str) -> float:
    """Milliseconds from the address to the first contact, in a browser that was never here."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.goto(url, wait_until="commit")
    found: float = page.evaluate(PAINTED)
    context.close()
    return found


def clicked(chromium: Browser, url: str) -> list[float]:
    person = CAST[3]
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.goto(url)
    page.get_by_role("searchbox").fill(person.name)
    expect(page.locator("[role=listitem]")).to_have_count(1)
    page.evaluate(CLICK, [person.phone, False])
    found = [page.evaluate(CLICK, [person.phone, turn % 2 == 0]) for turn in range(CLICKS)]
    context.close()
    return found


def scripts() -> bool:
    """All scripts of the console, as they go over the line to whoever takes gzip only."""
    size = {kind: sum(path.stat().st_size for path in BUILT.rglob(f"*.js.{kind}")) / 1024 for kind in ("gz", "br")}
    print(f"scripts  {size['gz']:.1f} KiB by gzip, {size['br']:.1f} by brotli (target {SCRIPTS:.0f})")
    return size["gz"] <= SCRIPTS


def _range(values: list[float]) -> str:
    return f"{median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _until(holds: Any, patience: float = 120.0) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if holds():
                return
        except (httpx.HTTPError, json.JSONDecodeError, KeyError):
            pass
        time.sleep(0.2)
    raise SystemExit("the demo did not come up")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=0.5, help="that the heap is watched")
    parser.add_argument("--seconds", type=float, default=10.0, help="that frames are counted, each way")
    parser.add_argument("--only", default="scripts,crowd,demo")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(gateway())
        return 0
    chosen = given.only.split(",")
    well = "scripts" not in chosen or scripts()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(QUIETLY))
        if "crowd" in chosen:
            well = crowd(chromium, given.minutes, given.seconds) and well
        if "demo" in chosen:
            well = demo(chromium) and well
        chromium.close()
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""The demo as a person sees it: a real process, a real broker behind it, and Chromium in front of it.

Every page is watched: an error in its console, a request that fails or a promise that nobody kept fails the test.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import servers
from tests.acceptance.processes import Process, answers, free_port, wait

ROOT = Path(__file__).parents[2]
QUIETLY = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--lang=en-GB"),
)
PATIENCE = 30_000.0  # milliseconds until a test gives up waiting; never a measure
SIZES = {"phone": (390, 844), "desk": (1440, 900)}
LEFT = ("net::ERR_ABORTED",)  # whoever leaves a page ends what it was waiting for
QUEUE = "whatsapp.browser"

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without its own talk to the outside.

    It goes with its module: while it is there, its library has a running event loop in which no other test could run.
    """
    path = servers.find("chromium") or servers.unavailable("chromium not found. Run `make servers`.")
    if not (ROOT / "src/wigwag/adapters/console/built/index.html").exists():
        servers.unavailable("The console is not built. Run `make console`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIETLY))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, rabbitmq: str) -> Iterator[Process]:
    """`wigwag demo` with a broker, when everybody is observed. It may reach a webhook on this machine."""
    home, port = tmp_path_factory.mktemp("demo"), free_port()
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    environment |= {
        "RABBITMQ_URL": rabbitmq,
        "WHATSAPP_QUEUE_NAME": QUEUE,
        "WHATSAPP_EXCHANGE": f"{QUEUE}.in",
        "WHATSAPP_ROUTING_KEY": QUEUE,
        "WIGWAG_OUTGOING_ALLOW": "127.0.0.1/32",
        "WIGWAG_MESSAGES_PER_MINUTE": "0",
    }
    command = [sys.executable, "-m", "wigwag", "demo", "--port", str(port), "--data", str(home)]
    log = home / "demo.out"
    with log.open("wb") as output:
        popen = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    process = Process(url=f"http://127.0.0.1:{port}", log=log, popen=popen)
    try:
        wait(lambda: answers(process), process)
        process.put("/api/subscriptions/pace", {"batch_delay_seconds": 0.1, "subscription_delay_seconds": 0.01})
        wait(lambda: process.get("/api/presence/stats")["observed"] == 40, process)
        yield process
    finally:
        popen.terminate()
        popen.wait()


@contextmanager
def viewed(chromium: Browser, demo: Process, size: str = "desk", scheme: str = "light") -> Iterator[Page]:
    """A window on the demo. At its end, nothing may have gone wrong in it."""
    width, height = SIZES[size]
    context = chromium.new_context(
        base_url=demo.url,
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    page, wrong = context.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on(
        "console", lambda said: wrong.append(f"console: {said.text}") if said.type in ("error", "warning") else None
    )
    page.on("requestfailed", lambda asked: wrong.append(f"{asked.url}: {asked.failure}") if not _left(asked) else None)
    page.on("response", lambda got: wrong.append(f"{got.url}: {got.status}") if got.status >= 400 else None)
    try:
        yield page
        assert wrong == []
    finally:
        context.close()


def _left(asked: Any) -> bool:
    return asked.failure in LEFT


@pytest.fixture
def page(chromium: Browser, demo: Process) -> Iterator[Page]:
    """A desk's window on the demo."""
    with viewed(chromium, demo) as page:
        yield page

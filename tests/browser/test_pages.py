# SPDX-License-Identifier: Apache-2.0
"""Every page, at a desk and on a phone, in light and dark: it shows, nothing fails, and axe finds nothing serious.

With WIGWAG_TEST_SCREENSHOTS=FOLDER each page is also saved as a picture, to be looked at.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.processes import Process
from tests.browser.conftest import ROOT, SIZES, viewed
from wigwag.cli.demo_world import CAST

ANNA = CAST[0]
PAGES = {
    "now": ("/", "Now"),
    "contact": (f"/contacts/{ANNA.phone}@s.whatsapp.net", ANNA.name),
    "messages": ("/messages", "Messages"),
    "dead letters": ("/dead-letters", "Dead letters"),
    "webhooks": ("/webhooks", "Webhooks"),
    "subscriptions": ("/subscriptions", "Subscriptions"),
    "accounts": ("/accounts", "Accounts"),
    "system": ("/system", "System"),
    "simulator": ("/simulator", "Simulator"),
}
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
ASK_AXE = (
    "async () => (await window.axe.run()).violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html).slice(0, 3)])"
)
SERIOUS = {"serious", "critical"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_shows_and_everybody_can_use_it(chromium: Browser, demo: Process, size: str, scheme: str) -> None:
    with viewed(chromium, demo, size, scheme) as page:
        for name, (where, title) in PAGES.items():
            page.goto(where)
            expect(page.get_by_role("heading", level=1)).to_contain_text(title)
            expect(page.locator(".loading")).to_have_count(0)
            assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], f"{name} is too wide"
            picture(page, f"{name}-{size}-{scheme}")
            page.evaluate(AXE.read_text())  # as the page's own inspector would, so that no policy has to yield
            found = [each for each in page.evaluate(ASK_AXE) if each[0] in SERIOUS]
            assert found == [], name


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("WIGWAG_TEST_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_the_whole_console_is_small(demo: Process) -> None:
    """All scripts together, compressed as they are served."""
    built = ROOT / "src/wigwag/adapters/console/built/assets"
    packed = sum(path.stat().st_size for path in built.glob("*.js.gz"))
    assert 0 < packed <= 180 * 1024

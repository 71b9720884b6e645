# SPDX-License-Identifier: Apache-2.0
"""What a person does in the console, from the first click to what must be seen after the last."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance import envelopes
from tests.acceptance.processes import Process, wait
from tests.browser.conftest import QUEUE, viewed
from wigwag.cli.demo_world import CAST

ANNA, BERT = CAST[0], CAST[1]
STRANGER = "15550999001"


class Receiver(ThreadingHTTPServer):
    """Takes webhooks, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status, self.got = 500, list[str]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Answer(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(self.headers["webhook-id"])
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing: what matters is in `got`."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_contact_that_comes_online_is_seen_to(chromium: Browser, demo: Process, page: Page) -> None:
    with viewed(chromium, demo) as other:
        other.goto("/simulator")
        other.get_by_label("Who").select_option(BERT.name)
        page.goto("/?sort=name")
        page.get_by_role("searchbox").fill(BERT.name)
        line = page.get_by_role("listitem").filter(has_text=BERT.name)
        for button, word in (("Go offline", "last seen"), ("Come online", "online"), ("Go offline", "last seen")):
            other.get_by_role("button", name=button).click()
            expect(line).to_contain_text(word)


def test_a_text_is_sent_and_turns_read(page: Page, demo: Process) -> None:
    page.goto("/messages")
    page.get_by_role("button", name="Write a message").click()
    page.get_by_label("To").fill(f"+{ANNA.phone}")
    page.get_by_label("Text").fill("A table for two?")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Message")
    expect(page.get_by_text("A table for two?").first).to_be_visible()
    expect(page.get_by_text("read by").first).to_be_visible()
    page.get_by_role("link", name="Messages").click()
    expect(page.get_by_role("listitem").filter(has_text="A table for two?")).to_contain_text("read")


def test_all_of_that_needs_no_mouse(page: Page) -> None:
    page.goto("/messages")
    expect(page.get_by_role("heading", level=1)).to_have_text("Messages")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip")).to_be_focused()
    page.keyboard.press("Enter")
    walk(page, "Write a message")
    page.keyboard.press("Enter")
    expect(page.get_by_label("To")).to_be_focused()
    page.keyboard.type(f"+{ANNA.phone}")
    page.keyboard.press("Tab")
    page.keyboard.type("Typed, not clicked")
    walk(page, "Send")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Typed, not clicked").first).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def walk(page: Page, name: str) -> None:
    """Tab on until the focus is on a button or link with this name."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"no way to {name}")


def test_an_account_is_paired_by_the_code_on_the_page(page: Page) -> None:
    page.goto("/accounts")
    page.get_by_role("button", name="Add an account").click()
    page.get_by_label("Name").fill("second")
    page.get_by_role("dialog").get_by_role("button", name="Add an account").click()
    card = page.get_by_role("region", name="second")
    expect(card.get_by_alt_text("QR code")).to_be_visible()
    card.get_by_role("button", name="Let the simulated phone scan it").click()
    expect(card).to_contain_text("connected")
    card.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(card).to_have_count(0)


def test_a_broken_webhook_is_mended_and_its_delivery_replayed(page: Page, demo: Process, receiver: Receiver) -> None:
    page.goto("/webhooks")
    page.get_by_role("button", name="Add a webhook").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("URL").fill(receiver.url)
    dialog.get_by_label("Events").fill("webhook.test")
    dialog.get_by_label("Description").fill("the kitchen")
    dialog.get_by_role("button", name="Add a webhook").click()
    expect(page.get_by_role("dialog")).to_contain_text("whsec_")
    page.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("the kitchen")
    page.get_by_role("button", name="Send a test").click()
    row = page.get_by_role("row").filter(has_text="webhook.test")
    expect(row).to_contain_text("500")
    receiver.status = 204
    row.get_by_role("button", name="Open").click()
    page.get_by_role("button", name="Deliver again").click()
    page.get_by_role("button", name="Close").click()
    expect(row).to_contain_text("delivered")
    assert len(set(receiver.got)) == 1
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No webhooks yet")).to_be_visible()


def test_a_dead_letter_is_replayed_once_its_number_exists(
    page: Page, demo: Process, rabbitmq: str, amqp_publish: str
) -> None:
    bodies = list(envelopes.good({"Dear stranger": STRANGER}))
    envelopes.publish(amqp_publish, rabbitmq, bodies, QUEUE, f"{QUEUE}.in")
    page.goto("/dead-letters")
    letter = page.get_by_role("listitem").filter(has_text="not_on_whatsapp")
    expect(letter).to_be_visible()
    letter.get_by_role("button", name="Open").click()
    expect(page.get_by_role("dialog")).to_contain_text("Dear stranger")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    demo.put(f"/sim/contacts/{STRANGER}", {"name": "Stranger"})
    letter.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("No dead letters")).to_be_visible()
    wait(lambda: "Dear stranger" in {line["text"] for line in demo.get("/sim/inbox")}, demo)


def test_where_the_link_is_cut_nobody_is_shown_as_offline(chromium: Browser, demo: Process, page: Page) -> None:
    """It runs last: the demo is silent for a while after it."""
    with viewed(chromium, demo) as other:
        other.goto("/simulator")
        page.goto("/")
        expect(page.get_by_role("button", name="Offline")).not_to_contain_text("40")
        other.get_by_role("button", name="Refuse links for 30 s").click()
        other.get_by_role("button", name="Cut the link").click()
        expect(page.get_by_role("button", name="Not observed")).to_contain_text("40")
        expect(page.get_by_text("We are not listening")).to_be_visible()
        lines = page.get_by_role("list", name="Contacts").get_by_role("listitem")
        for text in lines.all_inner_texts():
            assert "not observed" in text
        page.get_by_role("link", name="Accounts", exact=True).click()
        expect(page.get_by_role("region", name="default")).to_contain_text("coming back")
        page.get_by_role("link", name="System").click()
        expect(page.get_by_text("link default")).to_be_visible()
        other.get_by_role("button", name="Mend all").click()
        page.get_by_role("link", name="Now", exact=True).click()
        expect(page.get_by_role("button", name="Not observed")).not_to_contain_text("40")

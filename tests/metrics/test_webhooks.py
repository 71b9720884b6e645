# SPDX-License-Identifier: Apache-2.0
"""The series of webhooks, and their log lines: by endpoint and host, never with a URL."""

import logging

import pytest

from tests.metrics.reading import Scrape
from wigwag.adapters import logbook
from wigwag.adapters.metrics import Metrics
from wigwag.domain.events import DeliveryTried, EndpointChanged, EventsDropped
from wigwag.domain.webhooks import Wish
from wigwag.testing import START, Trial

URL = "https://example.com/hook?token=canary"


def tried(outcome: str, seconds: float = 0.3) -> DeliveryTried:
    return DeliveryTried(
        endpoint="wh_a",
        host="example.com",
        event="job1.sent.1",
        kind="message.sent",
        outcome=outcome,
        attempts=1,
        status=200 if outcome == "delivered" else None,
        code="" if outcome == "delivered" else "unavailable",
        seconds=seconds,
        at=START,
    )


@pytest.mark.parametrize(("outcome", "series"), [("delivered", "delivered"), ("retry", "failed"), ("failed", "failed")])
async def test_an_attempt_is_counted_and_timed(metrics: Metrics, scrape: Scrape, outcome: str, series: str) -> None:
    metrics.sink(tried(outcome))
    assert await scrape.value("wigwag_webhook_deliveries_total", endpoint="wh_a", outcome=outcome) == 1.0
    name = "whatsapp_webhook_delivery_duration_seconds_bucket"
    assert await scrape.value(name, outcome=series, le="0.25") == 0.0
    assert await scrape.value(name, outcome=series, le="0.5") == 1.0


async def test_events_that_were_not_queued_are_counted(metrics: Metrics, scrape: Scrape) -> None:
    metrics.sink(EventsDropped(endpoint="wh_a", count=3, at=START))
    assert await scrape.value("wigwag_webhook_dropped_total", endpoint="wh_a") == 3.0


async def test_endpoints_and_what_waits_for_them_are_read(trial: Trial, scrape: Scrape) -> None:
    trial.stores.postman.answers[URL] = 500
    endpoint = await trial.core.webhooks.add(Wish(url=URL))
    await trial.core.webhooks.test(endpoint.id)
    await trial.clock.settle()
    assert await scrape.value("wigwag_webhook_backlog", endpoint=endpoint.id) == 1.0
    states = {state: await scrape.value("wigwag_webhook_endpoints", state=state) for state in ("working", "disabled")}
    assert states == {"working": 1.0, "disabled": 0.0}
    trial.stores.postman.answers[URL] = 410
    await trial.clock.advance(6)
    assert await scrape.value("wigwag_webhook_endpoints", state="disabled") == 1.0
    assert "canary" not in await scrape.text()


async def test_the_log_names_hosts_and_never_urls_or_secrets(trial: Trial, caplog: pytest.LogCaptureFixture) -> None:
    trial.core.fanout.add("log", logbook.write)
    trial.stores.postman.answers[URL] = 410
    with caplog.at_level(logging.DEBUG):
        endpoint = await trial.core.webhooks.add(Wish(url=URL))
        await trial.core.webhooks.test(endpoint.id)
        await trial.clock.advance(6)
        for fact in (tried("delivered"), tried("retry"), EventsDropped(endpoint="wh_a", count=3, at=START)):
            logbook.write(fact)
        logbook.write(EndpointChanged(endpoint="wh_a", host="example.com", condition="working", reason="", at=START))
    actions = [getattr(record, "action", "") for record in caplog.records]
    assert {"webhook.failed", "endpoint.disabled", "webhook.delivered", "webhook.retry", "webhook.dropped"} <= {
        *actions
    }
    everything = str([record.__dict__ for record in caplog.records])
    assert "example.com" in everything
    assert "canary" not in everything
    assert endpoint.secrets[0].text not in everything

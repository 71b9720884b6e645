# SPDX-License-Identifier: Apache-2.0
"""Everything on `/metrics` but the contacts: what is counted, what is read, and that table, docs and text agree."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.metrics.reading import OPEN_METRICS, Scrape
from wigwag.adapters.metrics import Figures, Metrics, names
from wigwag.adapters.metrics.counters import LAG_EVERY, reconnect_reason
from wigwag.domain.access import AccessRefused, SignedIn
from wigwag.domain.account import Account, LinkSignal, LinkState, Stall
from wigwag.domain.contents import Text
from wigwag.domain.drafts import Draft
from wigwag.domain.errors import Restricted, StoreUnavailable
from wigwag.domain.events import (
    AccountChanged,
    Fact,
    NodeChanged,
    NodeStep,
    PartFailed,
    PartRecovered,
    SubscriptionChanged,
    Typing,
    TypingChanged,
)
from wigwag.domain.ids import Jid
from wigwag.domain.pacing import PRESETS
from wigwag.domain.presence import Presence, PresenceChanged, Status
from wigwag.domain.subscriptions import State
from wigwag.domain.throttle import COLD_PAUSE
from wigwag.testing import START, FakeClock, Point, Trial, failing

DOCS = Path(__file__).parents[2] / "docs" / "METRICS.md"
ANNA = Jid("919876543210@s.whatsapp.net")
UNPAIRED, LINKED = Account(name="default"), Account(name="default", state=LinkState.CONNECTED)
DOWN = Account(name="default", state=LinkState.TRANSIENT)
STALLED = Account(name="default", state=LinkState.DEGRADED, detail=Stall.MESSAGES)
BANNED = Account(name="default", state=LinkState.BANNED, until=START + 3600)

FACTS: list[tuple[Fact, str, dict[str, str]]] = [
    (
        PresenceChanged(ANNA, Status.UNKNOWN, Status.ONLINE, START, None, False),
        "wigwag_presence_events_total",
        {"presence": "online"},
    ),
    (
        PresenceChanged(ANNA, Status.ONLINE, Status.UNKNOWN, START, None, False),
        "wigwag_presence_events_total",
        {"presence": "unknown"},
    ),
    (TypingChanged(jid=ANNA, typing=Typing.COMPOSING, at=START), "wigwag_typing_events_total", {"typing": "composing"}),
    (
        SubscriptionChanged(account="default", jid=ANNA, state=State.FAILED, attempts=1, at=START),
        "wigwag_subscription_events_total",
        {"account": "default", "state": "failed"},
    ),
    (
        AccountChanged(before=LINKED, after=DOWN, at=START),
        "whatsapp_reconnect_total",
        {"account": "default", "reason": "link_down"},
    ),
    (
        AccountChanged(before=LINKED, after=STALLED, at=START),
        "wigwag_link_stalls_total",
        {"account": "default", "reason": "messages"},
    ),
    (AccountChanged(before=LINKED, after=BANNED, at=START), "wigwag_account_bans_total", {"account": "default"}),
    (AccountChanged(before=BANNED, after=BANNED, at=START), "wigwag_account_bans_total", {"account": "default"}),
    (
        PartFailed(part="recorder", code="store_unavailable", detail="no", at=START),
        "wigwag_part_failures_total",
        {"part": "recorder", "code": "store_unavailable"},
    ),
    (AccessRefused(reason="no_key", who="::1", at=START), "wigwag_access_refused_total", {"reason": "no_key"}),
    (SignedIn(caller="a", name="Anna", at=START), "wigwag_sign_ins_total", {}),
    (PartRecovered(part="recorder", at=START), "wigwag_part_recoveries_total", {"part": "recorder"}),
    (NodeChanged(step=NodeStep.FENCED, count=7, at=START), "wigwag_node_steps_total", {"step": "fenced"}),
]


@pytest.mark.parametrize(("fact", "metric", "labels"), FACTS)
async def test_each_fact_is_counted_once(
    fact: Fact, metric: str, labels: dict[str, str], metrics: Metrics, scrape: Scrape
) -> None:
    before = await scrape.value(metric, **labels) or 0.0
    metrics.sink(fact)
    assert await scrape.value(metric, **labels) == before + 1


async def test_a_node_is_in_step_until_it_hears_no_more(metrics: Metrics, scrape: Scrape) -> None:
    for step, synced in ((NodeStep.JOINED, 1.0), (NodeStep.DEAF, 0.0), (NodeStep.FENCED, 0.0), (NodeStep.SYNCED, 1.0)):
        metrics.sink(NodeChanged(step=step, count=1, at=START))
        assert await scrape.value("wigwag_node_synced") == synced


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (LinkState.CONNECTED, LinkState.TRANSIENT, "link_down"),
        (LinkState.CONNECTING, LinkState.TRANSIENT, "link_down"),
        (LinkState.DEGRADED, LinkState.CONNECTING, "degraded"),
        (LinkState.TRANSIENT, LinkState.CONNECTING, "transient"),
        (LinkState.REPLACED, LinkState.CONNECTING, "replaced"),
        (LinkState.BANNED, LinkState.CONNECTING, "banned"),
        (LinkState.UNPAIRED, LinkState.CONNECTING, None),
        (LinkState.PAIRING, LinkState.CONNECTING, None),
        (LinkState.TRANSIENT, LinkState.CONNECTED, None),
        (LinkState.CONNECTED, LinkState.REPLACED, None),
    ],
)
def test_an_attempt_to_link_again_has_a_reason(before: LinkState, after: LinkState, reason: str | None) -> None:
    """A first link is no reconnection, and neither is losing one for good."""
    assert reconnect_reason(Account(name="a", state=before), Account(name="a", state=after)) == reason


async def test_links_and_subscriptions_are_shown_for_each_account(trial: Trial, scrape: Scrape) -> None:
    await trial.connect()
    await trial.core.gateway.configure(PRESETS["careful"])
    await trial.core.gateway.track([("+919876543210", "Anna"), ("+919123456789", "Bert")])
    trial.whatsapp.answers = False
    await trial.clock.settle()
    assert await scrape.value("whatsapp_connection_status", account="default") == 1.0
    assert await scrape.value("wigwag_link_state", account="default", state="connected") == 1.0
    assert await scrape.value("wigwag_link_state", account="default", state="banned") == 0.0
    assert await scrape.value("wigwag_subscriptions", account="default", state="pending") == 1.0
    assert await scrape.value("wigwag_subscriptions", account="default", state="queued") == 1.0
    assert await scrape.value("wigwag_subscription_queue_length", account="default") == 1.0
    assert await scrape.value("wigwag_subscription_pace_per_minute") == pytest.approx(PRESETS["careful"].per_minute)
    assert await scrape.value("wigwag_contacts", presence="unknown") == 2.0
    trial.whatsapp.tell_link(LinkSignal.DOWN)
    await trial.clock.settle()
    assert await scrape.value("whatsapp_connection_status", account="default") == 0.0
    assert await scrape.value("wigwag_link_state", account="default", state="transient") == 1.0
    assert await scrape.value("whatsapp_reconnect_total", account="default", reason="link_down") == 1.0


async def test_a_pause_for_strangers_is_shown_while_it_lasts(trial: Trial, scrape: Scrape) -> None:
    metric = "wigwag_account_restricted_until_timestamp_seconds"
    assert await scrape.value("wigwag_account_restrictions_total", account="default") == 0.0
    trial.whatsapp.hooks[Point.SEND] = failing(Restricted())
    await trial.connect()
    assert await scrape.value(metric, account="default") is None
    await trial.core.gateway.messages.send(Draft(to="+919876543210", content=Text(text="Hi")))
    await trial.clock.settle()
    assert await scrape.value(metric, account="default") == START + COLD_PAUSE
    assert await scrape.value("wigwag_account_restrictions_total", account="default") == 1.0
    await trial.clock.advance(COLD_PAUSE)
    assert await scrape.value(metric, account="default") is None


async def test_a_ban_is_shown_while_it_lasts(trial: Trial, scrape: Scrape) -> None:
    metric = "wigwag_account_banned_until_timestamp_seconds"
    await trial.connect()
    assert await scrape.value(metric, account="default") is None
    trial.whatsapp.tell_link(LinkSignal.BANNED, until=START + 600)
    await trial.clock.settle()
    assert await scrape.value(metric, account="default") == START + 600
    trial.whatsapp.tell_link(LinkSignal.UP)
    await trial.clock.advance(600)
    trial.whatsapp.tell_link(LinkSignal.UP)
    await trial.clock.settle()
    assert await scrape.value(metric, account="default") is None


async def test_it_is_shown_when_anything_came_from_whatsapp(trial: Trial, scrape: Scrape) -> None:
    metric = "wigwag_link_heard_timestamp_seconds"
    await trial.connect()
    assert await scrape.value(metric, account="default") is None, "a link that stands has told nothing yet"
    await trial.clock.advance(5)
    trial.whatsapp.tell_presence(ANNA, online=True)
    await trial.clock.settle()
    assert await scrape.value(metric, account="default") == START + 5


async def test_contacts_are_summed_by_presence(trial: Trial, scrape: Scrape) -> None:
    for index, status in enumerate([Status.ONLINE, Status.ONLINE, Status.OFFLINE, Status.UNKNOWN]):
        jid = Jid(f"{10**9 + index}@s.whatsapp.net")
        trial.core.book.put(Presence(jid=jid, name="x", account="default", status=status))
    counts = {presence: await scrape.value("wigwag_contacts", presence=presence) for presence in ("online", "offline")}
    assert counts == {"online": 2.0, "offline": 1.0}
    assert await scrape.value("wigwag_contacts", presence="unknown") == 1.0


async def test_uptime_and_the_build_are_told(trial: Trial, scrape: Scrape) -> None:
    await trial.clock.advance(90)
    assert await scrape.value("whatsapp_uptime_seconds") == 90.0
    python = ".".join(str(part) for part in sys.version_info[:3])
    assert await scrape.value("wigwag_build_info", version="1.2.3", python=python) == 1.0


async def test_figures_of_other_rooms_are_read_at_each_scrape(trial: Trial) -> None:
    waiting = [1.0]
    figures = {names.RECORDER_BACKLOG: lambda: waiting[0], names.RECORDER_DROPPED: lambda: 7.0}
    scrape = Scrape(Metrics(trial.core.book, trial.core.gateway, trial.clock, version="0", figures=figures))
    assert await scrape.value("wigwag_recorder_backlog") == 1.0
    waiting[0] = 5.0
    assert await scrape.value("wigwag_recorder_backlog") == 5.0
    assert await scrape.value("wigwag_recorder_dropped_total") == 7.0


async def test_figures_have_a_label_or_no_sample_when_nobody_knows(trial: Trial) -> None:
    def nobody_knows() -> float:
        raise StoreUnavailable

    figures: Figures = {names.SOCKETS_ENDED: lambda: {"goodbye": 2, "slow_reader": 0}, names.USERS_ACTIVE: nobody_knows}
    scrape = Scrape(Metrics(trial.core.book, trial.core.gateway, trial.clock, version="0", figures=figures))
    assert await scrape.value("wigwag_socket_connections_ended_total", reason="goodbye") == 2.0
    assert await scrape.value("wigwag_socket_connections_ended_total", reason="slow_reader") == 0.0
    assert await scrape.value("wigwag_users_active") is None


async def test_what_sinks_failed_to_take_is_read_from_the_fanout(trial: Trial) -> None:
    failures = {"log": 0}
    scrape = Scrape(Metrics(trial.core.book, trial.core.gateway, trial.clock, version="0", sinks=failures))
    assert await scrape.value("wigwag_sink_failures_total", sink="log") == 0.0
    failures["log"] = 2
    assert await scrape.value("wigwag_sink_failures_total", sink="log") == 2.0


async def test_storage_is_timed_by_operation(metrics: Metrics, scrape: Scrape) -> None:
    assert await scrape.value("wigwag_storage_failures_total", operation="write") == 0.0
    metrics.observe_storage("write", 0.02, True)
    metrics.observe_storage("write", 8.0, False)
    assert await scrape.value("wigwag_storage_duration_seconds_count", operation="read") == 0.0
    assert await scrape.value("wigwag_storage_duration_seconds_bucket", operation="write", le="0.025") == 1.0
    assert await scrape.value("wigwag_storage_failures_total", operation="write") == 1.0


async def test_spans_are_counted_by_what_became_of_them(metrics: Metrics, scrape: Scrape) -> None:
    metrics.observe_spans("exported", 3)
    metrics.observe_spans("exported", 2)
    assert await scrape.value("wigwag_trace_spans_total", outcome="exported") == 5.0


async def test_it_is_shown_how_long_the_next_message_is_overdue(trial: Trial) -> None:
    metrics = Metrics(trial.core.book, trial.core.gateway, trial.clock, version="0")
    scrape, running = Scrape(metrics), asyncio.create_task(metrics.run(), name="metrics")
    metric = "wigwag_job_oldest_waiting_seconds"
    await trial.clock.settle()
    assert await scrape.value(metric, account="default") == 0.0
    await trial.core.gateway.messages.send(Draft(to="+919876543210", content=Text(text="Hi"), send_at=START + 100))
    await trial.clock.advance(90)
    assert await scrape.value(metric, account="default") == 0.0, "it is not due yet"
    await trial.clock.advance(70)
    assert await scrape.value(metric, account="default") == 60.0, "nobody sends it without a link"
    await trial.connect()
    await trial.clock.advance(10)
    assert await scrape.value(metric, account="default") == 0.0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_requests_are_timed_by_route(metrics: Metrics, scrape: Scrape) -> None:
    metrics.observe_request("/api/presence/{jid}", "GET", 404, 0.02)
    labels = {"route": "/api/presence/{jid}", "method": "GET", "status": "404"}
    assert await scrape.value("whatsapp_request_duration_seconds_count", **labels) == 1.0
    assert await scrape.value("whatsapp_request_duration_seconds_bucket", **labels, le="0.01") == 0.0
    assert await scrape.value("whatsapp_request_duration_seconds_bucket", **labels, le="0.025") == 1.0


class LateClock(FakeClock):
    """Whoever sleeps for a second wakes 0.3 s late; nobody else ever wakes."""

    async def sleep(self, seconds: float) -> None:
        if seconds > LAG_EVERY:
            await asyncio.Event().wait()
        self._now += seconds + 0.3
        await asyncio.sleep(0)


async def test_waking_late_is_seen_as_lag_of_the_loop(trial: Trial) -> None:
    metrics = Metrics(trial.core.book, trial.core.gateway, LateClock(), version="0")
    task = asyncio.create_task(metrics.run(), name="lag")
    for _turn in range(5):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    scrape = Scrape(metrics)
    assert await scrape.value("wigwag_event_loop_lag_seconds_bucket", le="0.25") == 0.0
    assert (await scrape.value("wigwag_event_loop_lag_seconds_bucket", le="0.5") or 0.0) >= 1.0


FIGURES = (
    *(names.RECORDER_BACKLOG, names.RECORDER_DROPPED, names.TELLER_DROPPED),
    *(names.INBOX_LENGTH, names.INBOX_DROPPED, names.MEDIA_SIZE, names.QUIET, names.AUDIT_DROPPED),
    *(names.EVENT_CLIENTS, names.EVENT_CLIENTS_CUT, names.EVENT_RESUMES, names.EVENT_RESETS),
    *names.SECTIONS["Users"],
)


def everything(metrics: Metrics) -> None:
    """Make every counter have a sample."""
    for fact, _metric, _labels in FACTS:
        metrics.sink(fact)
    metrics.observe_request("/livez", "GET", 200, 0.001)


@pytest.fixture
def whole(trial: Trial) -> Scrape:
    """A scrape of metrics of which none is without a sample."""
    figures = {metric: (lambda: {"x": 1.0}) if metric.labels else (lambda: 1.0) for metric in FIGURES}
    metrics = Metrics(trial.core.book, trial.core.gateway, trial.clock, version="1.2.3", figures=figures)
    everything(metrics)
    contact = Presence(jid=ANNA, name='A "n" \\ a\n', account="default", status=Status.ONLINE, last_seen=START)
    trial.core.book.put(contact)
    return Scrape(metrics)


@pytest.mark.parametrize("accept", ["", OPEN_METRICS])
async def test_the_table_names_every_metric_and_no_other(whole: Scrape, accept: str) -> None:
    described = [*names.CONTACT_METRICS, *names.FIXED_METRICS]
    expected = {metric.family if accept else metric.name: (metric.kind, metric.help) for metric in described}
    text = await whole.text(accept)
    kinds = dict(re.findall(r"^# TYPE (\S+) (.*)$", text, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE))
    ours = {name: (kind, helps[name]) for name, kind in kinds.items()}
    for name in names.STANDARD:
        del ours[name.removesuffix("_total") if accept else name]
    assert ours == expected


async def test_every_family_comes_once_with_its_samples_behind_it(whole: Scrape) -> None:
    text = await whole.text()
    heads = re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
    assert len(heads) == len(set(heads))
    current = ""
    for line in text.splitlines():
        if line.startswith("# "):
            current = line.split()[2]
        else:
            assert line.startswith(current)


@pytest.mark.parametrize(
    ("accept", "content_type", "last"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8", "\n"),
        ("text/html,*/*;q=0.8", "text/plain; version=0.0.4; charset=utf-8", "\n"),
        (OPEN_METRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8", "\n# EOF\n"),
    ],
)
async def test_the_scraper_chooses_the_format(whole: Scrape, accept: str, content_type: str, last: str) -> None:
    assert (await whole.metrics.exposition(accept))[0] == content_type
    text = await whole.text(accept)
    assert text.endswith(last)
    assert text.count("# EOF") == last.count("# EOF")


async def test_promtool_has_nothing_to_say(whole: Scrape, promtool: str) -> None:
    checker = await asyncio.create_subprocess_exec(
        *(promtool, "check", "metrics"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    told, _nothing = await checker.communicate((await whole.text()).encode())
    assert (checker.returncode, told.decode()) == (0, "")

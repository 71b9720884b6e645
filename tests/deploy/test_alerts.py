# SPDX-License-Identifier: Apache-2.0
"""Every alert fires when it should, alone, and is silent just before; and says what a person needs."""

import re
import subprocess
from itertools import chain
from pathlib import Path

import pytest

from tests.deploy.alerting import AT, ROOT, RULES, Case, Changes, alerts, judged, lasting, told
from wigwag.domain.account import LinkState

ACCOUNT = 'account="default"'
CONNECTED = f"whatsapp_connection_status{{{ACCOUNT}}}"
WAITING = f"wigwag_job_oldest_waiting_seconds{{{ACCOUNT}}}"
SENT = f'whatsapp_messages_sent_total{{{ACCOUNT},type="text"}}'
QUIET = "wigwag_quiet"
DLQ = 'queue_dlq_size{queue_name="whatsapp.queue.dlq"}'
OFFLINE, ONLINE = 'whatsapp_contact_online{jid="1@x",name="Important Contact"}', 'wigwag_contacts{presence="online"}'
DISABLED = 'wigwag_webhook_endpoints{state="disabled"}'
UNKNOWN = 'wigwag_contacts{presence="unknown"}'


def link(state: str, values: str = "1", before: str = "0") -> Changes:
    """The link of an account in another state; `before` are the values of the state connected."""
    up = {} if state in ("connected", "degraded") else {CONNECTED: before}
    return {f'wigwag_link_state{{{ACCOUNT},state="connected"}}': before, _state(state): values, **up}


def _state(state: str) -> str:
    return f'wigwag_link_state{{{ACCOUNT},state="{state}"}}'


def requests(status: str, route: str = "/api/messages") -> str:
    return f'whatsapp_request_duration_seconds_count{{route="{route}",method="POST",status="{status}"}}'


def deliveries(outcome: str) -> str:
    return f'wigwag_webhook_deliveries_total{{endpoint="wh_a",outcome="{outcome}"}}'


def lag(le: str) -> str:
    return f'wigwag_event_loop_lag_seconds_bucket{{le="{le}"}}'


def storage(le: str) -> str:
    return f'wigwag_storage_duration_seconds_bucket{{operation="write",le="{le}"}}'


HEALTHY: Changes = {
    "up": "1",
    "process_start_time_seconds": "5",
    'wigwag_ready{part="storage"}': "1",
    'wigwag_ready{part="broker"}': "1",
    CONNECTED: "1",
    **{_state(state): "1" if state is LinkState.CONNECTED else "0" for state in LinkState},
    requests("202"): "0+60",
    requests("200", "/readyz"): "0+4",
    storage("0.1"): "0+100",
    storage("2.5"): "0+100",
    storage("+Inf"): "0+100",
    ONLINE: "3",
    'wigwag_contacts{presence="offline"}': "37",
    UNKNOWN: "0",
    OFFLINE: "0",
    'whatsapp_contact_last_seen_timestamp_seconds{jid="1@x",name="Important Contact"}': "0+60",
    f'wigwag_subscriptions{{{ACCOUNT},state="active"}}': "40",
    f'wigwag_subscriptions{{{ACCOUNT},state="failed"}}': "0",
    SENT: "0+5",
    "wigwag_node_synced": "1",
    'wigwag_node_steps_total{step="fenced"}': "0",
    f'wigwag_jobs{{{ACCOUNT},state="unconfirmed"}}': "0",
    WAITING: "0",
    QUIET: "0",
    'queue_depth{queue_name="whatsapp.queue"}': "3",
    DLQ: "2",
    deliveries("delivered"): "0+10",
    DISABLED: "1",
    'wigwag_webhook_dropped_total{endpoint="wh_a"}': "0",
    "wigwag_recorder_dropped_total": "0",
    "wigwag_events_dropped_total": "0",
    'wigwag_sink_failures_total{sink="metrics"}': "0",
    "process_memory_usage_bytes": "200",
    "wigwag_memory_limit_bytes": "1000",
    "wigwag_disk_free_bytes": "700",
    "wigwag_disk_size_bytes": "1000",
    "process_open_fds": "60",
    "process_max_fds": "1000",
    lag("0.01"): "0+60",
    lag("0.25"): "0+60",
    lag("0.5"): "0+60",
    lag("+Inf"): "0+60",
}
GONE = "_x40"  # no sample at all

CASES: dict[str, tuple[Changes, Changes]] = {  # name -> what makes it fire, and what only nearly does
    "ServiceDown": ({"up": "1x28 0x10"}, {"up": "1x29 0x0 1x10"}),
    "NotScraped": ({"up": GONE}, {"up": "1x27 _x20"}),
    "RestartLoop": (
        {"process_start_time_seconds": "5x20 6x2 7x2 8x20"},
        {"process_start_time_seconds": "5x20 6x2 7x20"},
    ),
    "HighErrorRate": (
        {requests("500"): "0+10"},
        {requests("500"): "0+6", requests("503", "/readyz"): "0+900", requests("404"): "0+900"},
    ),
    "StoreDown": ({'wigwag_ready{part="storage"}': "1x26 0x20"}, {'wigwag_ready{part="storage"}': "1x28 0x20"}),
    "BrokerDown": ({'wigwag_ready{part="broker"}': "1x26 0x20"}, {'wigwag_ready{part="broker"}': GONE}),
    "StoreSlow": ({storage("0.1"): "0+90", storage("2.5"): "0+95"}, {storage("0.1"): "0+96"}),
    "HistoryLost": ({"wigwag_recorder_dropped_total": "0x20 7x20"}, {"wigwag_recorder_dropped_total": "7"}),
    "EventsLost": ({"wigwag_events_dropped_total": "0x20 7x20"}, {"wigwag_events_dropped_total": "7"}),
    "SinkFailing": (
        {'wigwag_sink_failures_total{sink="metrics"}': "_x20 1x20"},
        {'wigwag_sink_failures_total{sink="metrics"}': "1"},
    ),
    "WhatsAppDisconnected": (
        link("transient", "0x23 1x20", "1x23 0x20"),
        link("transient", "0x26 1x20", "1x26 0x20"),
    ),
    "LinkFlapping": (
        {f'whatsapp_reconnect_total{{{ACCOUNT},reason="link_down"}}': "0x19 1+1x20"},
        {f'whatsapp_reconnect_total{{{ACCOUNT},reason="link_down"}}': "0x19 1+0.25x20"},
    ),
    "LinkStalled": (
        {f'wigwag_link_stalls_total{{{ACCOUNT},reason="messages"}}': "0x10 1x10 2x20"},
        {f'wigwag_link_stalls_total{{{ACCOUNT},reason="messages"}}': "0x10 1x30"},
    ),
    "AccountBanned": (link("banned"), link("banned", "1x20 0x20", "0x20 1x20")),
    "AccountLoggedOut": (link("logged_out"), link("stopped")),
    "SessionReplaced": (link("replaced"), link("degraded", "0x27 1x20", "1x27 0x20")),
    "ClientOutdated": (link("outdated"), link("connecting", "0x27 1x20", "1x27 0x20")),
    "AccountUnpaired": (link("pairing"), link("pairing", "0x20 1x20", "1x20 0x20")),
    "AccountRestricted": (
        {f"wigwag_account_restricted_until_timestamp_seconds{{{ACCOUNT}}}": "1900"},
        {f"wigwag_account_restricted_until_timestamp_seconds{{{ACCOUNT}}}": "1700"},
    ),
    "ContactOfflineForTooLong": (
        {'whatsapp_contact_last_seen_timestamp_seconds{jid="1@x",name="Important Contact"}': "-200000"},
        {'whatsapp_contact_last_seen_timestamp_seconds{jid="1@x",name="Important Contact"}': "-200000", OFFLINE: GONE},
    ),
    "AllContactsOffline": (
        {ONLINE: "0", 'wigwag_contacts{presence="offline"}': "40"},
        {ONLINE: "0", 'wigwag_contacts{presence="offline"}': "36", UNKNOWN: "4"},
    ),
    "SubscriptionsFailing": (
        {f'wigwag_subscriptions{{{ACCOUNT},state="failed"}}': "5"},
        {f'wigwag_subscriptions{{{ACCOUNT},state="failed"}}': "4"},
    ),
    "NodeOutOfStep": ({"wigwag_node_synced": "1x26 0x20"}, {"wigwag_node_synced": "1x28 0x20"}),
    "NodeFenced": (
        {'wigwag_node_steps_total{step="fenced"}': "0x20 1x20"},
        {'wigwag_node_steps_total{step="fenced"}': "1"},
    ),
    "MessageSendFailures": (
        {f'whatsapp_messages_failed_total{{{ACCOUNT},code="{code}"}}': "0+3" for code in ("refused", "not_found")},
        {f'whatsapp_messages_failed_total{{{ACCOUNT},code="refused"}}': "0+4.9"},
    ),
    "SendingStalled": ({SENT: "9", WAITING: "0x20 601x20"}, {SENT: "0x25 1x20", WAITING: "0x20 601x20"}),
    "MessagesLate": ({WAITING: "1801"}, {WAITING: "1799"}),
    "MessagesUnconfirmed": (
        {f'wigwag_jobs{{{ACCOUNT},state="unconfirmed"}}': "1"},
        {f'wigwag_jobs{{{ACCOUNT},state="unconfirmed"}}': "0x20 1x20"},
    ),
    "QueueBacklog": (
        {'queue_depth{queue_name="whatsapp.queue"}': "1001"},
        {'queue_depth{queue_name="whatsapp.queue"}': "3x20 1001x20"},
    ),
    "DeadLettersGrowing": ({DLQ: "2x20 20x20"}, {DLQ: "2x20 3x20"}),
    "DeadLettersFull": ({DLQ: "2x20 1000x20"}, {DLQ: "999"}),
    "WebhookDeliveryFailures": (
        {deliveries("retry"): "0+2", deliveries("failed"): "0+0.6"},
        {deliveries("retry"): "0+1", deliveries("failed"): "0+1"},
    ),
    "WebhookEndpointDisabled": ({DISABLED: "1x20 2x20"}, {DISABLED: "2x20 1x20"}),
    "WebhookEventsDropped": (
        {'wigwag_webhook_dropped_total{endpoint="wh_a"}': "_x20 3x20"},
        {'wigwag_webhook_dropped_total{endpoint="wh_a"}': "3"},
    ),
    "MemoryUsageHigh": ({"process_memory_usage_bytes": "901"}, {"process_memory_usage_bytes": "200x22 901x20"}),
    "DiskSpaceLow": ({"wigwag_disk_free_bytes": "149"}, {"wigwag_disk_free_bytes": "151"}),
    "OpenFilesHigh": ({"process_open_fds": "801"}, {"process_open_fds": "799"}),
    "EventLoopSlow": ({lag("0.01"): "0+50", lag("0.25"): "0+50"}, {lag("0.01"): "0+50"}),
}


def case(name: str, changes: Changes, *firing: str) -> Case:
    series = {**HEALTHY, **changes}
    return Case(
        name=name, series={key: lasting(value) for key, value in series.items()}, firing={AT * 60: frozenset(firing)}
    )


FIRING = [case(f"{name} fires", fires, name) for name, (fires, _silent) in CASES.items()]
MORE = [  # further ways to be silent
    case("NotScraped is patient", {"up": "1x22 _x20"}),
    case("BrokerDown is patient", {'wigwag_ready{part="broker"}': "1x28 0x20"}),
    case("AllContactsOffline is patient", {ONLINE: "3x25 0x20", 'wigwag_contacts{presence="offline"}': "40"}),
    case("SubscriptionsFailing is patient", {f'wigwag_subscriptions{{{ACCOUNT},state="failed"}}': "0x20 5x20"}),
    case("DeadLettersFull is patient", {DLQ: "2x29 1000x20"}),
    case("DiskSpaceLow is patient", {"wigwag_disk_free_bytes": "700x27 149x20"}),
    case("OpenFilesHigh is patient", {"process_open_fds": "60x27 801x20"}),
    case("EventLoopSlow is patient", {lag("0.01"): "0+60x24 1490+50x15", lag("0.25"): "0+60x24 1490+50x15"}),
    case("nothing is sent in quiet hours", {SENT: "9", WAITING: "0x20 601x20", QUIET: "0x15 1x25"}),
    case("after quiet hours all is late", {WAITING: "1801", QUIET: "1x20 0x20"}),
    case("a link that is down sends nothing", {SENT: "9", WAITING: "601", **link("banned")}, "AccountBanned"),
    case("nobody is there whom we hear", {ONLINE: "0", 'wigwag_contacts{presence="offline"}': "0", UNKNOWN: "40"}),
]
SILENT = [case(f"{name} is silent", silent) for name, (_fires, silent) in CASES.items()]


def test_every_alert_has_a_case_that_fires_and_one_that_stays_silent() -> None:
    assert CASES.keys() == alerts().keys()
    assert [name for name, (fires, silent) in CASES.items() if not fires or not silent] == []


def test_exactly_the_right_alert_fires(promtool: str, tmp_path: Path) -> None:
    assert judged(promtool, tmp_path, [case("all is well", {}), *FIRING, *SILENT, *MORE]) == ""


def test_promtool_would_tell(promtool: str, tmp_path: Path) -> None:
    """A case that is wrong is not passed over."""
    wrong = [case("nothing fires", {"up": "0"}), case("it fires", {}, "ServiceDown")]
    assert judged(promtool, tmp_path, wrong).count("FAILED") > 0


def test_every_alert_names_what_it_is_about(promtool: str, tmp_path: Path) -> None:
    """What the words of an alert ask for is among its labels, and its runbook is written."""
    runbooks = set(re.findall(r"^## (\w+)$", (ROOT / "docs" / "RUNBOOKS.md").read_text(), re.MULTILINE))
    assert runbooks == alerts().keys()
    fired = told(promtool, tmp_path, FIRING)
    assert {labels["alertname"] for labels, _words in fired} == alerts().keys()
    for labels, words in fired:
        rule = alerts()[labels["alertname"]]
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"docs/RUNBOOKS.md#{rule['alert'].lower()}"
        asked = set(chain.from_iterable(re.findall(r"\$labels\.(\w+)", text) for text in rule["annotations"].values()))
        assert asked <= labels.keys(), rule["alert"]
        assert "error expanding" not in words


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_the_rules_are_rules(path: Path, promtool: str) -> None:
    checked = subprocess.run([promtool, "check", "rules", path], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr

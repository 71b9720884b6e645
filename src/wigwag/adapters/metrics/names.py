# SPDX-License-Identifier: Apache-2.0
"""Every metric of wigwag: name, type, labels and meaning, in one table. `docs/METRICS.md` is printed from it.

Nothing is measured here. Names of the seeds are kept as written; ours begin with `wigwag_`.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A family of series."""

    name: str
    kind: Kind
    labels: tuple[str, ...] = ()
    help: str

    @property
    def family(self) -> str:
        """Its name in OpenMetrics, where the family of a counter goes without `_total`."""
        return self.name.removesuffix("_total") if self.kind == "counter" else self.name


CONTACT_ONLINE = Metric(
    name="whatsapp_contact_online",
    kind="gauge",
    labels=("jid", "name"),
    help="Whether the contact is online (1) or offline (0); no sample while we do not know.",
)
CONTACT_STATUS_CHANGES = Metric(
    name="whatsapp_contact_status_changes_total",
    kind="counter",
    labels=("jid", "name", "status"),
    help="How often the contact turned online or offline while we listened.",
)
CONTACT_LAST_SEEN = Metric(
    name="whatsapp_contact_last_seen_timestamp_seconds",
    kind="gauge",
    labels=("jid", "name"),
    help="When the contact was last known to be online; no sample if hidden or never seen.",
)

CONTACTS = Metric(
    name="wigwag_contacts",
    kind="gauge",
    labels=("presence",),
    help="Tracked contacts by presence (online, offline, unknown); the sum is all of them.",
)
PRESENCE_EVENTS = Metric(
    name="wigwag_presence_events_total",
    kind="counter",
    labels=("presence",),
    help="Changes of any contact's presence, by what it became; unknown when we hear no more.",
)
TYPING_EVENTS = Metric(
    name="wigwag_typing_events_total",
    kind="counter",
    labels=("typing",),
    help="Changes of what any contact does in the chat with us: composing, recording, paused.",
)

SUBSCRIPTIONS = Metric(
    name="wigwag_subscriptions",
    kind="gauge",
    labels=("account", "state"),
    help="Subscriptions by state: queued, pending, active, stale, failed.",
)
SUBSCRIPTION_QUEUE = Metric(
    name="wigwag_subscription_queue_length",
    kind="gauge",
    labels=("account",),
    help="Contacts that wait to be subscribed, for the first time or again.",
)
SUBSCRIPTION_PACE = Metric(
    name="wigwag_subscription_pace_per_minute",
    kind="gauge",
    help="Contacts that each account may subscribe to in a minute.",
)
SUBSCRIPTION_EVENTS = Metric(
    name="wigwag_subscription_events_total",
    kind="counter",
    labels=("account", "state"),
    help="Subscriptions sent (pending), answered (active), gone stale, failed.",
)

CONNECTION_STATUS = Metric(
    name="whatsapp_connection_status",
    kind="gauge",
    labels=("account",),
    help="Whether the account's link to WhatsApp is up (1) or not (0).",
)
LINK_STATE = Metric(
    name="wigwag_link_state",
    kind="gauge",
    labels=("account", "state"),
    help="1 for the state that the account's link is in, 0 for all others.",
)
RESTRICTED_UNTIL = Metric(
    name="wigwag_account_restricted_until_timestamp_seconds",
    kind="gauge",
    labels=("account",),
    help="Until when the account sends no first message to strangers, after error 463; no sample while it does.",
)
RECONNECTS = Metric(
    name="whatsapp_reconnect_total",
    kind="counter",
    labels=("account", "reason"),
    help="Attempts to make a link again; the reason is link_down, or the state that we tried to leave.",
)
UPTIME = Metric(name="whatsapp_uptime_seconds", kind="gauge", help="Seconds since this process began its work.")

REQUEST_DURATION = Metric(
    name="whatsapp_request_duration_seconds",
    kind="histogram",
    labels=("route", "method", "status"),
    help="Seconds from an HTTP request to the end of its answer, by route template.",
)

MESSAGES_SENT = Metric(
    name="whatsapp_messages_sent_total",
    kind="counter",
    labels=("account", "type"),
    help="Messages that WhatsApp took, by what they are.",
)
MESSAGES_RECEIVED = Metric(
    name="whatsapp_messages_received_total",
    kind="counter",
    labels=("account", "type"),
    help="What others wrote, and we from other devices, by what it is; also edits, deletions, reactions, votes.",
)
MESSAGES_FAILED = Metric(
    name="whatsapp_messages_failed_total",
    kind="counter",
    labels=("account", "code"),
    help="Messages that will not be sent, by the reason.",
)
JOBS = Metric(
    name="wigwag_jobs",
    kind="gauge",
    labels=("account", "state"),
    help="Messages to send and sent, as far as they are kept, by state; no sample while the database is away.",
)
JOB_CHANGES = Metric(
    name="wigwag_job_changes_total",
    kind="counter",
    labels=("account", "state"),
    help="Steps in the life of messages, by the state that they came into.",
)
SEND_DURATION = Metric(
    name="wigwag_send_duration_seconds",
    kind="histogram",
    labels=("account",),
    help="Seconds from when a message was due to when WhatsApp had taken it.",
)
MEDIA_DURATION = Metric(
    name="whatsapp_media_processing_duration_seconds",
    kind="histogram",
    labels=("type", "direction"),
    help="Seconds to make media ready to be sent (out), or to download them (in).",
)
CALLS = Metric(name="wigwag_calls_total", kind="counter", labels=("account",), help="Calls that came in.")

WEBHOOK_DURATION = Metric(
    name="whatsapp_webhook_delivery_duration_seconds",
    kind="histogram",
    labels=("outcome",),
    help="Seconds that an attempt to deliver to a webhook endpoint took: delivered or failed.",
)
WEBHOOK_DELIVERIES = Metric(
    name="wigwag_webhook_deliveries_total",
    kind="counter",
    labels=("endpoint", "outcome"),
    help="Attempts by what came of them: delivered, retry (it is tried again), failed (for good).",
)
WEBHOOK_DROPPED = Metric(
    name="wigwag_webhook_dropped_total",
    kind="counter",
    labels=("endpoint",),
    help="Events that were not queued because too much waits for the endpoint; a replay brings them.",
)
WEBHOOK_BACKLOG = Metric(
    name="wigwag_webhook_backlog",
    kind="gauge",
    labels=("endpoint",),
    help="Deliveries that wait for the endpoint, for their first attempt or another.",
)
WEBHOOK_ENDPOINTS = Metric(
    name="wigwag_webhook_endpoints",
    kind="gauge",
    labels=("state",),
    help="Webhook endpoints by state: working, failing (only probed), disabled.",
)

PART_FAILURES = Metric(
    name="wigwag_part_failures_total",
    kind="counter",
    labels=("part", "code"),
    help="Times that a part of wigwag began to fail; it tries again by itself.",
)
PART_RECOVERIES = Metric(
    name="wigwag_part_recoveries_total",
    kind="counter",
    labels=("part",),
    help="Times that a failed part began to work again.",
)
RECORDER_BACKLOG = Metric(
    name="wigwag_recorder_backlog", kind="gauge", help="Intervals of history that wait to be written to the store."
)
RECORDER_DROPPED = Metric(
    name="wigwag_recorder_dropped_total",
    kind="counter",
    help="Intervals of history lost because the store was away for too long.",
)
INBOX_DROPPED = Metric(
    name="wigwag_inbox_dropped_total",
    kind="counter",
    help="Presences that were replaced by newer ones of the same contact before we came to read them.",
)
LOOP_LAG = Metric(
    name="wigwag_event_loop_lag_seconds",
    kind="histogram",
    help="How late a task wakes that asked to sleep for a second: what every event has to wait.",
)

WORKER_PROCESSED = Metric(
    name="worker_jobs_processed_total",
    kind="counter",
    labels=("worker", "status"),
    help="Envelopes from RabbitMQ that came to an end: sent, failed, cancelled, or invalid (never became a job).",
)
WORKER_DURATION = Metric(
    name="worker_job_duration_seconds",
    kind="histogram",
    labels=("worker",),
    help="Seconds from the acceptance of an envelope, or the time it was scheduled for, until sent or failed.",
)
WORKER_FAILED = Metric(
    name="worker_jobs_failed_total",
    kind="counter",
    labels=("worker", "error_type"),
    help="Envelopes from RabbitMQ that failed for good or were refused, by the stable word for the reason.",
)
WORKER_RETRIED = Metric(
    name="worker_jobs_retried_total",
    kind="counter",
    labels=("worker",),
    help="Times that a job from RabbitMQ is to be tried again, by itself or by a person.",
)
QUEUE_DEPTH = Metric(
    name="queue_depth",
    kind="gauge",
    labels=("queue_name",),
    help="Envelopes that wait in a queue of RabbitMQ; no sample while we do not know.",
)
QUEUE_DLQ_SIZE = Metric(
    name="queue_dlq_size",
    kind="gauge",
    labels=("queue_name",),
    help="Dead letters that wait for somebody; no sample while we do not know.",
)
ENVELOPES_ACCEPTED = Metric(
    name="wigwag_envelopes_accepted_total",
    kind="counter",
    labels=("dedup",),
    help="Envelopes that were accepted, by what a second copy is known by: key, message_id, or none but its content.",
)

BUILD_INFO = Metric(
    name="wigwag_build_info", kind="gauge", labels=("version", "python"), help="Always 1; the labels tell the build."
)
CPU_USAGE = Metric(
    name="process_cpu_usage_percent",
    kind="gauge",
    help="Processor time used since the scrape before, in percent of one core.",
)
MEMORY_USAGE = Metric(name="process_memory_usage_bytes", kind="gauge", help="Resident memory of this process.")

CONTACT_METRICS = (CONTACT_ONLINE, CONTACT_STATUS_CHANGES, CONTACT_LAST_SEEN)
FIXED_METRICS = (
    *(CONTACTS, PRESENCE_EVENTS, TYPING_EVENTS),
    *(SUBSCRIPTIONS, SUBSCRIPTION_QUEUE, SUBSCRIPTION_PACE, SUBSCRIPTION_EVENTS),
    *(CONNECTION_STATUS, LINK_STATE, RESTRICTED_UNTIL, RECONNECTS, UPTIME),
    REQUEST_DURATION,
    *(WEBHOOK_DURATION, WEBHOOK_DELIVERIES, WEBHOOK_DROPPED, WEBHOOK_BACKLOG, WEBHOOK_ENDPOINTS),
    *(MESSAGES_SENT, MESSAGES_RECEIVED, MESSAGES_FAILED, JOBS, JOB_CHANGES, SEND_DURATION, MEDIA_DURATION, CALLS),
    *(PART_FAILURES, PART_RECOVERIES, RECORDER_BACKLOG, RECORDER_DROPPED, INBOX_DROPPED, LOOP_LAG),
    *(WORKER_PROCESSED, WORKER_DURATION, WORKER_FAILED, WORKER_RETRIED, QUEUE_DEPTH, QUEUE_DLQ_SIZE),
    ENVELOPES_ACCEPTED,
    *(BUILD_INFO, CPU_USAGE, MEMORY_USAGE),
)
STANDARD = (
    *("process_cpu_seconds_total", "process_max_fds", "process_open_fds", "process_resident_memory_bytes"),
    *("process_start_time_seconds", "process_virtual_memory_bytes"),
)

_INTRODUCTION = """\
# Metrics

`GET /metrics` speaks Prometheus' text format 0.0.4, and OpenMetrics 1.0 to whoever asks for it. One scrape shows the
contacts at one instant. This page is printed by `python -m wigwag.adapters.metrics`.

With `WIGWAG_METRICS_LABELS=hashed`, `jid` is a keyed hash (`WIGWAG_METRICS_KEY`) and `name` is empty. While a contact
is unknown it has no `whatsapp_contact_online` sample, so an alert cannot take our outage for theirs: use
`wigwag_contacts{presence="unknown"}` and `whatsapp_connection_status` for that.
"""


def describe() -> str:
    """The table as a page for people (Markdown)."""
    parts = [_INTRODUCTION]
    for title, metrics in (("For each contact", CONTACT_METRICS), ("For the whole", FIXED_METRICS)):
        rows = [
            f"| `{m.name}` | {m.kind} | {', '.join(f'`{label}`' for label in m.labels)} | {m.help} |" for m in metrics
        ]
        parts.append("\n".join([f"## {title}\n", "| Name | Type | Labels | Meaning |", "|---|---|---|---|", *rows, ""]))
    standard = ", ".join(f"`{name}`" for name in STANDARD)
    parts.append(f"## Of the process\n\nThe standard ones, on Linux: {standard}.\n")
    return "\n".join(parts)

# SPDX-License-Identifier: Apache-2.0
"""Every metric of wigwag: name, type, labels and meaning, in one table. `docs/METRICS.md` is printed from it.

Nothing is measured here. Names of the seeds are kept as written; ours begin with `wigwag_`. A new metric is one line
here and one in `SECTIONS`.
"""

from wigwag.adapters.metrics.metric import Metric, counter, gauge, histogram

# --- For each contact

CONTACT_ONLINE = gauge(
    "whatsapp_contact_online",
    "Whether the contact is online (1) or offline (0); no sample while we do not know.",
    "jid",
    "name",
)
CONTACT_STATUS_CHANGES = counter(
    "whatsapp_contact_status_changes_total",
    "How often the contact turned online or offline while we listened.",
    "jid",
    "name",
    "status",
)
CONTACT_LAST_SEEN = gauge(
    "whatsapp_contact_last_seen_timestamp_seconds",
    "When the contact was last known to be online; no sample if hidden or never seen.",
    "jid",
    "name",
)

# --- Presence

CONTACTS = gauge(
    "wigwag_contacts", "Tracked contacts by presence (online, offline, unknown); the sum is all of them.", "presence"
)
PRESENCE_EVENTS = counter(
    "wigwag_presence_events_total",
    "Changes of any contact's presence, by what it became; unknown when we hear no more.",
    "presence",
)
TYPING_EVENTS = counter(
    "wigwag_typing_events_total",
    "Changes of what any contact does in the chat with us: composing, recording, paused.",
    "typing",
)

# --- Subscriptions

SUBSCRIPTIONS = gauge(
    "wigwag_subscriptions", "Subscriptions by state: queued, pending, active, stale, failed.", "account", "state"
)
SUBSCRIPTION_QUEUE = gauge(
    "wigwag_subscription_queue_length", "Contacts that wait to be subscribed, for the first time or again.", "account"
)
SUBSCRIPTION_PACE = gauge(
    "wigwag_subscription_pace_per_minute", "Contacts that each account may subscribe to in a minute."
)
SUBSCRIPTION_EVENTS = counter(
    "wigwag_subscription_events_total",
    "Subscriptions sent (pending), answered (active), gone stale, failed.",
    "account",
    "state",
)

# --- Links

CONNECTION_STATUS = gauge(
    "whatsapp_connection_status", "Whether the account's link to WhatsApp is up (1) or not (0).", "account"
)
LINK_STATE = gauge(
    "wigwag_link_state", "1 for the state that the account's link is in, 0 for all others.", "account", "state"
)
RECONNECTS = counter(
    "whatsapp_reconnect_total",
    "Attempts to make a link again; the reason is link_down, or the state that we tried to leave.",
    "account",
    "reason",
)
RESTRICTED_UNTIL = gauge(
    "wigwag_account_restricted_until_timestamp_seconds",
    "Until when the account sends no first message to strangers, after error 463; no sample while it does.",
    "account",
)
RESTRICTIONS = counter(
    "wigwag_account_restrictions_total",
    "Times that WhatsApp refused a first message to a stranger (error 463).",
    "account",
)
BANNED_UNTIL = gauge(
    "wigwag_account_banned_until_timestamp_seconds",
    "Until when WhatsApp banned the account; no sample while it is not banned.",
    "account",
)
BANS = counter(
    "wigwag_account_bans_total", "Times that WhatsApp told an account that it is banned for a time.", "account"
)
STALLS = counter(
    "wigwag_link_stalls_total",
    "Times that a link stood and nothing came through it: keep-alives, messages, requests, subscriptions unanswered.",
    "account",
    "reason",
)
HEARD = gauge(
    "wigwag_link_heard_timestamp_seconds",
    "When anything last came from WhatsApp for the account; no sample before the first.",
    "account",
)

# --- Messages

MESSAGES_SENT = counter(
    "whatsapp_messages_sent_total", "Messages that WhatsApp took, by what they are.", "account", "type"
)
MESSAGES_RECEIVED = counter(
    "whatsapp_messages_received_total",
    "What others wrote, and we from other devices, by what it is; also edits, deletions, reactions, votes.",
    "account",
    "type",
)
MESSAGES_FAILED = counter(
    "whatsapp_messages_failed_total", "Messages that will not be sent, by the reason.", "account", "code"
)
JOBS = gauge(
    "wigwag_jobs",
    "Messages to send and sent, as far as they are kept, by state; no sample while the database is away.",
    "account",
    "state",
)
JOB_CHANGES = counter(
    "wigwag_job_changes_total", "Steps in the life of messages, by the state that they came into.", "account", "state"
)
JOB_WAIT = gauge(
    "wigwag_job_oldest_waiting_seconds",
    "How long the message is overdue that is due for longest; 0 if none waits, no sample while the database is away.",
    "account",
)
QUIET = gauge("wigwag_quiet", "Whether it is the time in which nothing is sent on purpose (1) or not (0).")
SEND_DURATION = histogram(
    "wigwag_send_duration_seconds", "Seconds from when a message was due to when WhatsApp had taken it.", "account"
)
MEDIA_DURATION = histogram(
    "whatsapp_media_processing_duration_seconds",
    "Seconds to make media ready to be sent (out), or to download them (in).",
    "type",
    "direction",
)
MEDIA_SIZE = gauge("wigwag_media_bytes", "Media that are kept on disk.")
CALLS = counter("wigwag_calls_total", "Calls that came in.", "account")

# --- Webhooks

WEBHOOK_DURATION = histogram(
    "whatsapp_webhook_delivery_duration_seconds",
    "Seconds that an attempt to deliver to a webhook endpoint took: delivered or failed.",
    "outcome",
)
WEBHOOK_DELIVERIES = counter(
    "wigwag_webhook_deliveries_total",
    "Attempts by what came of them: delivered, retry (it is tried again), failed (for good).",
    "endpoint",
    "outcome",
)
WEBHOOK_DROPPED = counter(
    "wigwag_webhook_dropped_total",
    "Events that were not queued because too much waits for the endpoint; a replay brings them.",
    "endpoint",
)
WEBHOOK_BACKLOG = gauge(
    "wigwag_webhook_backlog", "Deliveries that wait for the endpoint, for their first attempt or another.", "endpoint"
)
WEBHOOK_ENDPOINTS = gauge(
    "wigwag_webhook_endpoints", "Webhook endpoints by state: working, failing (only probed), disabled.", "state"
)

# --- RabbitMQ

WORKER_PROCESSED = counter(
    "worker_jobs_processed_total",
    "Envelopes from RabbitMQ that came to an end: sent, failed, cancelled, or invalid (never became a job).",
    "worker",
    "status",
)
WORKER_DURATION = histogram(
    "worker_job_duration_seconds",
    "Seconds from the acceptance of an envelope, or the time it was scheduled for, until sent or failed.",
    "worker",
)
WORKER_FAILED = counter(
    "worker_jobs_failed_total",
    "Envelopes from RabbitMQ that failed for good or were refused, by the stable word for the reason.",
    "worker",
    "error_type",
)
WORKER_RETRIED = counter(
    "worker_jobs_retried_total",
    "Times that a job from RabbitMQ is to be tried again, by itself or by a person.",
    "worker",
)
QUEUE_DEPTH = gauge(
    "queue_depth", "Envelopes that wait in a queue of RabbitMQ; no sample while we do not know.", "queue_name"
)
QUEUE_DLQ_SIZE = gauge(
    "queue_dlq_size", "Dead letters that wait for somebody; no sample while we do not know.", "queue_name"
)
ENVELOPES_ACCEPTED = counter(
    "wigwag_envelopes_accepted_total",
    "Envelopes that were accepted, by what a second copy is known by: key, message_id, or none but its content.",
    "dedup",
)

# --- The gateway

REQUEST_DURATION = histogram(
    "whatsapp_request_duration_seconds",
    "Seconds from an HTTP request to the end of its answer, by route template.",
    "route",
    "method",
    "status",
)
READY = gauge(
    "wigwag_ready",
    "Whether a part works (1) or not (0), as /readyz says: storage, broker, and the link of each account.",
    "part",
)
PART_FAILURES = counter(
    "wigwag_part_failures_total", "Times that a part of wigwag began to fail; it tries again by itself.", "part", "code"
)
PART_RECOVERIES = counter("wigwag_part_recoveries_total", "Times that a failed part began to work again.", "part")
RECORDER_BACKLOG = gauge("wigwag_recorder_backlog", "Intervals of history that wait to be written to the store.")
RECORDER_DROPPED = counter(
    "wigwag_recorder_dropped_total", "Intervals of history lost because the store was away for too long."
)
TELLER_DROPPED = counter(
    "wigwag_events_dropped_total", "Events for webhooks and streams lost because the store was away for too long."
)
INBOX_LENGTH = gauge("wigwag_inbox_length", "Reports from WhatsApp that we have not come to read yet.")
INBOX_DROPPED = counter(
    "wigwag_inbox_dropped_total",
    "Presences that were replaced by newer ones of the same contact before we came to read them.",
)
EVENT_CLIENTS = gauge("wigwag_event_clients", "Clients that follow /api/events now.")
EVENT_CLIENTS_CUT = counter(
    "wigwag_event_clients_cut_total", "Clients of /api/events that were cut because they did not read."
)
EVENT_RESUMES = counter(
    "wigwag_event_resumes_total", "Clients of /api/events that came back and went on without a gap."
)
EVENT_RESETS = counter(
    "wigwag_event_resets_total",
    "Clients of /api/events that were told to read anew, because what they missed is not kept.",
)
SINK_FAILURES = counter(
    "wigwag_sink_failures_total",
    "Facts that a sink of the fan-out failed to take, which is a bug; other sinks got them.",
    "sink",
)
STORAGE_DURATION = histogram(
    "wigwag_storage_duration_seconds",
    "Seconds that a read or a write transaction took, with the wait for a connection or for the writer before it.",
    "operation",
)
STORAGE_FAILURES = counter(
    "wigwag_storage_failures_total", "Reads and writes to which the database did not answer as it should.", "operation"
)
TRACE_SPANS = counter(
    "wigwag_trace_spans_total",
    "Spans of traces by what became of them: exported, failed, dropped (too many wait).",
    "outcome",
)
ACCESS_REFUSED = counter("wigwag_access_refused_total", "Requests that were turned away, by why.", "reason")
SIGN_INS = counter("wigwag_sign_ins_total", "Times that a browser exchanged a key for a cookie.")
MCP_TOOL_CALLS = counter(
    "wigwag_mcp_tool_calls_total",
    "Uses of tools by language models, by outcome: ok, failed, refused.",
    "tool",
    "outcome",
)
AUDIT_DROPPED = counter("wigwag_audit_dropped_total", "Entries of the audit log lost while the store was away.")
LOOP_LAG = histogram(
    "wigwag_event_loop_lag_seconds",
    "How late a task wakes that asked to sleep for a second: what every event has to wait.",
)

# --- Users

SOCKETS = gauge("wigwag_socket_connections", "Connections of clients of Socket.IO now.")
SOCKETS_OPENED = counter("wigwag_socket_connections_opened_total", "Connections of clients that were opened.")
SOCKETS_ENDED = counter(
    "wigwag_socket_connections_ended_total",
    "Connections that ended, by why: slow_reader, ping_timeout, rate_limited, goodbye and so on.",
    "reason",
)
SOCKETS_REFUSED = counter(
    "wigwag_socket_refused_total",
    "Connections and packets that were refused, by why: origin, connections, or the code that the client was told.",
    "reason",
)
SOCKETS_SILENT = counter("wigwag_socket_silent_total", "Times that a client did not answer a ping within 6 seconds.")
SOCKET_PACKETS = counter("wigwag_socket_packets_total", "Packets of Socket.IO, in from clients and out.", "direction")
SOCKET_DELIVERIES = counter("wigwag_socket_deliveries_total", "Events that were sent, counted for each socket.")
SOCKET_FAULTS = counter(
    "wigwag_socket_faults_total", "Packets that we failed to handle, which is a bug or a store away."
)
DEVICES = gauge("wigwag_devices", "Connections that said which user they belong to.")
USERS_ACTIVE = gauge("wigwag_users_active", "Users with at least one device; no sample while we do not know.")
NODE_LIVE = gauge("wigwag_nodes", "Nodes with a lease, this one included.")
RELAY_LAG = gauge("wigwag_relay_lag_changes", "Changes of the roster that this node has not heard of yet.")
NODE_REFUSED = counter("wigwag_node_refused_total", "Writes that were refused since this node's lease had ended.")

# --- The process

BUILD_INFO = gauge("wigwag_build_info", "Always 1; the labels tell the build.", "version", "python")
UPTIME = gauge("whatsapp_uptime_seconds", "Seconds since this process began its work.")
CPU_USAGE = gauge("process_cpu_usage_percent", "Processor time used since the scrape before, in percent of one core.")
MEMORY_USAGE = gauge("process_memory_usage_bytes", "Resident memory of this process.")
MEMORY_LIMIT = gauge(
    "wigwag_memory_limit_bytes",
    "Memory that this process may have: the limit of its container, or what the machine has.",
)
NETWORK_IN = counter(
    "process_network_receive_bytes_total", "Bytes received over IP by this container or machine, loopback included."
)
NETWORK_OUT = counter(
    "process_network_transmit_bytes_total", "Bytes sent over IP by this container or machine, loopback included."
)
DISK_SIZE = gauge("wigwag_disk_size_bytes", "Size of the disk that has the data directory (WHATSAPP_SESSION_PATH).")
DISK_FREE = gauge("wigwag_disk_free_bytes", "What is left of that disk for us.")
NODE_STEPS = counter(
    "wigwag_node_steps_total",
    "What happened to this gateway as a node of the roster: joined, fenced and so on.",
    "step",
)
NODE_SYNCED = gauge("wigwag_node_synced", "Whether this node hears of the users of all nodes (1); 0 until it does.")


SECTIONS: dict[str, tuple[Metric, ...]] = {
    "Contacts": (CONTACT_ONLINE, CONTACT_STATUS_CHANGES, CONTACT_LAST_SEEN),
    "Presence": (CONTACTS, PRESENCE_EVENTS, TYPING_EVENTS),
    "Subscriptions": (SUBSCRIPTIONS, SUBSCRIPTION_QUEUE, SUBSCRIPTION_PACE, SUBSCRIPTION_EVENTS),
    "Accounts and links": (
        *(CONNECTION_STATUS, LINK_STATE, RECONNECTS, STALLS, HEARD),
        *(RESTRICTED_UNTIL, RESTRICTIONS, BANNED_UNTIL, BANS),
    ),
    "Messages": (
        *(MESSAGES_SENT, MESSAGES_RECEIVED, MESSAGES_FAILED, JOBS, JOB_CHANGES, JOB_WAIT),
        *(QUIET, SEND_DURATION, MEDIA_DURATION, MEDIA_SIZE, CALLS),
    ),
    "Webhooks": (WEBHOOK_DURATION, WEBHOOK_DELIVERIES, WEBHOOK_DROPPED, WEBHOOK_BACKLOG, WEBHOOK_ENDPOINTS),
    "RabbitMQ": (
        *(WORKER_PROCESSED, WORKER_DURATION, WORKER_FAILED, WORKER_RETRIED),
        *(QUEUE_DEPTH, QUEUE_DLQ_SIZE, ENVELOPES_ACCEPTED),
    ),
    "Users": (
        *(USERS_ACTIVE, DEVICES, SOCKETS, SOCKETS_OPENED, SOCKETS_ENDED, SOCKETS_REFUSED),
        *(SOCKETS_SILENT, SOCKET_PACKETS, SOCKET_DELIVERIES, SOCKET_FAULTS),
        *(NODE_LIVE, RELAY_LAG, NODE_REFUSED),
    ),
    "The gateway": (
        *(REQUEST_DURATION, READY, PART_FAILURES, PART_RECOVERIES, SINK_FAILURES),
        *(RECORDER_BACKLOG, RECORDER_DROPPED, TELLER_DROPPED, INBOX_LENGTH, INBOX_DROPPED),
        *(STORAGE_DURATION, STORAGE_FAILURES, LOOP_LAG, TRACE_SPANS, NODE_STEPS, NODE_SYNCED),
        *(ACCESS_REFUSED, SIGN_INS, MCP_TOOL_CALLS, AUDIT_DROPPED),
        *(EVENT_CLIENTS, EVENT_CLIENTS_CUT, EVENT_RESUMES, EVENT_RESETS),
    ),
    "The process": (
        *(BUILD_INFO, UPTIME, CPU_USAGE, MEMORY_USAGE, MEMORY_LIMIT),
        *(NETWORK_IN, NETWORK_OUT, DISK_SIZE, DISK_FREE),
    ),
}
CONTACT_METRICS = SECTIONS["Contacts"]
FIXED_METRICS = tuple(metric for metrics in SECTIONS.values() for metric in metrics if metric not in CONTACT_METRICS)
STANDARD = (
    *("process_cpu_seconds_total", "process_max_fds", "process_open_fds", "process_resident_memory_bytes"),
    *("process_start_time_seconds", "process_virtual_memory_bytes"),
)

# SPDX-License-Identifier: Apache-2.0
"""The six dashboards: what is on them, from top to bottom (seeds 000 and 002). How a panel looks is not known here."""

from wigwag.adapters.grafana.model import Board, Panel, Query

HERE = 'instance=~"$instance"'
OURS = f'{HERE},account=~"$account"'
OVER = "[$__rate_interval]"
NOT_PROBES = f'{HERE},route!~"/livez|/readyz|/healthz|/app/devices"'
REQUESTS = "whatsapp_request_duration_seconds"
FAILED_REQUESTS = f'sum(rate({REQUESTS}_count{{{NOT_PROBES},status=~"5.."}}{OVER})) or vector(0)'
ERROR_RATE = f"({FAILED_REQUESTS}) / sum(rate({REQUESTS}_count{{{NOT_PROBES}}}{OVER}))"
ATTEMPTS = f"sum by (endpoint) (rate(wigwag_webhook_deliveries_total{{{HERE}}}{OVER}))"


def _rate(metric: str, by: str, where: str = HERE) -> Query:
    """How often a second, by a label."""
    return Query(f"sum by ({by}) (rate({metric}{{{where}}}{OVER}))", f"{{{{{by}}}}}")


def _rare(metric: str, by: str, where: str = HERE) -> Query:
    """The same for what may never have happened: then it is 0."""
    return Query(f"sum by ({by}) (increase({metric}{{{where}}}{OVER})) or vector(0)", f"{{{{{by}}}}}")


def _quantiles(histogram: str, where: str = HERE) -> tuple[Query, ...]:
    shares = ((0.5, "P50"), (0.95, "P95"), (0.99, "P99"))
    rate = f"sum by (le) (rate({histogram}_bucket{{{where}}}{OVER}))"
    return tuple(Query(f"histogram_quantile({share}, {rate})", name) for share, name in shares)


def _gauge(metric: str, by: str, where: str = HERE) -> Query:
    return Query(f"sum by ({by}) ({metric}{{{where}}})", f"{{{{{by}}}}}")


def _figure(title: str, expr: str, **more: object) -> Panel:
    """A small panel with one number."""
    return Panel(title=title, queries=(Query(expr),), kind="stat", **{"width": 4, "height": 4, **more})  # type: ignore[arg-type]


OVERVIEW = Board(
    name="overview",
    title="Overview",
    about="Whether all is well, at a glance.",
    panels=(
        Panel(
            title="Connection",
            queries=(Query(f"max by (account) (whatsapp_connection_status{{{OURS}}})", "{{account}}"),),
            kind="stat",
            words=("down", "connected"),
            width=8,
            height=4,
        ),
        _figure(
            "Uptime of the links",
            f"avg(avg_over_time(whatsapp_connection_status{{{OURS}}}[$__range]))",
            unit="percentunit",
            about="The share of the chosen time for which the links stood.",
        ),
        _figure("Error rate", ERROR_RATE, unit="percentunit", red_above=0.1, about="Of HTTP requests, without probes."),
        _figure(
            "Alerts", 'count(ALERTS{alertstate="firing",job="wigwag"}) or vector(0)', red_above=1, about="Firing now."
        ),
        _figure("Process runs since", f"max(whatsapp_uptime_seconds{{{HERE}}})", unit="s"),
        _figure("Messages sent", f"sum(increase(whatsapp_messages_sent_total{{{OURS}}}[$__range])) or vector(0)"),
        _figure(
            "Messages received", f"sum(increase(whatsapp_messages_received_total{{{OURS}}}[$__range])) or vector(0)"
        ),
        _figure("Contacts online", f'sum(wigwag_contacts{{{HERE},presence="online"}})'),
        _figure("Contacts unknown", f'sum(wigwag_contacts{{{HERE},presence="unknown"}})', about="We do not hear them."),
        _figure("Unconfirmed messages", f'sum(wigwag_jobs{{{OURS},state="unconfirmed"}})', red_above=1),
        _figure("Dead letters", f"sum(queue_dlq_size{{{HERE}}}) or vector(0)", red_above=1),
        Panel(
            title="State of the links",
            queries=(Query(f"max by (account, state) (wigwag_link_state{{{OURS}}} == 1)", "{{account}}: {{state}}"),),
            kind="state-timeline",
            width=24,
            height=6,
        ),
        Panel(
            title="Parts that work",
            queries=(Query(f"min by (part) (wigwag_ready{{{HERE}}})", "{{part}}"),),
            kind="state-timeline",
            words=("failing", "works"),
        ),
        Panel(
            title="Messages a second",
            queries=(
                Query(f"sum(rate(whatsapp_messages_sent_total{{{OURS}}}{OVER})) or vector(0)", "sent"),
                Query(f"sum(rate(whatsapp_messages_received_total{{{OURS}}}{OVER})) or vector(0)", "received"),
                Query(f"sum(rate(whatsapp_messages_failed_total{{{OURS}}}{OVER})) or vector(0)", "failed"),
            ),
        ),
    ),
)

PERFORMANCE = Board(
    name="performance",
    title="Performance",
    about="How fast things go, and how much of them.",
    panels=(
        Panel(title="Requests", queries=_quantiles(REQUESTS, NOT_PROBES), unit="s"),
        Panel(title="Requests a second", queries=(_rate(f"{REQUESTS}_count", "route"),), unit="reqps"),
        Panel(title="Webhook deliveries", queries=_quantiles("whatsapp_webhook_delivery_duration_seconds"), unit="s"),
        Panel(title="Media", queries=_quantiles("whatsapp_media_processing_duration_seconds"), unit="s"),
        Panel(
            title="Messages, from due to sent",
            queries=_quantiles("wigwag_send_duration_seconds", OURS),
            unit="s",
            about="The pace of an account is part of it.",
        ),
        Panel(title="Envelopes, from accepted to sent", queries=_quantiles("worker_job_duration_seconds"), unit="s"),
        Panel(title="Database", queries=_quantiles("wigwag_storage_duration_seconds"), unit="s"),
        Panel(title="Event loop is late by", queries=_quantiles("wigwag_event_loop_lag_seconds"), unit="s"),
    ),
)

RESOURCES = Board(
    name="resources",
    title="Resources",
    about="What the process uses, and what there is.",
    panels=(
        Panel(
            title="Processor",
            queries=(Query(f"process_cpu_usage_percent{{{HERE}}}", "{{instance}}"),),
            unit="percent",
            about="Of one core. Most of wigwag is one thread.",
        ),
        Panel(
            title="Memory",
            queries=(
                Query(f"process_memory_usage_bytes{{{HERE}}}", "{{instance}} uses"),
                Query(f"wigwag_memory_limit_bytes{{{HERE}}}", "{{instance}} may use"),
            ),
            unit="bytes",
        ),
        Panel(
            title="Data disk",
            queries=(
                Query(f"wigwag_disk_size_bytes{{{HERE}}} - wigwag_disk_free_bytes{{{HERE}}}", "{{instance}} used"),
                Query(f"wigwag_disk_size_bytes{{{HERE}}}", "{{instance}} size"),
                Query(f"wigwag_media_bytes{{{HERE}}}", "{{instance}} media"),
            ),
            unit="bytes",
        ),
        Panel(
            title="Network",
            queries=(
                Query(f"rate(process_network_receive_bytes_total{{{HERE}}}{OVER})", "{{instance}} in"),
                Query(f"rate(process_network_transmit_bytes_total{{{HERE}}}{OVER})", "{{instance}} out"),
            ),
            unit="Bps",
        ),
        Panel(
            title="Open files",
            queries=(
                Query(f"process_open_fds{{{HERE}}}", "{{instance}} open"),
                Query(f"process_max_fds{{{HERE}}}", "{{instance}} limit"),
            ),
        ),
        Panel(
            title="Waiting in memory",
            queries=(
                Query(f"wigwag_inbox_length{{{HERE}}}", "{{instance}} reports"),
                Query(f"wigwag_recorder_backlog{{{HERE}}}", "{{instance}} intervals of history"),
            ),
        ),
    ),
)

ERRORS = Board(
    name="errors",
    title="Errors",
    about="What goes wrong, and why.",
    panels=(
        Panel(title="Error rate", queries=(Query(ERROR_RATE, "5xx of all"),), unit="percentunit", red_above=0.1),
        Panel(title="Failed requests", queries=(_rare(f"{REQUESTS}_count", "route", f'{HERE},status=~"5.."'),)),
        Panel(title="Failed messages, by reason", queries=(_rare("whatsapp_messages_failed_total", "code", OURS),)),
        Panel(
            title="Envelopes that led to nothing, by reason", queries=(_rare("worker_jobs_failed_total", "error_type"),)
        ),
        Panel(
            title="Webhook failures",
            queries=(
                Query(
                    f'(sum by (endpoint) (rate(wigwag_webhook_deliveries_total{{{HERE},outcome!="delivered"}}{OVER}))'
                    f" or {ATTEMPTS} * 0) / {ATTEMPTS}",
                    "{{endpoint}}",
                ),
            ),
            unit="percentunit",
            red_above=0.2,
        ),
        Panel(title="Links made again, by reason", queries=(_rare("whatsapp_reconnect_total", "reason", OURS),)),
        Panel(title="Parts that began to fail", queries=(_rare("wigwag_part_failures_total", "part"),)),
        Panel(
            title="WhatsApp says no",
            queries=(
                Query(f"sum(increase(wigwag_account_bans_total{{{OURS}}}{OVER})) or vector(0)", "bans"),
                Query(f"sum(increase(wigwag_account_restrictions_total{{{OURS}}}{OVER})) or vector(0)", "restrictions"),
                Query(f"sum(increase(wigwag_link_stalls_total{{{OURS}}}{OVER})) or vector(0)", "stalled links"),
            ),
        ),
        Panel(
            title="Lost",
            queries=(
                Query(f"sum(increase(wigwag_recorder_dropped_total{{{HERE}}}{OVER}))", "intervals of history"),
                Query(f"sum(increase(wigwag_events_dropped_total{{{HERE}}}{OVER}))", "events"),
                Query(
                    f"sum(increase(wigwag_webhook_dropped_total{{{HERE}}}{OVER})) or vector(0)", "webhook deliveries"
                ),
                Query(f"sum(increase(wigwag_sink_failures_total{{{HERE}}}{OVER})) or vector(0)", "facts, by defects"),
            ),
        ),
        Panel(title="Steps of nodes", queries=(_rare("wigwag_node_steps_total", "step"),)),
        Panel(title="Database failures", queries=(_rare("wigwag_storage_failures_total", "operation"),)),
        Panel(
            title="Recent errors in the log",
            queries=(Query('{job="wigwag"} | json | level=~"error|critical"'),),
            kind="logs",
            width=24,
            height=10,
        ),
    ),
)

PRESENCE = Board(
    name="presence",
    title="Presence",
    about="Who is online, as far as we hear it.",
    panels=(
        _figure("Online", f"sum(whatsapp_contact_online{{{HERE}}})", about="Of the contacts whom we hear."),
        _figure("Observed", f'sum(wigwag_contacts{{{HERE},presence!="unknown"}})'),
        _figure("Subscribed", f'sum(wigwag_subscriptions{{{OURS},state="active"}})'),
        _figure("Waiting for their turn", f"sum(wigwag_subscription_queue_length{{{OURS}}})"),
        _figure(
            "Asked a minute", f"max(wigwag_subscription_pace_per_minute{{{HERE}}})", about="At most, each account."
        ),
        _figure("Typing or recording", f"sum(increase(wigwag_typing_events_total{{{HERE}}}[$__range])) or vector(0)"),
        Panel(title="Contacts", queries=(_gauge("wigwag_contacts", "presence"),), stacked=True),
        Panel(title="Subscriptions", queries=(_gauge("wigwag_subscriptions", "state", OURS),), stacked=True),
        Panel(
            title="Status changes a minute",
            queries=(
                Query(
                    f"60 * sum by (name, status) (rate(whatsapp_contact_status_changes_total{{{HERE}}}{OVER}))",
                    "{{name}} - {{status}}",
                ),
            ),
            width=24,
            about="Of each contact. With thousands of them, choose some by a filter on the name.",
        ),
        Panel(title="Presences that came", queries=(_rate("wigwag_presence_events_total", "presence"),)),
        Panel(title="Steps of subscriptions", queries=(_rate("wigwag_subscription_events_total", "state", OURS),)),
        Panel(
            title="Contacts",
            queries=(Query(f"whatsapp_contact_online{{{HERE}}}"),),
            kind="table",
            words=("offline", "online"),
            height=12,
        ),
        Panel(
            title="Last seen",
            queries=(Query(f"whatsapp_contact_last_seen_timestamp_seconds{{{HERE}}} * 1000"),),
            kind="table",
            unit="dateTimeFromNow",
            height=12,
        ),
    ),
)

MESSAGES = Board(
    name="messages",
    title="Messages",
    about="What goes out and comes in, and what waits.",
    panels=(
        Panel(title="Sent, by type", queries=(_rate("whatsapp_messages_sent_total", "type", OURS),), stacked=True),
        Panel(
            title="Received, by type", queries=(_rate("whatsapp_messages_received_total", "type", OURS),), stacked=True
        ),
        Panel(
            title="Messages that wait",
            queries=(
                Query(f'sum by (state) (wigwag_jobs{{{OURS},state=~"accepted|sending|unconfirmed"}})', "{{state}}"),
            ),
        ),
        Panel(
            title="The oldest is late by",
            queries=(_gauge("wigwag_job_oldest_waiting_seconds", "account", OURS),),
            unit="s",
        ),
        Panel(title="Steps of messages", queries=(_rate("wigwag_job_changes_total", "state", OURS),)),
        Panel(title="Calls", queries=(_rare("wigwag_calls_total", "account", OURS),)),
        Panel(
            title="RabbitMQ",
            queries=(
                Query(f"sum by (queue_name) (queue_depth{{{HERE}}}) or vector(0)", "{{queue_name}}"),
                Query(f"sum by (queue_name) (queue_dlq_size{{{HERE}}}) or vector(0)", "{{queue_name}}"),
            ),
        ),
        Panel(title="Envelopes, by what became of them", queries=(_rare("worker_jobs_processed_total", "status"),)),
        Panel(
            title="Envelopes taken in, by what a copy is known by",
            queries=(
                _rare("wigwag_envelopes_accepted_total", "dedup"),
                Query(f"sum(increase(worker_jobs_retried_total{{{HERE}}}{OVER}))", "tried again"),
            ),
        ),
        Panel(title="Webhook deliveries, by outcome", queries=(_rate("wigwag_webhook_deliveries_total", "outcome"),)),
        Panel(title="Webhook deliveries that wait", queries=(_gauge("wigwag_webhook_backlog", "endpoint"),)),
        Panel(title="Webhook endpoints", queries=(_gauge("wigwag_webhook_endpoints", "state"),), stacked=True),
    ),
)

BOARDS = (OVERVIEW, PERFORMANCE, RESOURCES, ERRORS, PRESENCE, MESSAGES)

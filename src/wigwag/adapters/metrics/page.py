# SPDX-License-Identifier: Apache-2.0
"""The table of `names` as a page for people: docs/METRICS.md. Nothing is said here that is not in the table."""

from wigwag.adapters.metrics.names import SECTIONS, STANDARD

_INTRODUCTION = """\
# Metrics

`GET /metrics` speaks Prometheus' text format 0.0.4, and OpenMetrics 1.0 to whoever asks for it. One scrape shows the
contacts at one instant. This page is printed by `python -m wigwag.adapters.metrics`.

With `WIGWAG_METRICS_LABELS=hashed`, `jid` is a keyed hash (`WIGWAG_METRICS_KEY`) and `name` is empty. With
`WIGWAG_METRICS_TOKEN`, a scraper must send the token: `Authorization: Bearer …`.

While a contact is unknown it has no `whatsapp_contact_online` sample, so an alert cannot take our outage for theirs:
use `wigwag_contacts{presence="unknown"}` and `whatsapp_connection_status` for that.
"""


def describe() -> str:
    """The table as a page for people (Markdown)."""
    parts = [_INTRODUCTION]
    for title, metrics in SECTIONS.items():
        rows = [
            f"| `{m.name}` | {m.kind} | {', '.join(f'`{label}`' for label in m.labels)} | {m.help} |" for m in metrics
        ]
        parts.append("\n".join([f"## {title}\n", "| Name | Type | Labels | Meaning |", "|---|---|---|---|", *rows, ""]))
    standard = ", ".join(f"`{name}`" for name in STANDARD)
    parts.append(f"The standard ones, on Linux: {standard}.\n")
    return "\n".join(parts)

# SPDX-License-Identifier: Apache-2.0
"""Webhooks: the events of the log, delivered to the endpoints that want them.

    event log ──router──▶ deliveries, on disk ──lane──▶ endpoint
                                 ▲                 │
                                 └──── clerk ◀─────┘ what came of it

The router queues deliveries and moves its cursor in one transaction, and a delivery ends only by what is written down.
So every event is delivered at least once, whoever kills us.
"""

from wigwag.app.webhooks.desk import Hooks, Webhooks

__all__ = ["Hooks", "Webhooks"]

# SPDX-License-Identifier: Apache-2.0
"""The room of Prometheus: what `/metrics` says. It reads the book and the gateway and is a sink for facts.

No HTTP here, and no decision: `names` is the table, `contacts` the series of each contact, `counters` what is counted
as it happens, `readings` what is read when somebody asks.
"""

from wigwag.adapters.metrics.contacts import Labels, hashed, named
from wigwag.adapters.metrics.exposition import Metrics
from wigwag.adapters.metrics.readings import Figures

__all__ = ["Figures", "Labels", "Metrics", "hashed", "named"]

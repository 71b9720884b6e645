# SPDX-License-Identifier: Apache-2.0
"""The room of Grafana: dashboards over what `/metrics` says, as the JSON that Grafana takes.

`boards` is the table of panels, `model` makes them JSON. Nothing is measured here, and nothing is asked of Grafana;
metrics are named in the room of metrics. `deploy/grafana` is what this prints.
"""

from wigwag.adapters.grafana.boards import BOARDS
from wigwag.adapters.grafana.model import Board, Panel, Query

__all__ = ["BOARDS", "Board", "Panel", "Query"]

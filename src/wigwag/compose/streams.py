# SPDX-License-Identifier: Apache-2.0
"""What the live stream tells others of itself, and is told by them."""

from collections.abc import Callable

from wigwag.adapters.metrics import Figures, Metrics
from wigwag.adapters.metrics.names import EVENT_CLIENTS, EVENT_CLIENTS_CUT, EVENT_RESETS, EVENT_RESUMES
from wigwag.adapters.rest import Stream


def stream_figures(stream: Stream) -> Figures:
    """Where metrics read about it."""
    return {
        EVENT_CLIENTS: lambda: len(stream.clients),
        EVENT_CLIENTS_CUT: lambda: stream.tally.cut,
        EVENT_RESUMES: lambda: stream.tally.resumed,
        EVENT_RESETS: lambda: stream.tally.reset,
    }


def observers(figures: Metrics, stream: Stream) -> Callable[[str, str, int, float], None]:
    """Who is told of each answered request."""

    def observe(route: str, method: str, status: int, seconds: float) -> None:
        figures.observe_request(route, method, status, seconds)
        stream.figures.observe_request(route, seconds)

    return observe

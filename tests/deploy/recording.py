# SPDX-License-Identifier: Apache-2.0
"""Records what a gateway exports, scrape by scrape, as series that promtool reads."""

from tests.deploy.alerting import rules
from tests.deploy.expressions import metrics_of
from wigwag.adapters.metrics import Metrics

EVERY = 15  # seconds between two scrapes
# Of the machine that the test runs on, and of its true time; no fault is about them.
OF_THE_MACHINE = ("process_", "wigwag_disk_", "wigwag_memory_", "wigwag_event_loop_", "wigwag_storage_")
NEEDED = set().union(*(metrics_of(rule["expr"]) for rule in rules()))


class Recorder:
    """A scraper with a memory."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._recorded: dict[str, list[str]] = {}
        self.scrapes = 0

    async def scrape(self) -> None:
        _type, chunks = await self._metrics.exposition("")
        text = b"".join([chunk async for chunk in chunks]).decode()
        for line in text.splitlines():
            series, _, value = line.rpartition(" ")
            if not line.startswith(("#", *OF_THE_MACHINE)) and metrics_of(series.partition("{")[0]) <= NEEDED:
                self._recorded.setdefault(series, ["_"] * self.scrapes).append(value)
        self.scrapes += 1
        for row in self._recorded.values():
            row.extend(["_"] * (self.scrapes - len(row)))

    def series(self) -> dict[str, str]:
        """Values by series."""
        return {"up": f"1x{self.scrapes}", **{name: " ".join(row) for name, row in self._recorded.items()}}

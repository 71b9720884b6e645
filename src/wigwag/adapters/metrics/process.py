# SPDX-License-Identifier: Apache-2.0
"""What this process uses of its machine, and what it may use. What cannot be read here has no sample.

Nothing is kept between two scrapes but the processor time at the last one.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from wigwag.adapters.metrics import names
from wigwag.adapters.metrics.metric import Metric
from wigwag.app.ports import Clock

SHORTEST = 1.0  # seconds over which processor use is worth a figure
CGROUP = Path("/sys/fs/cgroup")
_LIMITS = (CGROUP / "memory.max", CGROUP / "memory/memory.limit_in_bytes")  # of version 2 and version 1

Value = float | None


class ProcessReadings(Collector):
    """Reads the process and its surroundings.

    Args:
        data: the directory whose disk is of interest.
    """

    def __init__(self, clock: Clock, data: Path) -> None:
        self._clock, self._data = clock, data
        self._measured = clock.now()
        self._processor, self._usage = processor_seconds(), 0.0

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Called by the registry at each scrape."""
        for metric, value in self._all():
            family = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            read = family(metric.name, metric.help)
            if value is not None:
                read.add_metric((), value)
            yield read

    def _all(self) -> Iterator[tuple[Metric, Value]]:
        yield names.CPU_USAGE, self._processor_percent()
        yield names.MEMORY_USAGE, resident_bytes()
        yield names.MEMORY_LIMIT, memory_limit()
        received, sent = network_bytes()
        yield names.NETWORK_IN, received
        yield names.NETWORK_OUT, sent
        size, free = disk_bytes(self._data)
        yield names.DISK_SIZE, size
        yield names.DISK_FREE, free

    def _processor_percent(self) -> float:
        now = self._clock.now()
        if now - self._measured >= SHORTEST:
            used = processor_seconds()
            self._usage = 100.0 * (used - self._processor) / (now - self._measured)
            self._processor, self._measured = used, now
        return self._usage


def processor_seconds() -> float:
    times = os.times()
    return times.user + times.system


def resident_bytes() -> Value:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def memory_limit() -> Value:
    """What the container may have; what the machine has if that is less, or if there is no limit."""
    try:
        limit = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
    for file in _LIMITS:
        with suppress(OSError, ValueError):  # "max" is no number: no limit
            limit = min(limit, int(file.read_text()))
    return limit


def network_bytes() -> tuple[Value, Value]:
    """Received and sent over IP, as Linux counts them for our network namespace."""
    try:
        lines = Path("/proc/self/net/netstat").read_text().splitlines()
    except OSError:
        return None, None
    counts = dict(zip(*(line.split() for line in lines if line.startswith("IpExt:")), strict=True))
    return float(counts["InOctets"]), float(counts["OutOctets"])


def disk_bytes(folder: Path) -> tuple[Value, Value]:
    """The size of a folder's disk, and what is left of it for us."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None, None
    return disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize

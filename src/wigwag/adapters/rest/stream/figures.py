# SPDX-License-Identifier: Apache-2.0
"""How much is going on and how fast it goes: a sample each second, and those of the last quarter of an hour.

For people who look. Prometheus is told by the room of metrics, which keeps nothing.
"""

import os
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path

from wigwag.adapters.rest.answers import instant
from wigwag.adapters.rest.stream.shapes import Contacts, Sample
from wigwag.app.gateway import Gateway
from wigwag.app.ports import Clock
from wigwag.domain.delivery import State
from wigwag.domain.events import DeliveryTried, JobChanged, MessageReceived
from wigwag.domain.presence import PresenceChanged

EVERY = 1.0  # seconds
KEPT = 900  # samples


class Figures:
    """Counts what happens, and samples it.

    Args:
        clients: how many follow the stream.
    """

    def __init__(self, gateway: Gateway, clock: Clock, clients: Callable[[], int]) -> None:
        self._gateway, self._clock, self._clients = gateway, clock, clients
        self.samples: deque[Sample] = deque(maxlen=KEPT)
        self.began = clock.now()
        self._counts: Counter[str] = Counter()
        self._seconds: dict[str, list[float]] = {"send": [], "webhook": [], "request": []}
        self._processor = _processor_seconds()

    def count(self, fact: object) -> None:
        """Count one fact."""
        match fact:
            case PresenceChanged():
                self._counts["presence"] += 1
            case JobChanged(after=job) if job.state is State.SENT:
                self._counts["sent"] += 1
                self._seconds["send"].append(max(0.0, job.since - max(job.created, job.due)))
            case MessageReceived(message=message) if not message.from_me:
                self._counts["received"] += 1
            case DeliveryTried():
                self._seconds["webhook"].append(fact.seconds)

    def observe_request(self, route: str, seconds: float) -> None:
        """Count one answered HTTP request; those that follow the stream take hours, and do not count."""
        if route != "/api/events":
            self._seconds["request"].append(seconds)

    async def next(self) -> Sample:
        """Wait for a second, and sample it."""
        asked = self._clock.now()
        await self._clock.sleep(EVERY)
        now = self._clock.now()
        sample = self._sample(now, now - asked)
        self.samples.append(sample)
        return sample

    def _sample(self, now: float, lasted: float) -> Sample:
        counts, seconds = self._counts, self._seconds
        self._counts, self._seconds = Counter(), {name: [] for name in seconds}
        processor, before = _processor_seconds(), self._processor
        self._processor = processor
        accounts, people, stats = (
            self._gateway.accounts(),
            self._gateway.presence_counts(),
            self._gateway.subscription_stats(),
        )
        return Sample(
            at=instant(now),
            contacts=Contacts(online=people.online, offline=people.offline, unknown=people.total - people.observed),
            accounts=len(accounts),
            connected=sum(account.connected for account in accounts),
            subscriptions={
                "active": stats.active,
                "queue": stats.queue_length,
                "failed": stats.failed,
                "stale": stats.stale,
            },
            presence_changes=counts["presence"],
            messages_sent=counts["sent"],
            messages_received=counts["received"],
            webhook_attempts=len(seconds["webhook"]),
            requests=len(seconds["request"]),
            send_seconds=_mean(seconds["send"]),
            webhook_seconds=_mean(seconds["webhook"]),
            request_seconds=_mean(seconds["request"]),
            lag_seconds=round(max(0.0, lasted - EVERY), 4),
            cpu_percent=round(100.0 * (processor - before) / max(lasted, EVERY), 1),
            memory_bytes=_resident_bytes(),
            clients=self._clients(),
        )


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system


def _resident_bytes() -> int | None:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")

# SPDX-License-Identifier: Apache-2.0
"""Which envelopes without an id were accepted and may come once more, because the broker may not know that they were.

A copy is told by its content alone, so this is exact where no two producers' envelopes are equal; what is known of
equal ones is in docs/RABBITMQ.md. Nothing is asked of the broker here.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiormq.abc import DeliveredMessage

PREFIX = "amqp-body"
MARGIN = 10.0  # seconds after which an acknowledgement has arrived, if nothing broke
_PROPERTIES = ("content_type", "correlation_id", "reply_to", "timestamp", "message_type", "app_id")


def sign(queue: str, message: DeliveredMessage) -> str:
    """A hash of all that a producer wrote, 32 hexadecimal digits. A copy that comes again has the same.

    The first eight are those of the queue.
    """
    properties = [getattr(message.header.properties, name) for name in _PROPERTIES]
    digest = hashlib.sha256(f"{message.routing_key}\0{properties}\0".encode("utf-8", "replace"))
    digest.update(message.body)
    return sign_of_queue(queue) + digest.hexdigest()[:24]


def sign_of_queue(queue: str) -> str:
    return hashlib.sha256(queue.encode()).hexdigest()[:8]


@dataclass(slots=True, kw_only=True)
class _Entry:
    key: str
    began: float
    claimed: bool = True  # in work, or acknowledged, on this connection
    until: float = float("inf")  # when its acknowledgement has surely arrived


class Seen:
    """Gives each envelope without an id its key: a new one, or that of the copy before.

    Args:
        new_id: makes ids that no other call makes.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._entries: defaultdict[str, list[_Entry]] = defaultdict(list)
        self._owners: dict[str, str] = {}
        self._behind: set[str] = set()  # signs of queues in which something may come again

    def __len__(self) -> int:
        return len(self._owners)

    def remember(self, keys: Iterable[tuple[str, float]]) -> None:
        """Keys from before a restart, the oldest first, with the instant at which each was accepted."""
        for key, began in keys:
            prefix, _, rest = key.partition(":")
            if prefix == PREFIX:
                self._add(rest.partition(":")[0], _Entry(key=key, began=began))
        self.disconnected()

    def key(self, signature: str, now: float, *, redelivered: bool) -> str:
        """The key under which to send an envelope."""
        for entry in self._entries.get(signature, ()) if redelivered else ():
            if not entry.claimed:
                entry.claimed = True
                return entry.key
        entry = _Entry(key=f"{PREFIX}:{signature}:{self._new_id()}", began=now)
        self._add(signature, entry)
        return entry.key

    def acknowledged(self, key: str, now: float) -> None:
        """The broker was told. In a while it cannot come again."""
        for entry in self._entries.get(self._owners.get(key, ""), ()):
            if entry.key == key:
                entry.until = now + MARGIN

    def disconnected(self) -> None:
        """All that the broker may not have heard can come again."""
        for entries in self._entries.values():
            for entry in entries:
                entry.claimed, entry.until = False, float("inf")
        self._behind = {signature[:8] for signature in self._entries}

    def caught_up(self, queue: str, now: float) -> None:
        """Something came for the first time, so all that was to come again has: it is in work, or will never come."""
        sign = sign_of_queue(queue)
        if sign not in self._behind:
            return
        self._behind.discard(sign)
        for signature, entries in self._entries.items():
            for entry in entries if signature.startswith(sign) else ():
                if not entry.claimed:
                    entry.until = min(entry.until, now + MARGIN)

    def settle(self, now: float) -> None:
        """Forget what cannot come again."""
        for signature in list(self._entries):
            kept = [entry for entry in self._entries[signature] if entry.until > now]
            for entry in self._entries[signature]:
                if entry.until <= now:
                    del self._owners[entry.key]
            if kept:
                self._entries[signature] = kept
            else:
                del self._entries[signature]

    def oldest(self, now: float) -> float:
        """An instant before which nothing was accepted that may come again."""
        return min((entry.began for entries in self._entries.values() for entry in entries), default=now)

    def _add(self, signature: str, entry: _Entry) -> None:
        self._entries[signature].append(entry)
        self._owners[entry.key] = signature

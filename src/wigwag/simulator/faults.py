# SPDX-License-Identifier: Apache-2.0
"""Faults that last: what the server does wrong or refuses for a while, to one account or to all.

Only the book of them is here. Each is looked up where it bites: at login, at an acknowledgement, at every post. Faults
that strike once are in `mishaps`.
"""

from dataclasses import dataclass, field
from typing import Literal, get_args

Lasting = Literal[
    "refuse",
    "ban",
    "outdated",
    "silence",
    "delay_acks",
    "drop_acks",
    "error_acks",
    "media_slow",
    "media_refuse",
    "media_truncated",
    "media_expired",
]
LASTING: tuple[str, ...] = get_args(Lasting)


@dataclass(slots=True, kw_only=True)
class Fault:
    """`until`: seconds since the epoch; `left`: how often it still strikes. None: until it is cleared.

    `code` is the failure reason, ban reason or acknowledgement error; `delay` the seconds an acknowledgement waits.
    """

    kind: str
    account: str | None = None
    until: float | None = None
    left: int | None = None
    code: int = 0
    delay: float = 0.0


@dataclass(slots=True)
class Faults:
    active: list[Fault] = field(default_factory=list)

    def find(self, kind: Lasting, account: str, now: float) -> Fault | None:
        """The fault of that kind which holds for the account now."""
        if not self.active:
            return None
        self.active = [fault for fault in self.active if not _is_over(fault, now)]
        return next((f for f in self.active if f.kind == kind and f.account in (None, account)), None)

    def strike(self, kind: Lasting, account: str, now: float) -> Fault | None:
        """As `find`, and one of its strikes is used up."""
        fault = self.find(kind, account, now)
        if fault and fault.left is not None:
            fault.left -= 1
        return fault


def _is_over(fault: Fault, now: float) -> bool:
    return fault.left == 0 or (fault.until is not None and fault.until <= now)

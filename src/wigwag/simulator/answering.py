# SPDX-License-Identifier: Apache-2.0
"""How contacts answer what they get: which receipts, in which order, when, how often, and which are held back.

State and rules only; sending is the exchange's. `Exchange.answering` is the one there is.
"""

import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from wigwag.simulator.wire import Node
from wigwag.simulator.world import Device, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptPolicy:
    """`played` is for voice notes alone. `order` reversed: read comes before delivery. `delay`: seconds.

    `hold`: until they are released, whether the account is there or not. `copies`: how often each is sent.
    """

    delivery: bool = True
    read: bool = True
    played: bool = False
    order: Literal["normal", "reversed"] = "normal"
    delay: float = 0.0
    hold: bool = False
    copies: int = 1

    def kinds(self, content: str) -> list[str]:
        """The types of receipt for a message of that kind, as the protocol has them: delivery has none."""
        kinds = [""] * self.delivery + ["read"] * self.read + ["played"] * (self.played and content == "voice")
        ordered = kinds if self.order == "normal" else kinds[::-1]
        return [kind for kind in ordered for _ in range(self.copies)]


@dataclass(frozen=True, slots=True)
class Pending:
    """A receipt on its way from a contact to a device."""

    contact: Person
    device: Device
    node: Node


@dataclass(slots=True)
class Answering:
    """`general` holds for everybody without a policy of `own`."""

    general: ReceiptPolicy = field(default_factory=ReceiptPolicy)
    own: dict[Person, ReceiptPolicy] = field(default_factory=dict)
    held: list[Pending] = field(default_factory=list)
    _late: list[tuple[float, int, Pending]] = field(default_factory=list)
    _number: "count[int]" = field(default_factory=count)

    def policy(self, contact: Person) -> ReceiptPolicy:
        return self.own.get(contact, self.general)

    def put_off(self, pending: Pending, policy: ReceiptPolicy, now: float) -> bool:
        """Keep it for later, if the policy says so."""
        if policy.hold:
            self.held.append(pending)
        elif policy.delay:
            heapq.heappush(self._late, (now + policy.delay, next(self._number), pending))
        return policy.hold or policy.delay > 0

    def due(self, now: float) -> list[Pending]:
        """Those whose delay is over, in order."""
        due = []
        while self._late and self._late[0][0] <= now:
            due.append(heapq.heappop(self._late)[2])
        return due

    def release(self, contact: Person | None, account: str | None) -> list[Pending]:
        """Those that were held: a contact's or all, for an account or all."""
        wanted = [
            each
            for each in self.held
            if contact in (None, each.contact) and account in (None, each.device.person.phone)
        ]
        released = {id(each) for each in wanted}
        self.held = [each for each in self.held if id(each) not in released]
        return wanted

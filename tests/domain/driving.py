# SPDX-License-Identifier: Apache-2.0
"""Drives a plan through virtual time, as its caller would with a clock."""

from math import inf

from wigwag.domain.ids import Jid
from wigwag.domain.pacing import Pace
from wigwag.domain.subscriptions import Plan

MINUTE, HOUR = 60.0, 3600.0
EXACT = Pace(batch=20, gap=0.25, rest=5.0)  # floats add up exactly
JOHN = Jid("15559999999@s.whatsapp.net")
Take = tuple[float, Jid]


def person(n: int) -> Jid:
    return Jid(f"1555{n:07}@s.whatsapp.net")


def plan_of(size: int, pace: Pace | None = None, cap: int | None = None) -> Plan:
    """A plan with contacts 0 … size-1; each third is of high, medium and low priority."""
    plan = Plan(pace or Pace(), cap=cap)
    for n in range(size):
        plan.want(person(n), n % 3 + 1)
    return plan


def drive(plan: Plan, since: float, until: float, *, answered: bool = True) -> list[Take]:
    """Do on time whatever is due between two instants, until a new link is to be made. Returns who was taken when."""
    taken, now = [], since
    while (wake := plan.next_wake()) is not None and wake <= until:
        now = max(now, wake)
        if (plan.rotation_at() or inf) <= now:
            break
        plan.expire(now)
        if (jid := plan.take(now)) is not None:
            taken.append((now, jid))
            if answered:
                plan.hear(jid)
    return taken


def in_order(plan: Plan) -> list[Jid]:
    return [s.jid for s in sorted(plan.subscriptions(), key=lambda s: (s.priority, s.turn, s.order))]

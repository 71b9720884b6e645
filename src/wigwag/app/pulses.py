# SPDX-License-Identifier: Apache-2.0
"""Watches over links that stand and through which nothing comes, and has them made anew. The rule is `domain.pulse`."""

from collections import defaultdict
from collections.abc import Callable

from wigwag.domain.account import LinkSignal, Stall
from wigwag.domain.delivery import State as JobState
from wigwag.domain.events import AccountChanged, Fact, JobChanged, LinkReported, SubscriptionChanged, Unanswered
from wigwag.domain.pulse import Pulse
from wigwag.domain.subscriptions import FIRST_EVENT, SILENT, State


class Pulses:
    """The pulse of every account's link. A sink.

    Args:
        report: told of a link that stalled.
    """

    def __init__(self, report: Callable[[LinkReported], None]) -> None:
        self._report = report
        self._pulses: defaultdict[str, Pulse] = defaultdict(Pulse)

    def heard_at(self, account: str) -> float | None:
        """When anything last came from WhatsApp, Unix seconds; None before the first."""
        return self._pulses[account].heard_at if account in self._pulses else None

    def hear(self, account: str, at: float) -> None:
        """Something came from WhatsApp."""
        self._pulses[account].hear(at)

    def miss(self, report: Unanswered) -> None:
        """WhatsApp did not answer."""
        self._judge(report.account, report.what, report.asked, report.at)

    def follow(self, fact: Fact) -> None:
        """Draw conclusions from what happened."""
        match fact:
            case SubscriptionChanged(state=State.FAILED, detail=detail) if detail == SILENT:
                self._judge(fact.account, Stall.SUBSCRIPTIONS, fact.at - FIRST_EVENT, fact.at)
            case JobChanged(after=job) if job.state is JobState.SENT:
                self.hear(job.account, fact.at)
            case AccountChanged(before=before, after=after) if after.connected and not before.connected:
                self._pulses[after.name].renew()

    def forget(self, account: str) -> None:
        """The account is no more."""
        self._pulses.pop(account, None)

    def _judge(self, account: str, what: Stall, asked: float, at: float) -> None:
        if self._pulses[account].miss(what, asked):
            # The library believes in this link, so nobody but us will make a new one.
            self._report(LinkReported(account=account, signal=LinkSignal.STALLED, at=at, until=at, detail=what))

# SPDX-License-Identifier: Apache-2.0
"""The series of access: who was turned away and why, who signed in, and what models used. Nobody is named."""

from prometheus_client import CollectorRegistry, Counter

from wigwag.adapters.metrics import names
from wigwag.domain.access import AccessRefused, SignedIn, ToolUsed
from wigwag.domain.events import Fact


class AccessCounters:
    """Counts refusals, sign-ins and uses of tools."""

    def __init__(self, registry: CollectorRegistry) -> None:
        refused, signed_in = names.ACCESS_REFUSED, names.SIGN_INS
        self._refused = Counter(refused.name, refused.help, refused.labels, registry=registry)
        self._sign_ins = Counter(signed_in.name, signed_in.help, registry=registry)
        used = names.MCP_TOOL_CALLS
        self._tools = Counter(used.name, used.help, used.labels, registry=registry)

    def count(self, fact: Fact) -> None:
        """Count one fact."""
        match fact:
            case AccessRefused():
                self._refused.labels(fact.reason).inc()
            case SignedIn():
                self._sign_ins.inc()
            case ToolUsed():
                self._tools.labels(fact.tool, fact.outcome).inc()

# SPDX-License-Identifier: Apache-2.0
"""The series of access: who was turned away and why, and who signed in. Nobody is named."""

from prometheus_client import CollectorRegistry, Counter

from wigwag.adapters.metrics import names
from wigwag.domain.access import AccessRefused, SignedIn
from wigwag.domain.events import Fact


class AccessCounters:
    """Counts refusals and sign-ins."""

    def __init__(self, registry: CollectorRegistry) -> None:
        refused, signed_in = names.ACCESS_REFUSED, names.SIGN_INS
        self._refused = Counter(refused.name, refused.help, refused.labels, registry=registry)
        self._sign_ins = Counter(signed_in.name, signed_in.help, registry=registry)

    def count(self, fact: Fact) -> None:
        """Count one fact."""
        match fact:
            case AccessRefused():
                self._refused.labels(fact.reason).inc()
            case SignedIn():
                self._sign_ins.inc()

# SPDX-License-Identifier: Apache-2.0
"""For tests of wigwag and of what is built on it: virtual time, an obedient WhatsApp, and a gateway in memory.

These are fakes that keep the ports' laws, not mocks; the simulator is there for everything that should be real.
"""

from wigwag.testing.clock import START, FakeClock
from wigwag.testing.stores import FakeMedia, FakePostman, FakeWeb, MemoryStores
from wigwag.testing.trial import OPEN_HERE, UNPACED, RecordingSink, Trial, build_trial, open_access, running
from wigwag.testing.whatsapp import FakeWhatsApp, Hold, Hook, Point, Sent, failing

__all__ = [
    "OPEN_HERE",
    "START",
    "UNPACED",
    "FakeClock",
    "FakeMedia",
    "FakePostman",
    "FakeWeb",
    "FakeWhatsApp",
    "Hold",
    "Hook",
    "MemoryStores",
    "Point",
    "RecordingSink",
    "Sent",
    "Trial",
    "build_trial",
    "failing",
    "open_access",
    "running",
]

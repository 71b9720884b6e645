# SPDX-License-Identifier: Apache-2.0
"""W3C Trace Context: which trace something belongs to, from an envelope to the last webhook that tells of it.

Ids of spans are derived from what a span is about. So whoever needs one, also after a restart or in another room, can
name it without having been told.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})", re.ASCII)
_SAMPLED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """A span, and the trace that it belongs to. Ids are hexadecimal digits.

    Args:
        sampled: whether whoever began the trace wants it to be recorded.
    """

    trace_id: str
    span_id: str
    sampled: bool = True

    def child(self, *about: str) -> "TraceContext":
        """The span below this one that is about something."""
        return TraceContext(trace_id=self.trace_id, span_id=_derived(self.trace_id, *about), sampled=self.sampled)

    def __str__(self) -> str:
        """The `traceparent`."""
        return f"00-{self.trace_id}-{self.span_id}-{self.sampled:02x}"


def parse(traceparent: str | None) -> TraceContext | None:
    """The context in a `traceparent`; None if it is none."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    if found is None:
        return None
    trace_id, span_id, flags = found.groups()
    return TraceContext(trace_id=trace_id, span_id=span_id, sampled=bool(int(flags, 16) & _SAMPLED))


def begin(random: bytes, *about: str) -> TraceContext:
    """A new trace, from 16 random bytes. Its first span is about something, and so is its own `child` about that."""
    trace_id = random.hex()
    return TraceContext(trace_id=trace_id, span_id=_derived(trace_id, *about))


def _derived(trace_id: str, *about: str) -> str:
    return sha256("\0".join((trace_id, *about)).encode("utf-8", "replace")).hexdigest()[:16]

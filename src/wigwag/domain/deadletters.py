# SPDX-License-Identifier: Apache-2.0
"""A dead letter: an envelope that was refused, or whose message failed for good, kept until somebody looks at it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An envelope that led to nothing.

    Args:
        id: the message's own id, or a hash of it where it has none.
        reason: why it is here, as a stable word; `detail` is for people and names nobody.
        queue: where it came from.
        at: since when it is here, Unix seconds; None where only the broker knows.
        job: the job that failed, if it became one.
        size: bytes of its body.
    """

    id: str
    reason: str
    detail: str = ""
    queue: str = ""
    at: float | None = None
    job: str | None = None
    size: int
    body: bytes = field(repr=False)

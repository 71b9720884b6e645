# SPDX-License-Identifier: Apache-2.0
"""Where envelopes that led to nothing are kept."""

from collections.abc import Sequence
from typing import Protocol

from wigwag.domain.deadletters import DeadLetter


class DeadLetters(Protocol):
    """The dead letters, the oldest first. Looking at them changes neither them nor their order.

    Raises Conflict where there is no broker, and BrokerUnavailable while it does not answer.
    """

    async def list(self, limit: int, reason: str | None = None) -> Sequence[DeadLetter]:
        """The first letters, or the first with a reason, without their bodies."""
        ...

    async def get(self, letter_id: str) -> DeadLetter:
        """One letter, with its body. Raises NotFound."""
        ...

    async def replay(self, letter_id: str) -> None:
        """Try a letter again, and remove it: its job if it has one, else the envelope as if it had just come.

        Raises NotFound (the letter, or its job), Conflict (the job has not failed any more).
        """
        ...

    async def drop(self, letter_id: str) -> None:
        """Remove a letter. Raises NotFound."""
        ...

    async def replay_all(self, reason: str | None = None) -> int:
        """Replay all letters of now, or those with a reason. Those that cannot be stay. Returns how many were."""
        ...

    async def drop_all(self, reason: str | None = None) -> int:
        """Remove all letters of now, or those with a reason. Returns how many."""
        ...

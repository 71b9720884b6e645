# SPDX-License-Identifier: Apache-2.0
"""What this room asks about messages, and no more. The gateway's `messages` fulfil it."""

from collections.abc import Sequence
from typing import Protocol

from wigwag.app.ports import JobFilter
from wigwag.domain.delivery import Job, State
from wigwag.domain.drafts import Draft


class Commands(Protocol):
    """Commands about messages, as far as envelopes need them."""

    async def send(self, draft: Draft) -> tuple[Job, bool]: ...

    async def keep_media(self, data: bytes) -> str: ...

    async def retry(self, job_id: str) -> Job: ...

    async def job(self, job_id: str) -> Job: ...

    async def jobs(self, wanted: JobFilter, limit: int) -> Sequence[Job]: ...

    async def job_counts(self) -> dict[tuple[str, State], int]: ...

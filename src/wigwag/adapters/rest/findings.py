# SPDX-License-Identifier: Apache-2.0
"""What `wigwag doctor` finds, for who looks at the console. What is looked at, and how, comes in as a function."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from wigwag.app.ports import Clock

KEPT = 60.0  # seconds that an answer is repeated: looking asks servers of others too

router = APIRouter(prefix="/api", tags=["health"])


class Finding(BaseModel):
    """One thing that was looked at."""

    part: str = Field(examples=["disk", "database", "redis"])
    verdict: Literal["fine", "notice", "wrong"] = Field(description="a notice works, and somebody should know")
    found: str
    advice: str = Field(description="what to do; empty where all is well")


Look = Callable[[], Awaitable[Sequence[Finding]]]


async def nobody_looks() -> Sequence[Finding]:
    """Where nothing can be looked at, nothing is found."""
    return ()


class Findings:
    """Looks once for all who ask at a time, and remembers for a minute."""

    def __init__(self, look: Look, clock: Clock) -> None:
        self._look, self._clock = look, clock
        self._looking = asyncio.Lock()
        self._at = float("-inf")
        self._found: Sequence[Finding] = ()

    async def lately(self) -> Sequence[Finding]:
        """What was found within the last minute."""
        async with self._looking:
            if self._clock.now() - self._at >= KEPT:
                self._found, self._at = await self._look(), self._clock.now()
            return self._found


@router.get("/system/findings")
async def list_findings(request: Request) -> Sequence[Finding]:
    """What `wigwag doctor` finds around the gateway: machine, sessions, servers. At most a minute old."""
    findings: Findings = request.app.state.findings
    return await findings.lately()

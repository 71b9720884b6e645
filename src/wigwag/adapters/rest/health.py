# SPDX-License-Identifier: Apache-2.0
"""How wigwag is: /livez, /readyz, /healthz as seed 003, /app/devices as seed 002, and /metrics.

What the parts are and how to ask them is not known here; `ready` tells.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from wigwag.adapters.rest.here import TheCaller, TheGateway
from wigwag.app.ports import Clock

BROKER = "broker"  # the one part that /healthz fails for
PATIENCE = 2.0  # seconds that the parts have to answer (seed 003)
FRESH = 5.0  # seconds that /healthz repeats itself (seed 003)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Whether a part works."""

    part: str
    ok: bool
    detail: str = ""


Ready = Callable[[], Awaitable[Sequence[Check]]]
Exposition = Callable[[str], Awaitable[tuple[str, AsyncIterator[bytes]]]]
"""Takes an Accept header; gives the content type and the text of the metrics."""


class Health:
    """Asks the parts, within a time limit, and remembers for /healthz."""

    def __init__(self, ready: Ready, clock: Clock, patience: float = PATIENCE) -> None:
        self._ready, self._clock, self._patience = ready, clock, patience
        self._asked, self._checks = float("-inf"), list[Check]()

    async def now(self) -> list[Check]:
        """How the parts are."""
        try:
            async with asyncio.timeout(self._patience):
                self._checks = list(await self._ready())
        except TimeoutError:
            self._checks = [Check(part="checks", ok=False, detail=f"No answer in {self._patience:.0f} s.")]
        self._asked = self._clock.now()
        return self._checks

    async def lately(self) -> list[Check]:
        """How the parts were a moment ago."""
        fresh = self._clock.now() - self._asked < FRESH
        return self._checks if fresh else await self.now()


class Device(BaseModel):
    """A linked device (seed 002), and how its link is."""

    name: str = Field(examples=["default"])
    device: str = Field(examples=["Desktop"])
    platform: str = Field(examples=["linux"])
    jid: str
    state: str = Field(examples=["connected"])


class Devices(BaseModel):
    """The envelope of seed 002."""

    code: int = 200
    message: str = "Success"
    results: list[Device]


router = APIRouter(tags=["health"])


@router.get("/livez")
async def livez(request: Request) -> dict[str, str]:
    """Whether this process runs. It asks nobody."""
    return {"status": "ok", "version": request.app.version}


@router.get("/readyz", responses={503: {"description": "A part does not work; `checks` says which."}})
async def readyz(request: Request, caller: TheCaller) -> JSONResponse:
    """Whether every part works. Why one does not is told to whoever shows a key."""
    checks = await request.app.state.health.now()
    return _report(checks, ok=all(check.ok for check in checks), why=caller is not None)


@router.get("/healthz", responses={503: {"description": "The configured broker does not answer."}})
async def healthz(request: Request, caller: TheCaller) -> JSONResponse:
    """As seed 003: 200 unless the configured broker is down. Asks at most every 5 s."""
    checks = await request.app.state.health.lately()
    return _report(checks, ok=all(check.ok for check in checks if check.part == BROKER), why=caller is not None)


def _report(checks: Sequence[Check], *, ok: bool, why: bool) -> JSONResponse:
    found = {check.part: {"ok": check.ok} | ({"detail": check.detail} if why else {}) for check in checks}
    return JSONResponse({"status": "ok" if ok else "failing", "checks": found}, 200 if ok else 503)


@router.get("/app/devices")
async def list_devices(gateway: TheGateway) -> Devices:
    """The linked devices (seed 002): one for each account that is paired."""
    devices = [
        Device(name=account.name, device="Desktop", platform=sys.platform, jid=account.jid, state=account.state)
        for account in gateway.accounts()
        if account.jid is not None
    ]
    return Devices(results=devices)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> StreamingResponse:
    """All metrics for Prometheus, as text 0.0.4 or OpenMetrics."""
    content_type, chunks = await request.app.state.exposition(request.headers.get("accept", ""))
    return StreamingResponse(chunks, headers={"Content-Type": content_type})

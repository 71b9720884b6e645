# SPDX-License-Identifier: Apache-2.0
"""How the whole is, for people who look: parts, versions, and the figures of the last quarter of an hour."""

import platform
from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from wigwag.adapters.rest.answers import instant
from wigwag.adapters.rest.health import Health
from wigwag.adapters.rest.stream.hub import stream_of
from wigwag.adapters.rest.stream.shapes import Sample

router = APIRouter(prefix="/api", tags=["health"])


class Part(BaseModel):
    """Something that wigwag cannot do without."""

    part: str = Field(examples=["storage", "broker", "link default"])
    ok: bool
    detail: str


class System(BaseModel):
    """The gateway as a whole."""

    version: str
    python: str
    since: datetime = Field(description="when this process began its work")
    simulator: bool = Field(description="whether this is a demo, whose simulator answers at /sim")
    parts: list[Part]
    samples: list[Sample] = Field(description="one a second, oldest first; the same come as `system.figures`")


@router.get("/system")
async def get_system(request: Request) -> System:
    """The parts as they were a moment ago, versions, and the latest figures."""
    health: Health = request.app.state.health
    figures = stream_of(request).figures
    parts = [Part(part=check.part, ok=check.ok, detail=check.detail) for check in await health.lately()]
    return System(
        version=request.app.version,
        python=platform.python_version(),
        since=instant(figures.began),
        simulator=request.app.state.simulator is not None,
        parts=parts,
        samples=list(figures.samples),
    )

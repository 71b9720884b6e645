# SPDX-License-Identifier: Apache-2.0
"""A gateway looks around itself by the same rules, for its console. Its parts, links and webhooks it knows anyway."""

import asyncio
from collections.abc import Sequence

from wigwag.adapters import rest
from wigwag.compose.doctor import surroundings
from wigwag.compose.doctor.findings import Finding, notice
from wigwag.config import Settings

PATIENCE = 30.0  # seconds for all of it; each server has less


async def look_around(settings: Settings) -> Sequence[rest.Finding]:
    """What is found around this gateway; after the patience, what was found until then."""
    shown: list[rest.Finding] = []
    try:
        async with asyncio.timeout(PATIENCE):
            async for finding in surroundings(settings):
                shown += [_shown(finding)]
    except TimeoutError:
        late = f"not all was looked at within {PATIENCE:.0f} s"
        shown += [_shown(notice("doctor", late, "Run `wigwag doctor` where the gateway runs."))]
    return shown


def _shown(finding: Finding) -> rest.Finding:
    return rest.Finding(part=finding.part, verdict=finding.verdict.value, found=finding.found, advice=finding.advice)

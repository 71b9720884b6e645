# SPDX-License-Identifier: Apache-2.0
"""The gateway that runs: whether it answers, what it says of itself, its accounts and its webhooks."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from wigwag import __version__
from wigwag.adapters.outgoing import Outgoing
from wigwag.compose.doctor.findings import Finding, fine, notice, wrong
from wigwag.config import Settings
from wigwag.domain.account import LinkState
from wigwag.domain.errors import GatewayError

PATIENCE = 10.0  # seconds
PASSING = {LinkState.CONNECTING, LinkState.TRANSIENT, LinkState.DEGRADED}  # wigwag itself is at it


class _NoAnswer(Exception):
    """The gateway did not answer as it should; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding


async def running(settings: Settings, url: str, key: str | None) -> AsyncIterator[Finding]:
    """Ask the gateway at this address, and try its webhooks."""
    shown = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, headers=shown, trust_env=False) as client:
        try:
            yield _version(await _get(client, "/livez"))
            for finding in _parts(await _get(client, "/readyz")):
                yield finding
            for account in await _get(client, "/api/accounts"):
                yield _link(account)
            endpoints = await _get(client, "/api/webhooks")
        except _NoAnswer as no:
            yield no.finding
            return
    async for finding in _webhooks(settings, endpoints):
        yield finding


async def _get(client: httpx.AsyncClient, path: str) -> Any:
    where = f"{client.base_url}".rstrip("/")
    try:
        answer = await client.get(path)
    except httpx.ConnectError:
        advice = "Start it with `wigwag serve`, or say where it is with --url or WIGWAG_URL."
        raise _NoAnswer(wrong("gateway", f"no gateway answers at {where}", advice)) from None
    except httpx.HTTPError as error:
        advice = "Look at its log: it hangs, or what listens there is something else."
        raise _NoAnswer(wrong("gateway", f"{where} does not answer ({type(error).__name__})", advice)) from None
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        advice = "Set WIGWAG_API_KEY to a key that may do everything, and ask again."
        raise _NoAnswer(wrong("gateway", f"the gateway at {where} wants an API key that may read all of it", advice))
    with contextlib.suppress(ValueError):
        if answer.status_code in (httpx.codes.OK, httpx.codes.SERVICE_UNAVAILABLE):
            return answer.json()
    advice = "Stop that program, or choose another APP_PORT, or give the right --url."
    raise _NoAnswer(wrong("gateway", f"what answers at {where} is not wigwag", advice))


def _version(alive: Any) -> Finding:
    theirs = alive.get("version") if isinstance(alive, dict) else None
    if theirs is None:
        advice = "Stop that program, or choose another APP_PORT, or give the right --url."
        raise _NoAnswer(wrong("gateway", "what answers there is not wigwag", advice))
    if theirs != __version__:
        return notice("gateway", f"wigwag {theirs} runs, and this is {__version__}", "Start it anew after an upgrade.")
    return fine("gateway", f"wigwag {theirs} runs")


def _parts(ready: Any) -> list[Finding]:
    """What /readyz says of parts; links are told of with more words elsewhere."""
    checks = {part: check for part, check in ready.get("checks", {}).items() if not part.startswith("link ")}
    return [
        fine(f"gateway: {part}", "works")
        if check["ok"]
        else wrong(f"gateway: {part}", check.get("detail") or "it does not work", "The gateway tries again by itself.")
        for part, check in checks.items()
    ]


def _link(account: Any) -> Finding:
    part, state = f"account {account['name']}", account["state"]
    if state == LinkState.CONNECTED:
        return fine(part, "connected")
    found = f"{state.replace('_', ' ')}" + (f": {account['detail']}" if account.get("detail") else "")
    return (notice if state in PASSING else wrong)(part, found, account["advice"])


async def _webhooks(settings: Settings, endpoints: list[Any]) -> AsyncIterator[Finding]:
    """Whether each endpoint stands well, and whether it can be reached from here. Only its host is told."""
    outgoing = Outgoing(settings.outgoing_networks)
    try:
        for endpoint in endpoints:
            part, host = f"webhook {endpoint['id']}", urlsplit(endpoint["url"]).hostname
            try:
                await outgoing.reach(endpoint["url"])
            except GatewayError as error:
                yield wrong(
                    part, str(error), "Is it up, and may this machine reach it? Nothing is lost for three days."
                )
                continue
            if endpoint["state"] == "disabled":
                yield wrong(part, f"{host} is disabled", f"Mend it, then: wigwag webhooks enable {endpoint['id']}")
            elif endpoint["state"] == "failing":
                advice = f"See what it answers: wigwag webhooks deliveries {endpoint['id']}"
                yield wrong(part, f"{host} can be reached, but refuses what it is sent", advice)
            else:
                yield fine(part, f"{host} can be reached")
    finally:
        await outgoing.close()

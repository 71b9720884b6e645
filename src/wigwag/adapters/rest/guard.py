# SPDX-License-Identifier: Apache-2.0
"""Who comes in: asks of every request who sent it, before anything of it is read, and notes what was changed.

Plain ASGI inside the doorstep. It puts the caller into the request's state; what the caller may do is judged by the
route (`scopes`). Everything is closed but what `scopes` names.
"""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from ipaddress import ip_address
from math import ceil

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wigwag.adapters.rest import errors
from wigwag.adapters.rest.origins import SAFE, is_proven, must_be_proven
from wigwag.adapters.rest.scopes import OPEN, SCRAPE, SIGN_IN
from wigwag.app.access import Access
from wigwag.domain import access as domain
from wigwag.domain.access import Caller, Means
from wigwag.domain.addresses import is_loopback
from wigwag.domain.credentials import Credentials, read
from wigwag.domain.errors import Forbidden, GatewayError, RateLimited, Unauthenticated
from wigwag.domain.quota import Quota, Usage

SCRAPER = Caller(id="scraper", name="scraper", scopes=frozenset({domain.Scope.METRICS}), means=Means.OPEN)


class Guard:
    """Wraps the routes."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, caller = Headers(scope=scope), None
        try:
            caller = await self._caller(scope, headers)
            usage = None if caller is None else self._access.admit(caller)
            self._want_proof(scope, headers, caller)
        except GatewayError as error:
            refusal = errors.gateway_problem(Request(scope), error, self._advice(headers, error, caller))
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        await self._let_in(scope, receive, send, caller, usage)

    async def _caller(self, scope: Scope, headers: Headers) -> Caller | None:
        """Who it is; None: nobody in particular, where nobody is asked."""
        path, anybody = scope["path"], scope["path"] in OPEN or _signs_in(scope)
        try:
            shown = credentials(scope, headers)
            if path == SCRAPE and self._access.scrapes_need_a_key:
                shown = replace(shown, local=False)
            elif path == SCRAPE and _shows_nothing(shown) and shown.local:
                return SCRAPER
            if anybody and _shows_nothing(shown) and not (self._access.is_open and shown.local):
                return None
            return await self._access.authenticate(shown)
        except (Unauthenticated, RateLimited):
            if anybody:
                return None
            raise

    def _want_proof(self, scope: Scope, headers: Headers, caller: Caller | None) -> None:
        unsafe = scope["method"] not in SAFE and not _signs_in(scope)
        if unsafe and caller is not None and must_be_proven(caller) and not is_proven(headers):
            self._access.refused("unproven", caller.id)
            raise Forbidden("A browser's sign-in changes nothing without an Origin of ours or X-Wigwag-Request.")

    def _advice(self, headers: Headers, error: GatewayError, caller: Caller | None) -> dict[str, str]:
        """What headers tell whoever is turned away."""
        if isinstance(error, Unauthenticated):
            return {"WWW-Authenticate": self._challenge(headers)}
        if isinstance(error, RateLimited) and caller is not None:
            return limits(Quota(limit=caller.per_minute), 0, error.retry_after)
        return {}

    def _challenge(self, headers: Headers) -> str:
        """How to say who one is. A page of ours asks for the key itself, so no browser's window may come before it."""
        asked_by_page = headers.get("sec-fetch-mode", "navigate") != "navigate"
        basic = self._access.has_passwords and not asked_by_page
        return 'Bearer realm="wigwag"' + (', Basic realm="wigwag"' if basic else "")

    async def _let_in(
        self, scope: Scope, receive: Receive, send: Send, caller: Caller | None, usage: Usage | None
    ) -> None:
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if usage is not None:
                    MutableHeaders(scope=message).update(limits(usage.quota, usage.remaining, usage.reset))
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            who = scope["state"].get("acted") or caller
            if who is not None and scope["method"] not in SAFE and not scope["state"].get("audited"):
                action = getattr(scope.get("route"), "name", "none")
                status = status or HTTPStatus.INTERNAL_SERVER_ERROR
                self._access.audit.note(who, action, scope["path"], status, address(scope))


def credentials(scope: Scope, headers: Mapping[str, str]) -> Credentials:
    """What a request shows. Raises Unauthenticated for what is no way to say who one is."""
    where = address(scope)
    local = is_loopback(where) and is_loopback(_host(headers.get("host", "")))
    return read(headers, cookie_name=cookie_name(scope), address=where, local=local)


def cookie_name(scope: Scope) -> str:
    """Over TLS a name that no plain page, and no page of another subdomain, could have set."""
    return "__Host-wigwag" if scope["scheme"] == "https" else "wigwag"


def address(scope: Scope) -> str:
    """Where a request comes from, as the server or a proxy that it trusts says."""
    client = scope.get("client")
    text = str(client[0])[:45] if client else ""
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def limits(quota: Quota, remaining: int, reset: float) -> dict[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers."""
    return {
        "RateLimit-Policy": f'"key";q={quota.limit};w={quota.window:.0f}',
        "RateLimit": f'"key";r={remaining};t={ceil(reset)}',
    }


def _signs_in(scope: Scope) -> bool:
    return bool(scope["path"] == SIGN_IN and scope["method"] == "POST")


def _shows_nothing(shown: Credentials) -> bool:
    return shown.key is None and shown.basic is None and shown.cookie is None


def _host(header: str) -> str:
    """The host of a Host header, without its port."""
    if header.startswith("["):
        return header.partition("]")[0]
    return header.partition(":")[0]

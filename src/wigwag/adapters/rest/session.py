# SPDX-License-Identifier: Apache-2.0
"""Browsers sign in with a key and get a cookie: /api/session.

The cookie is HttpOnly, so that no script reads it, and SameSite=Strict, so that no other site's page sends it.
"""

from datetime import datetime
from typing import Self

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from wigwag.adapters.rest.answers import instant_or_never
from wigwag.adapters.rest.guard import address, cookie_name
from wigwag.adapters.rest.here import TheAccess, TheCaller, TheClock, problems
from wigwag.adapters.rest.schemas import Strict
from wigwag.domain.access import Caller, Means, Scope
from wigwag.domain.errors import Unauthenticated

router = APIRouter(prefix="/api/session", tags=["access"])


class SignIn(Strict):
    key: str = Field(max_length=256, examples=["wk_abcdefghijkl_…"], description="an API key; it is not kept")


class Session(BaseModel):
    """Who asks, and what they may do."""

    id: str = Field(examples=["abcdefghijkl"])
    name: str = Field(examples=["front desk"])
    scopes: list[Scope] = Field(description="all that it may do; those that are included are listed too")
    means: Means = Field(description="how it was recognised; open: no key is configured, and it is this machine")
    expires_at: datetime | None = Field(description="null if it does not expire")

    @classmethod
    def of(cls, caller: Caller) -> Self:
        return cls(
            id=caller.id,
            name=caller.name,
            scopes=[scope for scope in Scope if caller.may(scope)],
            means=caller.means,
            expires_at=instant_or_never(caller.expires),
        )


@router.post("", status_code=201, responses=problems(400, 401, 422, 429, 503))
async def sign_in(wanted: SignIn, request: Request, response: Response, access: TheAccess, clock: TheClock) -> Session:
    """Exchange a key for a cookie, which ends after 12 hours, with the key, or by signing out."""
    cookie, caller = await access.sign_in(wanted.key.strip(), address(request.scope))
    request.state.acted = caller
    lasts = int((caller.expires or 0.0) - clock.now())
    _set_cookie(request, response, cookie, lasts)
    return Session.of(caller)


@router.get("")
async def get_session(caller: TheCaller) -> Session:
    """Who I am here, and what I may do."""
    if caller is None:
        raise Unauthenticated
    return Session.of(caller)


@router.delete("", status_code=204, response_class=Response, responses=problems(503))
async def sign_out(request: Request, access: TheAccess) -> Response:
    """End the sign-in of this browser. Without one, there is nothing to do."""
    response = Response(status_code=204)
    cookie = request.cookies.get(cookie_name(request.scope))
    if cookie:
        await access.sign_out(cookie)
        _set_cookie(request, response, "", 0)
    return response


def _set_cookie(request: Request, response: Response, value: str, lasts: int) -> None:
    response.set_cookie(
        cookie_name(request.scope),
        value,
        max_age=lasts,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )

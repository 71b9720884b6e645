# SPDX-License-Identifier: Apache-2.0
"""The API keys, and what was done with them: /api/keys and /api/audit."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from wigwag.adapters.rest.answers import instant, instant_or_never
from wigwag.adapters.rest.here import TheAccess, problems
from wigwag.adapters.rest.schemas import Strict
from wigwag.domain import access as domain
from wigwag.domain.access import LONGEST_NAME, Scope

MOST, DEFAULT = 500, 100  # entries in a page

router = APIRouter(prefix="/api", tags=["access"])


class Key(BaseModel):
    """An API key, without its secret."""

    id: str = Field(examples=["abcdefghijkl"])
    name: str = Field(examples=["front desk"])
    scopes: list[Scope]
    per_minute: int | None = Field(description="requests in a minute; null: as the settings say, 0: no limit")
    created_at: datetime
    expires_at: datetime | None = Field(description="null if it does not expire")
    revoked_at: datetime | None = Field(description="null while it counts")
    used_at: datetime | None = Field(description="when it was last used, to about a minute; null: never")

    @classmethod
    def of(cls, made: domain.Key, **more: str) -> Self:
        return cls(
            id=made.id,
            name=made.name,
            scopes=[scope for scope in Scope if scope in made.scopes],
            per_minute=made.per_minute,
            created_at=instant(made.created),
            expires_at=instant_or_never(made.expires),
            revoked_at=instant_or_never(made.revoked),
            used_at=instant_or_never(made.used),
            **more,
        )


class KeyWithSecret(Key):
    """A key just made."""

    key: str = Field(examples=["wk_abcdefghijkl_…"], description="the key itself, shown this once")


class NewKey(Strict):
    name: str = Field(min_length=1, max_length=LONGEST_NAME, examples=["front desk"], description="who will use it")
    scopes: list[Scope] = Field(min_length=1, max_length=16, examples=[["read", "send"]])
    per_minute: int | None = Field(
        None, ge=0, le=1_000_000, examples=[600], description="requests in a minute; 0: no limit"
    )
    expires_at: AwareDatetime | None = Field(None, examples=["2027-01-31T00:00:00Z"], description="null: never")


class AuditEntry(BaseModel):
    """What a caller did, or tried to do."""

    at: datetime
    caller: str = Field(examples=["abcdefghijkl"], description="the id of the key")
    name: str = Field(examples=["front desk"])
    action: str = Field(examples=["track"], description="the id of the operation")
    target: str = Field(examples=["/api/subscriptions/91…10"], description="the path, with numbers masked")
    status: int = Field(examples=[201], description="what the answer was")
    address: str = Field(examples=["192.0.2.7"], description="from where")


class AuditPage(BaseModel):
    entries: list[AuditEntry]
    next: int | None = Field(description="give it as `before` for the page after this; null on the last one")


@router.get("/keys")
async def list_keys(access: TheAccess) -> list[Key]:
    """All keys of this gateway, oldest first; not those of its settings."""
    return [Key.of(key) for key in access.keyring.all()]


@router.post("/keys", status_code=201, responses=problems(400, 409, 422, 503))
async def add_key(new: NewKey, access: TheAccess) -> KeyWithSecret:
    """Make a key. The answer shows it this once. With the first key, this machine too needs one."""
    expires = new.expires_at.timestamp() if new.expires_at is not None else None
    made = await access.keyring.create(new.name, set(new.scopes), per_minute=new.per_minute, expires=expires)
    return KeyWithSecret.of(made.key, key=made.secret)


@router.get("/keys/{id}", responses=problems(404))
async def get_key(id: str, access: TheAccess) -> Key:  # noqa: A002
    """One key."""
    return Key.of(access.keyring.get(id))


@router.delete("/keys/{id}", status_code=204, response_class=Response, responses=problems(404, 503))
async def revoke_key(id: str, access: TheAccess) -> None:  # noqa: A002
    """It counts no more, nor do the sign-ins made with it. It stays listed."""
    await access.keyring.revoke(id)


@router.get("/audit", responses=problems(422, 503))
async def list_audit(
    access: TheAccess,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="at most so many")] = DEFAULT,
) -> AuditPage:
    """Who changed what, newest first. Kept for 90 days unless the settings say otherwise."""
    found = await access.audit.entries(limit + 1, before)
    page = found[:limit]
    following = page[-1].position if len(found) > limit else None
    return AuditPage(entries=[_entry(entry) for entry in page], next=following)


def _entry(entry: domain.AuditEntry) -> AuditEntry:
    return AuditEntry(
        at=instant(entry.at),
        caller=entry.caller,
        name=entry.name,
        action=entry.action,
        target=entry.target,
        status=entry.status,
        address=entry.address,
    )

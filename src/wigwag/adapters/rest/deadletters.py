# SPDX-License-Identifier: Apache-2.0
"""Envelopes that led to nothing, kept by the broker: /api/dead-letters.

A list shows no bodies; one letter is shown whole. Where no broker is configured, every answer is a conflict that says
so.
"""

from base64 import b64encode
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from wigwag.adapters.rest.answers import instant_or_never
from wigwag.adapters.rest.here import TheGateway, problems
from wigwag.domain import deadletters as domain

router = APIRouter(prefix="/api/dead-letters", tags=["dead letters"])

Reason = Annotated[str | None, Query(max_length=128, description="only those with this reason")]
Limit = Annotated[int, Query(ge=1, le=1000)]


class DeadLetter(BaseModel):
    """Why an envelope is here. Nobody is named."""

    id: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015"])
    reason: str = Field(description="a stable word", examples=["invalid_destination"])
    detail: str = Field(examples=["destination is + and the country code, then the number: 8 to 15 digits."])
    queue: str = Field(description="where it came from", examples=["whatsapp.queue"])
    since: datetime | None = Field(description="null where only the broker knows")
    job: str | None = Field(description="the message that failed, if it became one")
    size: int = Field(description="bytes of the body")

    @classmethod
    def of(cls, letter: domain.DeadLetter) -> Self:
        return cls(
            id=letter.id,
            reason=letter.reason,
            detail=letter.detail,
            queue=letter.queue,
            since=instant_or_never(letter.at),
            job=letter.job,
            size=letter.size,
        )


class OpenedLetter(DeadLetter):
    """A dead letter with its body, as it came."""

    body: str | None = Field(description="null if it is not text in UTF-8")
    base64: str | None = Field(description="the bytes, if they are not text in UTF-8")

    @classmethod
    def opened(cls, letter: domain.DeadLetter) -> Self:
        closed = DeadLetter.of(letter).model_dump()
        try:
            return cls(**closed, body=letter.body.decode(), base64=None)
        except UnicodeDecodeError:
            return cls(**closed, body=None, base64=b64encode(letter.body).decode())


class Done(BaseModel):
    """How many letters it was done to."""

    count: int


@router.get("", responses=problems(409, 422, 503))
async def list_dead_letters(gateway: TheGateway, reason: Reason = None, limit: Limit = 100) -> list[DeadLetter]:
    """The oldest dead letters, without their bodies."""
    return [DeadLetter.of(letter) for letter in await gateway.dead_letters.list(limit, reason)]


@router.delete("", responses=problems(409, 422, 503))
async def drop_dead_letters(gateway: TheGateway, reason: Reason = None) -> Done:
    """Delete all, or all with a reason."""
    return Done(count=await gateway.dead_letters.drop_all(reason))


@router.post("/replay", responses=problems(409, 422, 503))
async def replay_dead_letters(gateway: TheGateway, reason: Reason = None) -> Done:
    """Try all again, or all with a reason. Those whose message has not failed any more stay."""
    return Done(count=await gateway.dead_letters.replay_all(reason))


@router.get("/{letter_id}", responses=problems(404, 409, 503))
async def get_dead_letter(letter_id: str, gateway: TheGateway) -> OpenedLetter:
    """One dead letter, whole."""
    return OpenedLetter.opened(await gateway.dead_letters.get(letter_id))


@router.delete("/{letter_id}", status_code=204, response_class=Response, responses=problems(404, 409, 503))
async def drop_dead_letter(letter_id: str, gateway: TheGateway) -> None:
    """Delete it."""
    await gateway.dead_letters.drop(letter_id)


@router.post("/{letter_id}/replay", status_code=204, response_class=Response, responses=problems(404, 409, 503))
async def replay_dead_letter(letter_id: str, gateway: TheGateway) -> None:
    """Try it again: a failed message goes on from its first attempt, a refused envelope goes back to its queue."""
    await gateway.dead_letters.replay(letter_id)

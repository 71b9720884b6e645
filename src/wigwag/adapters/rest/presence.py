# SPDX-License-Identifier: Apache-2.0
"""Who is online: /api/presence as seed 000 has it, with history, typing, and the right to be forgotten."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from wigwag.adapters.rest import schemas
from wigwag.adapters.rest.answers import instant, stream
from wigwag.adapters.rest.here import TheClock, TheGateway, problems
from wigwag.domain import presence as domain
from wigwag.domain.history import Interval, Kind, cut
from wigwag.domain.presence import Status

DAY = 24 * 3600.0
LONGEST_WINDOW = 92 * DAY
MOST_TIMELINES = 200  # in one answer

router = APIRouter(prefix="/api", tags=["presence"])


@router.get("/presence", response_model=list[schemas.Presence], responses=problems(422))
async def list_presences(
    gateway: TheGateway,
    online: Annotated[bool | None, Query(description="only those who are online, or only the others")] = None,
    observed: Annotated[bool | None, Query(description="only those of whom we hear now, or only the others")] = None,
    q: Annotated[str | None, Query(max_length=255, description="part of the name or the jid, in any case")] = None,
    limit: Annotated[int | None, Query(ge=1, description="at most so many")] = None,
) -> StreamingResponse:
    """All tracked contacts."""
    found = _filtered(gateway.presences(), online, observed, q)
    return stream(islice(found, limit), schemas.Presence.of, schemas.Presence)


def _filtered(
    presences: Iterable[domain.Presence], online: bool | None, observed: bool | None, q: str | None
) -> Iterator[domain.Presence]:
    part = (q or "").casefold()
    for presence in presences:
        if online is not None and online is not (presence.status is Status.ONLINE):
            continue
        if observed is not None and observed is not (presence.status is not Status.UNKNOWN):
            continue
        if part in presence.jid or part in presence.name.casefold():
            yield presence


@router.get("/presence/stats")
async def presence_stats(gateway: TheGateway) -> schemas.PresenceStats:
    """How many are tracked, online and offline."""
    return schemas.PresenceStats.of(gateway.presence_counts())


@router.get("/presence/typing")
async def list_typing(gateway: TheGateway) -> list[schemas.Typing]:
    """Who types or records a message to us now."""
    return [
        schemas.Typing(jid=fact.jid, name=gateway.presence(fact.jid).name, typing=fact.typing, since=instant(fact.at))
        for fact in gateway.typing()
    ]


@router.get("/presence/timelines", responses=problems(422, 503))
async def list_timelines(
    gateway: TheGateway,
    clock: TheClock,
    jid: Annotated[list[str], Query(min_length=1, max_length=MOST_TIMELINES, description="whose; may be repeated")],
    hours: Annotated[float, Query(gt=0, le=24 * 7, description="how far back")] = 24.0,
) -> schemas.Timelines:
    """When contacts were online, and when we listened, until now."""
    now = clock.now()
    since = now - hours * 3600
    found = await gateway.histories(jid, since, now)
    lines = [
        schemas.Timeline(
            jid=each, online=_stretches(intervals, Kind.ONLINE), observed=_stretches(intervals, Kind.OBSERVED)
        )
        for each, intervals in found.items()
    ]
    return schemas.Timelines(start=round(since), end=round(now), timelines=lines)


def _stretches(intervals: list[Interval], kind: Kind) -> list[schemas.Stretch]:
    """The intervals of a kind, whole."""
    return [
        (round(interval.start), None if interval.end is None else round(interval.end))
        for interval in intervals
        if interval.kind is kind
    ]


@router.get("/presence/{jid}", responses=problems(404, 422))
async def get_presence(jid: str, gateway: TheGateway) -> schemas.Presence:
    """One contact, by jid or phone number."""
    return schemas.Presence.of(gateway.presence(jid))


@router.get("/presence/{jid}/history", responses=problems(404, 422, 503))
async def get_history(
    jid: str,
    gateway: TheGateway,
    clock: TheClock,
    start: Annotated[AwareDatetime | None, Query(alias="from", description="default: a day before `to`")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to", description="default: now")] = None,
) -> schemas.History:
    """When a contact was online, and when we listened at all, within a window of at most 92 days.

    Times are RFC 3339 or Unix seconds. The window ends now at the latest. Intervals are cut to it, and `to` is null for
    one that lasts still, if the window reaches until now.
    """
    now = clock.now()
    until = min(end.timestamp(), now) if end else now
    since = start.timestamp() if start else until - DAY
    if not 0.0 <= since < until <= since + LONGEST_WINDOW:
        raise HTTPException(422, "`from` must be before `to` and before now, by at most 92 days.")
    contact = gateway.presence(jid)
    intervals = await gateway.history(jid, since, until)
    return schemas.History(
        jid=contact.jid,
        name=contact.name,
        start=instant(since),
        end=instant(until),
        online=_spans(intervals, Kind.ONLINE, since, until, ends_now=until >= now),
        observed=_spans(intervals, Kind.OBSERVED, since, until, ends_now=until >= now),
    )


def _spans(intervals: list[Interval], kind: Kind, since: float, until: float, *, ends_now: bool) -> list[schemas.Span]:
    """The intervals of a kind, cut to the window."""
    return [
        schemas.Span(start=instant(start), end=None if end is None else instant(end))
        for start, end in cut(intervals, kind, since, until, ends_now=ends_now)
    ]


@router.delete(
    "/contacts/{jid}", status_code=204, response_class=Response, tags=["contacts"], responses=problems(422, 503)
)
async def erase_contact(jid: str, gateway: TheGateway) -> None:
    """Forget a person everywhere: presence, history, wishes, subscription.

    Someone who is in a tracked group is tracked anew, from nothing, when the group's members are read again.
    """
    await gateway.erase(jid)

# SPDX-License-Identifier: Apache-2.0
"""What happens, as it happens: /api/events."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from wigwag.adapters.rest.here import TheAccess, TheCaller, problems
from wigwag.adapters.rest.stream.hub import Wanted, kinds_like, stream_of
from wigwag.adapters.rest.stream.kinds import NAMES
from wigwag.adapters.rest.stream.response import EventStream
from wigwag.domain.errors import InvalidSettings
from wigwag.domain.ids import contact_jid, group_jid, is_group

MOST = 100  # contacts or groups that one client may choose

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events, without an end.", "content": {"text/event-stream": {}}}
}

router = APIRouter(prefix="/api", tags=["events"])


@router.get("/events", response_class=Response, responses=_EVENTS | problems(422))
async def follow_events(
    request: Request,
    access: TheAccess,
    caller: TheCaller,
    types: Annotated[
        str, Query(max_length=1000, description="kinds or patterns with commas between: `presence.*,job.changed`")
    ] = "",
    account: Annotated[str, Query(max_length=64, description="only of this account, and of none at all")] = "",
    jid: Annotated[
        list[str], Query(max_length=MOST, description="only about this contact or group; may be repeated")
    ] = [],  # noqa: B006
    last_event_id: Annotated[
        str, Header(max_length=64, description="where you stopped; browsers send it by themselves")
    ] = "",
) -> EventStream:
    """Follow what happens, as server-sent events. A client that comes back gets what it missed, or a `reset`."""
    patterns = [part for part in map(str.strip, types.split(",")) if part]
    chosen = kinds_like(patterns) if patterns else frozenset[str]()
    if patterns and not chosen:
        raise InvalidSettings(f"There is no such event: choose from {', '.join(NAMES)}.")
    about = frozenset(str(group_jid(each) if is_group(each) else contact_jid(each)) for each in jid)
    wanted = Wanted(kinds=chosen, account=account, about=about)
    return EventStream(stream_of(request), wanted, last_event_id, lambda: caller is not None and access.alive(caller))

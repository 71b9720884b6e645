# SPDX-License-Identifier: Apache-2.0
"""What was said with a person or in a group: /api/chats. Texts and files come from strangers and are never trusted."""

import mimetypes
import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, StringConstraints

from wigwag.adapters.rest import message_schemas as schemas
from wigwag.adapters.rest.here import TheGateway, problems
from wigwag.adapters.rest.messages import DEFAULT, Limit

_MIMETYPE = re.compile(r"[a-z0-9][\w!#$&^.+-]*/[a-z0-9][\w!#$&^.+-]*", re.ASCII | re.IGNORECASE)
_ANYTHING = "application/octet-stream"
_UNFIT = re.compile(r"[^\w.-]", re.ASCII)  # for a file's name
_FILE: dict[int | str, dict[str, Any]] = {200: {"description": "The file.", "content": {"*/*": {}}}}

# Where a page ended: an instant and an id. Many messages may be of one instant.
Edge = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,16}(\.[0-9]{1,17})?~[!-~]{1,128}$")]

router = APIRouter(prefix="/api/chats/{jid}/messages", tags=["chats"])


@router.get("", responses=problems(404, 409, 422, 503))
async def list_chat(
    jid: str,
    gateway: TheGateway,
    account: str | None = None,
    before: Annotated[Edge | AwareDatetime | None, Query(description="`next` of the page before, or any time")] = None,
    limit: Limit = DEFAULT,
) -> schemas.ChatPage:
    """What was said in a chat, newest first."""
    found = await gateway.messages.chat(jid, account=account, limit=limit + 1, before=_edge(before))
    page = found[:limit]
    following = f"{page[-1].at!r}~{page[-1].id}" if len(found) > limit else None
    return schemas.ChatPage(messages=[schemas.ChatMessage.of(message) for message in page], next=following)


def _edge(before: str | datetime | None) -> tuple[float, str] | None:
    if isinstance(before, str):
        at, _tilde, message_id = before.partition("~")
        return float(at), message_id
    return None if before is None else (before.timestamp(), "")


@router.get(
    "/{id}/media",
    response_class=Response,
    responses=_FILE | problems(404, 409, 422, 503),
)
async def get_media(jid: str, id: str, gateway: TheGateway, account: str | None = None) -> Response:  # noqa: A002
    """The file of a message, downloaded from WhatsApp if it is asked for the first time."""
    data, told = await gateway.messages.media(jid, id, account=account)
    mimetype = told.partition(";")[0].strip()
    if not _MIMETYPE.fullmatch(mimetype):
        mimetype = _ANYTHING
    name = _UNFIT.sub("_", id) + (mimetypes.guess_extension(mimetype) or "")
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Type": mimetype,
    }
    return Response(data, headers=headers)


@router.post("/{id}/read", status_code=204, response_class=Response, responses=problems(404, 409, 422, 503))
async def mark_read(jid: str, id: str, gateway: TheGateway, account: str | None = None) -> None:  # noqa: A002
    """Tell the sender that we read it."""
    await gateway.messages.mark_read(jid, id, account=account)

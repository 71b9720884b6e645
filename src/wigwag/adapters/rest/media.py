# SPDX-License-Identifier: Apache-2.0
"""Files to send later: /api/media. How files of others are had is in `chats`."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from wigwag.adapters.rest.here import TheGateway, problems
from wigwag.domain.errors import InvalidMessage
from wigwag.domain.media import LIMITS, sniff

LARGEST_UPLOAD = max(LIMITS.values())  # bytes; what its kind allows is judged when it is sent
_BODY = {"requestBody": {"required": True, "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}}

router = APIRouter(prefix="/api/media", tags=["messages"])


class KeptMedia(BaseModel):
    """A file that is kept, to be named in messages by its id."""

    id: str
    size: int = Field(description="bytes", examples=[48213])
    mimetype: str = Field(examples=["image/jpeg"], description="what the bytes show")


@router.post("", status_code=201, responses=problems(413, 422, 503), openapi_extra=_BODY)
async def upload_media(request: Request, gateway: TheGateway) -> KeptMedia:
    """Keep a file for messages to come: the body is the file itself. The same file has the same id."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise InvalidMessage("Send the file itself as the body, not as part of a form.", reason="invalid_media")
    data = await request.body()
    if not data:
        raise InvalidMessage("The body is empty: it should be the file.", reason="media_empty")
    return KeptMedia(id=await gateway.messages.keep_media(data), size=len(data), mimetype=sniff(data))

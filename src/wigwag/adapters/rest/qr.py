# SPDX-License-Identifier: Apache-2.0
"""The pairing code as JSON, PNG or SVG. It opens the account to whoever scans it, so it is never cached or logged."""

from datetime import datetime
from enum import StrEnum
from io import BytesIO
from typing import Any

import segno
from fastapi import Response
from pydantic import BaseModel, Field

from wigwag.adapters.rest.answers import instant
from wigwag.domain.events import PairingOffered

SCALE, QUIET_ZONE = 6, 4  # pixels a module, and modules of white around


class Format(StrEnum):
    JSON = "json"
    PNG = "png"
    SVG = "svg"


MEDIA_TYPES = {Format.JSON: "application/json", Format.PNG: "image/png", Format.SVG: "image/svg+xml"}
PICTURES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The code to scan now.", "content": {"image/png": {}, "image/svg+xml": {}}}
}


class Code(BaseModel):
    """A code to scan with the phone."""

    qr: str = Field(description="the text in the code")
    expires: datetime
    expires_in_seconds: float


def preferred(accept: str) -> Format:
    """What an Accept header asks for. Browsers get a picture, programs that do not mind get JSON."""
    for format_, media_type in MEDIA_TYPES.items():
        if media_type in accept:
            return format_
    return Format.SVG if "image/" in accept or "text/html" in accept else Format.JSON


def answer(offer: PairingOffered, format_: Format, now: float) -> Response:
    """The code in a format."""
    return Response(_render(offer, format_, now), media_type=MEDIA_TYPES[format_])


def _render(offer: PairingOffered, format_: Format, now: float) -> bytes:
    if format_ is Format.JSON:
        left = round(max(0.0, offer.expires - now), 1)
        return Code(qr=offer.qr, expires=instant(offer.expires), expires_in_seconds=left).model_dump_json().encode()
    picture = BytesIO()
    segno.make_qr(offer.qr, error="l").save(picture, kind=format_.value, scale=SCALE, border=QUIET_ZONE, light="white")
    return picture.getvalue()

# SPDX-License-Identifier: Apache-2.0
"""An envelope: a wish to send as producers write it to the queue (seed 003), and how it becomes a draft and comes back.

It is judged as far as one can without the world; the rest is done by whoever sends the draft. Unknown fields are
ignored, as the seed's own reader does. How envelopes travel is not known here.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import isfinite
from typing import Any

from wigwag.domain.contents import CAPTIONED, MEDIA, ContactCard, Content, Kind, Location, Media, Poll, Reaction, Text
from wigwag.domain.delivery import NORMAL, Job
from wigwag.domain.drafts import Draft, Template
from wigwag.domain.errors import InvalidJid, InvalidMessage
from wigwag.domain.ids import group_jid, is_group, number
from wigwag.domain.media import LIMITS
from wigwag.domain.strictjson import decode

LARGEST = 1 << 20  # bytes, not counting media that come within
LONGEST_MEDIA = max(LIMITS.values()) // 3 * 4 + 4  # characters of base64
DOOR = "amqp"

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s().\-\u00ad\u200b-\u2015\u202a-\u202e\u2060\u2066-\u2069\u2212\ufe58\ufe63\uff0d\ufeff]")
_PHONE = re.compile(r"\+[0-9]{8,15}", re.ASCII)
_LATEST = 1e11  # Unix seconds; more must be milliseconds
_WITHIN = "within"  # stands for the id of media that come within the envelope, until they have one


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What an envelope asks for. `base64` holds media that came within it; they must be kept before it is sent."""

    draft: Draft
    base64: str = field(default="", repr=False)

    def with_media(self, media_id: str) -> Draft:
        """The draft, with its media under the id by which they are kept."""
        if not isinstance(self.draft.content, Media):
            return self.draft
        return replace(self.draft, content=replace(self.draft.content, media=media_id))


def parse(body: bytes) -> Envelope:
    """Read an envelope.

    Raises:
        InvalidMessage: its `reason` is one of the stable words that docs/RABBITMQ.md lists.
    """
    if len(body) > LARGEST and (len(body) > LARGEST + LONGEST_MEDIA or b'"base64"' not in body):
        raise _too_large()
    value = decode(body)
    if not isinstance(value, dict):
        raise InvalidMessage("An envelope is a JSON object.", reason="not_an_object")
    fields = _Fields(value)
    user_id, to = _user_id(fields), _destination(fields)
    content, base64 = _content(fields)
    if len(body) - len(base64) > LARGEST:
        raise _too_large()
    draft = Draft(
        to=to,
        content=content,
        account=fields.text("account"),
        send_at=_send_at(fields.any("send_at")),
        key=fields.text("idempotency_key"),
        priority=fields.whole("priority", NORMAL),
        reply_to=fields.text("reply_to"),
        mentions=fields.texts("mentions"),
        user_id=user_id,
        door=DOOR,
    )
    return Envelope(draft=draft, base64=base64)


def write(job: Job) -> bytes:
    """The envelope that would ask for a job again, at once. Its media stand there by id or URL."""
    fields: dict[str, Any] = {
        "user_id": job.user_id,
        "destination": job.to if is_group(job.to) else f"+{number(job.to)}",
        **_written(job.content),
        "account": job.account,
        "idempotency_key": job.key,
        "reply_to": job.quote.message_id if job.quote and not isinstance(job.content, Reaction) else None,
        "mentions": [f"+{number(jid)}" for jid in job.mentions] or None,
    }
    if job.priority != NORMAL:
        fields["priority"] = job.priority
    given = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(given, ensure_ascii=False).encode()


# --- fields


class _Fields:
    """An object of an envelope. Null is as good as absent; a value of another type raises `invalid_<name>`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def any(self, name: str) -> Any:
        return self._values.get(name)

    def text(self, name: str) -> str | None:
        value = self.any(name)
        if value is not None and not isinstance(value, str):
            raise _invalid(name, "a text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.any(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise _invalid(name, "a list of texts")
        return tuple(value)

    def whole(self, name: str, default: int) -> int:
        value = self.any(name)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            raise _invalid(name, "a whole number")
        return value

    def real(self, name: str) -> float:
        value = _real(self.any(name))
        if value is None:
            raise _invalid(name, "a number")
        return value

    def inner(self, name: str) -> "_Fields":
        value = self.any(name)
        if not isinstance(value, dict):
            raise _invalid(name, "an object")
        return _Fields(value)


def _user_id(fields: _Fields) -> str:
    user_id = fields.any("user_id")
    if user_id in (None, ""):
        raise InvalidMessage("An envelope needs a user_id.", reason="user_id_missing")
    if not isinstance(user_id, str) or not _UUID.fullmatch(user_id):
        raise _invalid("user_id", "a UUID")
    return user_id


def _destination(fields: _Fields) -> str:
    destination = fields.any("destination")
    if destination in (None, ""):
        raise InvalidMessage("An envelope needs a destination.", reason="destination_missing")
    if not isinstance(destination, str):
        raise _invalid("destination", "a text")
    try:
        if is_group(destination):
            return group_jid(destination)
    except InvalidJid as error:
        raise InvalidMessage(str(error), reason="invalid_destination") from error
    phone = _SEPARATORS.sub("", destination)
    if not _PHONE.fullmatch(phone):
        raise _invalid("destination", "+ and the country code, then the number: 8 to 15 digits")
    return phone


def _send_at(value: Any) -> float | None:
    if value is None:
        return None
    at = _real(value)
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            at = moment.timestamp() if moment.tzinfo is not None else None
        except (ValueError, OverflowError):
            at = None
    if at is None or not 0 <= at < _LATEST:
        raise _invalid("send_at", "Unix seconds, or a time with its zone such as 2026-01-31T12:00:00Z")
    return at


def _real(value: Any) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value) if isfinite(value) else None
    except OverflowError:
        return None


# --- contents


def _content(fields: _Fields) -> tuple[Content | Template, str]:
    """What is to be said, and the base64 of media that came within."""
    kind = _kind(fields)
    said = fields.text("text_message") or ""
    if kind in MEDIA:
        return _media(kind, fields.inner("media"), said)
    if kind is Kind.TEXT and fields.any("template") is None:
        return Text(text=said), ""
    if said:
        raise InvalidMessage(f"A {kind} carries no text_message.", reason="text_not_carried")
    return _plain(kind, fields), ""


def _kind(fields: _Fields) -> Kind:
    kind = fields.text("type") or Kind.TEXT
    if kind not in set(Kind):
        raise _invalid("type", ", ".join(Kind))
    if kind not in MEDIA and fields.any("media") is not None:
        raise _invalid("type", f"one of {', '.join(sorted(MEDIA))} where there are media")
    return Kind(kind)


def _media(kind: Kind, media: _Fields, said: str) -> tuple[Media, str]:
    base64 = media.text("base64") or ""
    if base64 and (media.any("id") or media.any("url")):
        raise InvalidMessage("Give the media either by id, by URL, or as base64.", reason="invalid_media")
    if len(base64) > LIMITS[kind] // 3 * 4 + 4:
        raise InvalidMessage(f"A {kind} may have {LIMITS[kind]} bytes.", reason="media_too_large")
    if said and kind not in CAPTIONED:
        raise InvalidMessage(f"A {kind} carries no text_message.", reason="text_not_carried")
    content = Media(
        kind=kind,
        media=_WITHIN if base64 else media.text("id") or "",
        url=media.text("url") or "",
        caption=said,
        filename=media.text("filename") or "",
        mimetype=media.text("mimetype") or "",
    )
    return content, base64


def _plain(kind: Kind, fields: _Fields) -> Content | Template:
    if kind is Kind.TEXT:
        template = fields.inner("template")
        values = template.any("values") or {}
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise _invalid("template", "a name, and values that are texts")
        return Template(name=template.text("name") or "", values=values)
    of = fields.inner(kind)
    if kind is Kind.LOCATION:
        place = {name: of.text(name) or "" for name in ("name", "address")}
        return Location(latitude=of.real("latitude"), longitude=of.real("longitude"), **place)
    if kind is Kind.CONTACT:
        return ContactCard(name=of.text("name") or "", phone=of.text("phone") or "")
    if kind is Kind.POLL:
        options = of.texts("options")
        return Poll(question=of.text("question") or "", options=options, selectable=of.whole("selectable", 1))
    return Reaction(message_id=of.text("message_id") or "", emoji=of.text("emoji") or "")


def _written(content: Content) -> dict[str, Any]:
    match content:
        case Text():
            return {"text_message": content.text}
        case Media():
            named = {"id": content.media, "url": content.url}
            named |= {"filename": content.filename, "mimetype": content.mimetype}
            media = {name: value for name, value in named.items() if value}
            return {"type": content.kind.value, "text_message": content.caption or None, "media": media}
        case Location():
            place = {"latitude": content.latitude, "longitude": content.longitude}
            inner: dict[str, Any] = {**place, "name": content.name, "address": content.address}
        case ContactCard():
            inner = {"name": content.name, "phone": content.phone}
        case Poll():
            inner = {"question": content.question, "options": content.options, "selectable": content.selectable}
        case Reaction():
            inner = {"message_id": content.message_id, "emoji": content.emoji}
    return {"type": content.kind.value, content.kind.value: inner}


def _invalid(name: str, what: str) -> InvalidMessage:
    return InvalidMessage(f"{name} is {what}.", reason=f"invalid_{name}")


def _too_large() -> InvalidMessage:
    return InvalidMessage(f"An envelope has at most {LARGEST} bytes, besides media in base64.", reason="too_large")

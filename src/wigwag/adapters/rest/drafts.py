# SPDX-License-Identifier: Apache-2.0
"""The shape of a message to send as REST hears it, and its way into a `Draft`.

Shapes are judged here: which parts there are, and that they fit the type. Lengths and ranges are the domain's.
"""

import base64
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from wigwag.adapters.rest.schemas import Strict
from wigwag.domain import contents, drafts
from wigwag.domain.contents import MEDIA, Kind
from wigwag.domain.delivery import HIGHEST, NORMAL
from wigwag.domain.errors import InvalidMessage
from wigwag.domain.media import judge

TYPES = {part: {Kind(part)} for part in ("text", "location", "contact", "poll", "reaction")}
TYPES |= {"media": set(MEDIA), "template": {Kind.TEXT}}  # a template makes a text


class Media(Strict):
    """A file: where to fetch it from, or the file itself, or the id of an upload."""

    url: str | None = Field(None, examples=["https://example.org/cat.jpg"], description="fetched when it is sent")
    base64: str | None = Field(None, description="the file itself; larger ones are uploaded first")
    id: str | None = Field(None, description="what `POST /api/media` answered")
    filename: str = Field("", examples=["invoice.pdf"], description="what the recipient sees, of a document")
    mimetype: str = Field("", examples=["application/pdf"], description="found out from the bytes if left out")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.url, self.base64, self.id].count(None) != 2:
            raise ValueError("give one of url, base64 and id")
        return self

    def data(self, kind: Kind) -> bytes:
        """What came as base64. Raises InvalidMessage, also if WhatsApp does not show such a file as this kind."""
        try:
            data = base64.b64decode(self.base64 or "", validate=True)
        except ValueError as error:
            raise InvalidMessage("The media are not base64.", reason="invalid_base64") from error
        judge(kind, data, self.mimetype)
        return data

    def value(self, kind: Kind, caption: str, media_id: str) -> contents.Media:
        return contents.Media(
            kind=kind,
            media=media_id,
            url=self.url or "",
            caption=caption,
            filename=self.filename,
            mimetype=self.mimetype,
        )


class Location(Strict):
    """A place, in degrees."""

    latitude: float = Field(examples=[52.5163])
    longitude: float = Field(examples=[13.3777])
    name: str = Field("", examples=["Brandenburg Gate"])
    address: str = Field("", examples=["Pariser Platz, Berlin"])

    def value(self) -> contents.Location:
        return contents.Location(latitude=self.latitude, longitude=self.longitude, name=self.name, address=self.address)


class ContactCard(Strict):
    """Somebody's name and number, for the recipient to save."""

    name: str = Field(examples=["John Doe"])
    phone: str = Field(examples=["+91 98765 43210"])

    def value(self) -> contents.ContactCard:
        return contents.ContactCard(name=self.name, phone=self.phone)


class Poll(Strict):
    """A question with 2 to 12 answers."""

    question: str = Field(examples=["When shall we meet?"])
    options: list[str] = Field(examples=[["Monday", "Tuesday"]])
    selectable: int = Field(1, description="how many may be chosen; 0 for any number")

    def value(self) -> contents.Poll:
        return contents.Poll(question=self.question, options=tuple(self.options), selectable=self.selectable)


class Reaction(Strict):
    """An emoji on a message of the chat; an empty one takes the reaction back."""

    message_id: str = Field(examples=["3EB0C431C26A1916E07E"], description="WhatsApp's id of the message")
    emoji: str = Field(examples=["👍"])

    def value(self) -> contents.Reaction:
        return contents.Reaction(message_id=self.message_id, emoji=self.emoji)


class FilledTemplate(Strict):
    """A text that is kept under a name, and what goes into its placeholders."""

    name: str = Field(examples=["welcome"])
    values: dict[str, str] = Field({}, examples=[{"name": "John"}])

    def value(self) -> drafts.Template:
        return drafts.Template(name=self.name, values=self.values)


class Draft(Strict):
    """A message to send: exactly one of text, media, location, contact, poll, reaction and template."""

    to: str = Field(max_length=64, examples=["+91 98765 43210"], description="phone number, jid, or a group's jid")
    type: Kind | None = Field(None, description="needed for media; else the part that is given")
    text: str | None = Field(None, examples=["Hello!"])
    media: Media | None = None
    caption: str = Field("", description="of an image, a video or a document")
    location: Location | None = None
    contact: ContactCard | None = None
    poll: Poll | None = None
    reaction: Reaction | None = None
    template: FilledTemplate | None = None
    account: str | None = Field(None, description="which account; may be left out if there is only one")
    send_at: AwareDatetime | None = Field(None, description="RFC 3339 with a zone, or Unix seconds; left out: now")
    priority: int = Field(NORMAL, description=f"0 to {HIGHEST}; higher ones go first")
    reply_to: str | None = Field(None, description="WhatsApp's id of the message that is answered")
    mentions: list[str] = Field([], description="numbers or jids of people who are mentioned in the text as @number")
    user_id: str | None = Field(None, description="yours; it is repeated in events")
    idempotency_key: str | None = Field(None, description="as the header Idempotency-Key")

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        given = [part for part in TYPES if getattr(self, part) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(TYPES)}")
        types = TYPES[given[0]]
        if self.type is None and len(types) > 1:
            raise ValueError(f"say the type of the {given[0]}: {', '.join(sorted(types))}")
        if self.type is not None and self.type not in types:
            raise ValueError(f"`{given[0]}` is no part of a message of type {self.type}")
        if self.caption and self.media is None:
            raise ValueError("a caption goes with media")
        return self

    @property
    def media_kind(self) -> Kind:
        """The type of the media, if there are any."""
        return Kind(self.type or "")

    def content(self, media_id: str) -> contents.Content | drafts.Template:
        """What it says. Raises InvalidMessage."""
        if self.media is not None:
            return self.media.value(self.media_kind, self.caption, media_id)
        for part in (self.location, self.contact, self.poll, self.reaction, self.template):
            if part is not None:
                return part.value()
        return contents.Text(text=self.text or "")

    def value(self, *, media_id: str, key: str | None, trace: str | None) -> drafts.Draft:
        """The domain's draft. Raises InvalidMessage.

        Args:
            media_id: under which id the media are kept; "" if there are none, or they are at a URL.
            key: from the header.
        """
        if None not in (key, self.idempotency_key) and key != self.idempotency_key:
            raise InvalidMessage("Header and body name different idempotency keys.", reason="invalid_key")
        return drafts.Draft(
            to=self.to,
            content=self.content(media_id),
            account=self.account,
            send_at=None if self.send_at is None else self.send_at.timestamp(),
            key=self.idempotency_key if key is None else key,
            priority=self.priority,
            reply_to=self.reply_to,
            mentions=tuple(self.mentions),
            user_id=self.user_id,
            door="rest",
            trace=trace,
        )

# SPDX-License-Identifier: Apache-2.0
"""What the admin API takes: one model for each body, strict about names it does not know.

Shapes and bounds only; what a body does is in `controls`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, model_validator

from wigwag.simulator.content import Content

Phone = Annotated[str, Field(pattern=r"^[1-9]\d{4,14}$", description="digits, international, no plus")]
GroupId = Annotated[str, Field(pattern=r"^[0-9-]{5,40}$")]
Limit = Annotated[int, Field(ge=1, le=100_000)]
Lid = Annotated[str, Field(pattern=r"^\d{5,20}$")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


Model = TypeVar("Model", bound=Body)


class Scan(Body):
    qr: str
    phone: Phone | None = None


class ScanCode(Body):
    phone: Phone
    code: Annotated[str, Field(pattern=r"^[1-9A-Za-z]{4}-?[1-9A-Za-z]{4}$")]


class Contact(Body):
    name: str | None = None
    lid: Lid | None = None
    about: str | None = None
    last_seen_visible: bool | None = None
    addressed_by_lid: bool | None = None
    aliases: list[Phone] | None = None


class NumberedContact(Contact):
    phone: Phone


class Presence(Body):
    online: bool
    last_seen: datetime | None = None


class Typing(Body):
    state: Literal["composing", "paused"] = "composing"
    media: Literal["audio"] | None = None


class Message(Body):
    """Either what is said, with a `file` (base64) where there is one, or `raw`: the bytes of a message, base64."""

    kind: str = "text"
    text: Annotated[str, Field(max_length=65_536)] | None = None
    quoted: str | None = None
    mentions: list[str] = []
    fields: dict[str, Any] = {}
    file: Base64Bytes | None = None
    raw: str | None = None
    group: GroupId | None = None
    account: Phone | None = None

    @model_validator(mode="after")
    def says_something(self) -> Self:
        if self.kind == "text" and not self.text and self.raw is None:
            raise ValueError("a message of kind text needs a text")
        return self

    def content(self) -> Content:
        return Content(
            kind=self.kind, text=self.text, quoted=self.quoted, mentions=tuple(self.mentions), fields=self.fields
        )


class Call(Body):
    account: Phone | None = None
    video: bool = False


class HangUp(Body):
    account: Phone | None = None


class Group(Body):
    subject: Annotated[str, Field(min_length=1, max_length=100)]
    participants: list[Phone]
    admins: list[Phone] = []
    by_lid: bool = False
    by: Phone | None = None


class Limits(Body):
    subscriptions_per_minute: Annotated[int, Field(ge=0)] | None = None
    subscriptions_alive: Annotated[int, Field(ge=0)] | None = None
    on_excess: Literal["drop", "error", "stream_error"] = "drop"


class Receipts(Body):
    delivery: bool = True
    read: bool = True
    played: bool = False
    order: Literal["normal", "reversed"] = "normal"
    delay: Annotated[float, Field(ge=0)] = 0.0
    hold: bool = False
    copies: Annotated[int, Field(ge=1, le=10)] = 1


class Release(Body):
    phone: Phone | None = None
    account: Phone | None = None


class Keep(Body):
    keep: Annotated[int, Field(ge=1)]


class Fault(Body):
    kind: str
    account: Phone | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    count: Annotated[int, Field(gt=0)] | None = None
    code: Annotated[int, Field(gt=0)] | None = None
    delay: Annotated[float, Field(ge=0)] = 5.0


class Rhythm(Body):
    speed: Annotated[float, Field(gt=0)] = 60.0
    phones: list[Phone] | None = None

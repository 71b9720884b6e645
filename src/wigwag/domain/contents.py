# SPDX-License-Identifier: Apache-2.0
"""What a message says: one value for each kind, which cannot be made wrong, and its form in JSON.

Limits are those of WhatsApp's own clients, or narrower. Whether a text is an attack is judged in `safety`, and where
media come from in `app`.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from math import isfinite
from typing import Any

from wigwag.domain.errors import InvalidMessage

LONGEST_TEXT = 4096  # characters (seed 003)
LONGEST_CAPTION = 1024
LONGEST_NAME = 240  # of a file or a place
LONGEST_ID = 128
MOST_OPTIONS, LONGEST_OPTION, LONGEST_QUESTION = 12, 100, 255
LONGEST_EMOJI = 32  # characters; one visible emoji may be joined from many
_SURROGATES = re.compile("[\ud800-\udfff]")


class Kind(StrEnum):
    """The kinds of what can be sent."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    POLL = "poll"
    REACTION = "reaction"


MEDIA = frozenset({Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.VOICE, Kind.DOCUMENT, Kind.STICKER})
CAPTIONED = frozenset({Kind.IMAGE, Kind.VIDEO, Kind.DOCUMENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text of 1 to 4096 characters (seed 003)."""

    text: str = field(repr=False)
    kind: Kind = field(default=Kind.TEXT, init=False)

    def __post_init__(self) -> None:
        _check("text", self.text, LONGEST_TEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file. It is named by `media`, the id of what was uploaded, or by the `url` to fetch it from."""

    kind: Kind
    media: str = ""
    url: str = field(default="", repr=False)
    caption: str = field(default="", repr=False)
    filename: str = field(default="", repr=False)
    mimetype: str = ""

    def __post_init__(self) -> None:
        if self.kind not in MEDIA:
            raise InvalidMessage(f"{self.kind} is not a kind of media.", reason="invalid_type")
        if bool(self.media) is bool(self.url):
            raise InvalidMessage("Give the media either by id or by URL.", reason="invalid_media")
        if self.caption and self.kind not in CAPTIONED:
            raise InvalidMessage(f"A {self.kind} carries no caption.", reason="invalid_caption")
        _check("caption", self.caption, LONGEST_CAPTION, least=0)
        _check("filename", self.filename, LONGEST_NAME, least=0)
        _check("mimetype", self.mimetype, LONGEST_ID, least=0)
        _check("url", self.url, 2048, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place, in degrees (WGS 84)."""

    latitude: float = field(repr=False)
    longitude: float = field(repr=False)
    name: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    kind: Kind = field(default=Kind.LOCATION, init=False)

    def __post_init__(self) -> None:
        if not (isfinite(self.latitude) and abs(self.latitude) <= 90):
            raise InvalidMessage("The latitude is a number from -90 to 90.", reason="invalid_location")
        if not (isfinite(self.longitude) and abs(self.longitude) <= 180):
            raise InvalidMessage("The longitude is a number from -180 to 180.", reason="invalid_location")
        _check("name", self.name, LONGEST_NAME, least=0)
        _check("address", self.address, LONGEST_NAME, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCard:
    """Somebody's name and number, to be saved by the reader."""

    name: str = field(repr=False)
    phone: str = field(repr=False)
    kind: Kind = field(default=Kind.CONTACT, init=False)

    def __post_init__(self) -> None:
        _check("name", self.name, LONGEST_NAME)
        _check("phone", self.phone, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """A question with 2 to 12 answers, of which `selectable` may be chosen; 0 stands for any number of them."""

    question: str = field(repr=False)
    options: tuple[str, ...] = field(repr=False)
    selectable: int = 1
    kind: Kind = field(default=Kind.POLL, init=False)

    def __post_init__(self) -> None:
        _check("question", self.question, LONGEST_QUESTION)
        if not 2 <= len(self.options) <= MOST_OPTIONS or len(set(self.options)) < len(self.options):
            raise InvalidMessage("A poll has 2 to 12 different options.", reason="invalid_poll")
        for option in self.options:
            _check("option", option, LONGEST_OPTION)
        if not 0 <= self.selectable <= len(self.options):
            raise InvalidMessage("Not more options can be selectable than there are.", reason="invalid_poll")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """An emoji on a message; an empty one takes the reaction back."""

    message_id: str
    emoji: str = field(repr=False)
    kind: Kind = field(default=Kind.REACTION, init=False)

    def __post_init__(self) -> None:
        _check("message_id", self.message_id, LONGEST_ID)
        _check("emoji", self.emoji, LONGEST_EMOJI, least=0)


Content = Text | Media | Location | ContactCard | Poll | Reaction

_CLASSES: dict[Kind, type[Content]] = {
    Kind.TEXT: Text,
    Kind.LOCATION: Location,
    Kind.CONTACT: ContactCard,
    Kind.POLL: Poll,
    Kind.REACTION: Reaction,
} | dict.fromkeys(MEDIA, Media)


_WRITTEN = {"text", "caption", "filename", "name", "phone", "address", "question", "emoji"}


def texts(content: Content) -> list[str]:
    """Everything in it that a person wrote and another reads."""
    return [value for name, value in asdict(content).items() if name in _WRITTEN and value] + (
        list(content.options) if isinstance(content, Poll) else []
    )


def to_json(content: Content) -> dict[str, Any]:
    """The content as plain values, without what is empty."""
    return {name: value for name, value in asdict(content).items() if value not in ("", ())}


def from_json(plain: Mapping[str, Any]) -> Content:
    """The content that `to_json` wrote."""
    values = dict(plain)
    kind = Kind(values.pop("kind"))
    if kind in MEDIA:
        return Media(kind=kind, **values)
    if kind is Kind.POLL:
        values["options"] = tuple(values["options"])
    if kind is Kind.REACTION:
        values.setdefault("emoji", "")
    return _CLASSES[kind](**values)


def check_text(name: str, text: str) -> None:
    """Raises InvalidMessage for what cannot be carried: NUL, and halves of characters that no UTF-8 has."""
    if "\0" in text:
        raise InvalidMessage(f"The {name} contains a NUL character.", reason=f"invalid_{name}")
    if not text.isascii() and _SURROGATES.search(text):
        raise InvalidMessage(f"The {name} contains half a character (a lone surrogate).", reason=f"invalid_{name}")


def _check(name: str, text: str, most: int, least: int = 1) -> None:
    if len(text) < least or (least and not text.strip()):
        raise InvalidMessage(f"The {name} is empty.", reason=f"{name}_missing")
    if len(text) > most:
        raise InvalidMessage(f"The {name} is longer than {most} characters.", reason=f"{name}_too_long")
    check_text(name, text)

# SPDX-License-Identifier: Apache-2.0
"""What a message says is read out of it as it was put in, for every kind, in whatever wrapping."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.simulator import Content, e2e
from wigwag.simulator.content import KINDS, compose, read, read_or_unknown
from wigwag.simulator.protobuf import ProtobufError

words = st.text(max_size=20)
numbers = st.integers(0, 2**32 - 1)
blobs = st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode())
files = {"mimetype": words, "length": numbers, "sha256": blobs, "media_key": blobs, "direct_path": words}
places = {name: st.floats(allow_nan=False) for name in ("latitude", "longitude")}
keys = {"chat": words, "participant": words}
FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "text": {},
    "image": {**files, "thumbnail": blobs, "view_once": st.booleans()},
    "video": {**files, "seconds": numbers, "gif": st.booleans()},
    "audio": {**files, "seconds": numbers},
    "voice": {**files, "waveform": blobs},
    "document": {**files, "file_name": words},
    "sticker": {**files, "animated": st.booleans()},
    "location": {**places, "name": words, "address": words},
    "live_location": {**places, "sequence": numbers},
    "contact": {"name": words, "vcard": words},
    "contacts": {
        "name": words,
        "contacts": st.lists(st.fixed_dictionaries({"name": words, "vcard": words}), min_size=1),
    },
    "poll": {"options": st.lists(words, min_size=1), "selectable": numbers},
    "vote": {**keys, "vote": st.fixed_dictionaries({"payload": blobs, "iv": blobs})},
    "reaction": keys,
    "edit": keys,
    "deletion": keys,
}
SPEAKING = {"text", "image", "video", "document", "location", "live_location", "poll", "reaction", "edit"}
REPLYING = {kind for kind in FIELDS if kind not in ("vote", "reaction", "deletion")}
ABOUT_ANOTHER = {"vote", "reaction", "edit", "deletion"}


@st.composite
def contents(draw: st.DrawFn) -> Content:
    kind = draw(st.sampled_from(sorted(FIELDS)))
    required = {"target": st.text(min_size=1, max_size=20), "from_me": st.booleans()} if kind in ABOUT_ANOTHER else {}
    optional = dict(FIELDS[kind])
    if kind == "poll":
        required["options"] = optional.pop("options")
    return Content(
        kind=kind,
        text=draw(words) if kind in SPEAKING else None,
        quoted=draw(st.none() | st.text(min_size=1, max_size=20)) if kind in REPLYING else None,
        mentions=tuple(draw(st.lists(words, max_size=3))) if kind in REPLYING else (),
        fields=draw(st.fixed_dictionaries(required, optional=optional)),
    )


def test_every_kind_is_tried() -> None:
    assert sorted(FIELDS) == list(KINDS)


@given(contents())
def test_what_is_composed_is_read(said: Content) -> None:
    assert read(compose(said)) == said


@pytest.mark.parametrize("wrapper", e2e.WRAPPERS)
def test_a_wrapped_message_is_what_is_inside(wrapper: str) -> None:
    inside = e2e.CONTENT.decode(compose(Content(kind="image", text="look")))
    assert read(e2e.CONTENT.encode({wrapper: {"message": inside}})) == Content(kind="image", text="look")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({}, "unknown"),
        ({"secrets": {"secret": b"x"}}, "unknown"),
        ({"sender_key": {"group": "1@g.us"}}, "keys"),
        ({"protocol": {"type": 6}}, "protocol"),
        ({"poll_v3": {"question": "?"}}, "poll"),
        ({"round_video": {"seconds": 1}}, "video"),
        ({"protocol": {"key": {"id": "A"}}}, "deletion"),
    ],
)
def test_what_else_there_is_has_a_kind_too(values: dict[str, Any], kind: str) -> None:
    assert read(e2e.CONTENT.encode(values)).kind == kind


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (Content(kind="dance"), "choose one of"),
        (Content(kind="reaction", text="👍"), "target"),
        (Content(kind="image", fields={"size": 1}), "choose from"),
        (Content(kind="image", fields={"sha256": "no base64"}), "base64"),
        (Content(kind="image", fields={"length": "seven"}), "length"),
        (Content(kind="contacts", fields={"contacts": "Bob"}), "contacts"),
        (Content(kind="sticker", text="a caption"), "caption"),
        (Content(kind="reaction", quoted="A", fields={"target": "B"}), "context"),
    ],
)
def test_what_cannot_be_said_is_an_error(said: Content, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        compose(said)


@given(st.binary(max_size=60))
def test_rubbish_is_an_error_or_some_content(data: bytes) -> None:
    try:
        assert read(data) == read_or_unknown(data)
    except ProtobufError:
        assert read_or_unknown(data).kind == "unknown"


def test_a_message_that_is_nested_without_end_is_an_error() -> None:
    message = e2e.CONTENT.encode({"conversation": "deep"})
    for _ in range(60):
        message = _wrapped(message)
    with pytest.raises(ProtobufError, match="deep"):
        read(message)


def _wrapped(message: bytes) -> bytes:
    """In an `ephemeral` wrapper, as bytes, for the encoder would have to nest as deep."""
    return _field(40, _field(1, message))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + _varint(value >> 7)

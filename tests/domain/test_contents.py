# SPDX-License-Identifier: Apache-2.0
"""What a message may say: each limit at its edge, and the way to JSON and back."""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.contents import (
    CAPTIONED,
    MEDIA,
    ContactCard,
    Content,
    Kind,
    Location,
    Media,
    Poll,
    Reaction,
    Text,
    from_json,
    texts,
    to_json,
)
from wigwag.domain.errors import InvalidMessage

X = "x"


def image(**more: str) -> Media:
    return Media(kind=Kind.IMAGE, **({"media": "m1"} | more))


def poll(**more: Any) -> Poll:
    return Poll(**({"question": "q", "options": ("a", "b")} | more))


def place(latitude: float = 0.0, longitude: float = 0.0, **more: str) -> Location:
    return Location(latitude=latitude, longitude=longitude, **more)


def options(count: int) -> tuple[str, ...]:
    return tuple(f"option {n}" for n in range(count))


@pytest.mark.parametrize(
    ("fits", "breaks", "reason"),
    [
        (lambda: Text(text=X), lambda: Text(text=""), "text_missing"),
        (lambda: Text(text=" x"), lambda: Text(text=" \n\t"), "text_missing"),
        (lambda: Text(text=X * 4096), lambda: Text(text=X * 4097), "text_too_long"),
        (lambda: Text(text="a\x01b"), lambda: Text(text="a\0b"), "invalid_text"),
        (lambda: Text(text="😀"), lambda: Text(text="a\ud83db"), "invalid_text"),
        (lambda: image(caption=X * 1024), lambda: image(caption=X * 1025), "caption_too_long"),
        (lambda: image(caption=""), lambda: image(caption="\0"), "invalid_caption"),
        (lambda: image(filename=X * 240), lambda: image(filename=X * 241), "filename_too_long"),
        (lambda: image(mimetype=X * 128), lambda: image(mimetype=X * 129), "mimetype_too_long"),
        (lambda: image(media="", url=X * 2048), lambda: image(media="", url=X * 2049), "url_too_long"),
        (image, lambda: image(media=""), "invalid_media"),
        (image, lambda: image(url="https://example.org/a.png"), "invalid_media"),
        (image, lambda: Media(kind=Kind.TEXT, media="m1"), "invalid_type"),
        (lambda: place(90, 180), lambda: place(90.001, 0), "invalid_location"),
        (lambda: place(-90, -180), lambda: place(0, -180.001), "invalid_location"),
        (place, lambda: place(float("nan"), 0), "invalid_location"),
        (place, lambda: place(0, float("inf")), "invalid_location"),
        (lambda: place(name=X * 240), lambda: place(name=X * 241), "name_too_long"),
        (lambda: place(address=X * 240), lambda: place(address=X * 241), "address_too_long"),
        (lambda: ContactCard(name=X * 240, phone="1"), lambda: ContactCard(name=X * 241, phone="1"), "name_too_long"),
        (lambda: ContactCard(name=X, phone="1"), lambda: ContactCard(name="", phone="1"), "name_missing"),
        (lambda: ContactCard(name=X, phone="1" * 32), lambda: ContactCard(name=X, phone="1" * 33), "phone_too_long"),
        (lambda: ContactCard(name=X, phone="1"), lambda: ContactCard(name=X, phone=""), "phone_missing"),
        (lambda: poll(question=X * 255), lambda: poll(question=X * 256), "question_too_long"),
        (poll, lambda: poll(question=""), "question_missing"),
        (lambda: poll(options=options(2)), lambda: poll(options=options(1)), "invalid_poll"),
        (lambda: poll(options=options(12)), lambda: poll(options=options(13)), "invalid_poll"),
        (poll, lambda: poll(options=("a", "a")), "invalid_poll"),
        (poll, lambda: poll(options=("a", " ")), "option_missing"),
        (lambda: poll(options=("a", X * 100)), lambda: poll(options=("a", X * 101)), "option_too_long"),
        (lambda: poll(selectable=0), lambda: poll(selectable=-1), "invalid_poll"),
        (lambda: poll(selectable=2), lambda: poll(selectable=3), "invalid_poll"),
        (
            lambda: Reaction(message_id=X * 128, emoji=""),
            lambda: Reaction(message_id=X * 129, emoji=""),
            "message_id_too_long",
        ),
        (
            lambda: Reaction(message_id=X, emoji="👍"),
            lambda: Reaction(message_id="", emoji="👍"),
            "message_id_missing",
        ),
        (
            lambda: Reaction(message_id=X, emoji=X * 32),
            lambda: Reaction(message_id=X, emoji=X * 33),
            "emoji_too_long",
        ),
    ],
)
def test_what_fits_is_taken_and_one_step_more_is_refused(
    fits: Callable[[], Content], breaks: Callable[[], Content], reason: str
) -> None:
    fits()
    with pytest.raises(InvalidMessage) as refused:
        breaks()
    assert refused.value.reason == reason


@pytest.mark.parametrize("kind", sorted(MEDIA))
def test_only_images_videos_and_documents_carry_a_caption(kind: Kind) -> None:
    if kind in CAPTIONED:
        assert Media(kind=kind, media="m", caption="c").caption == "c"
        return
    with pytest.raises(InvalidMessage, match="carries no caption"):
        Media(kind=kind, media="m", caption="c")


CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


def words(most: int, least: int = 1) -> st.SearchStrategy[str]:
    plain = st.text(CHARACTERS, min_size=least, max_size=most)
    return plain.filter(str.strip) if least else plain


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
POLLS = st.lists(words(20), min_size=2, max_size=12, unique=True).flatmap(
    lambda found: st.builds(
        Poll,
        question=words(40),
        options=st.just(tuple(found)),
        selectable=st.integers(0, len(found)),
    )
)
CONTENTS: st.SearchStrategy[Content] = st.one_of(
    st.builds(Text, text=words(80)),
    st.builds(
        Media, kind=st.sampled_from(sorted(CAPTIONED)), media=words(20), caption=words(40, 0), filename=words(20, 0)
    ),
    st.builds(Media, kind=st.sampled_from(sorted(MEDIA)), url=words(40), mimetype=words(20, 0)),
    st.builds(
        Location,
        latitude=st.floats(-90, 90),
        longitude=st.floats(-180, 180),
        name=words(20, 0),
        address=words(20, 0),
    ),
    st.builds(ContactCard, name=words(20), phone=words(20)),
    POLLS,
    st.builds(Reaction, message_id=words(20), emoji=words(8, 0)),
)


@given(CONTENTS)
def test_whatever_is_written_as_json_is_read_back_the_same(content: Content) -> None:
    assert from_json(json.loads(json.dumps(to_json(content)))) == content


def test_every_kind_is_written_as_json_and_read_back() -> None:
    """So the property above cannot miss one."""
    some: list[Content] = [
        Text(text=X),
        place(),
        ContactCard(name=X, phone="1"),
        poll(),
        Reaction(message_id=X, emoji=X),
    ]
    some += [Media(kind=kind, media="m") for kind in MEDIA]
    assert {content.kind for content in some} == set(Kind)
    assert [from_json(to_json(content)) for content in some] == some


@given(CONTENTS)
def test_everything_that_a_person_reads_is_among_the_texts(content: Content) -> None:
    """All strings but the names of things: kind, media, url, mimetype, and the message that is reacted to."""
    silent = {"kind", "media", "url", "mimetype", "message_id"}
    expected: list[str] = []
    for one in fields(content):
        value = getattr(content, one.name)
        expected += list(value) if isinstance(value, tuple) else [value] if isinstance(value, str) else []
        if one.name in silent:
            expected.remove(value)
    assert sorted(texts(content)) == sorted(value for value in expected if value)


@pytest.mark.parametrize(
    "content",
    [
        Text(text="secret"),
        image(caption="secret", filename="secret"),
        place(12.3456, name="secret"),
        ContactCard(name="secret", phone="12.3456"),
        poll(question="secret", options=("secret", "12.3456")),
        Reaction(message_id=X, emoji="secret"),
    ],
)
def test_no_content_shows_what_it_says_in_its_repr(content: Content) -> None:
    assert "secret" not in repr(content)
    assert "12.3456" not in repr(content)

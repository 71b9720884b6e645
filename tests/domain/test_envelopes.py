# SPDX-License-Identifier: Apache-2.0
"""Envelopes are read strictly, whatever bytes come, and what is written can be read again."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.contents import ContactCard, Content, Kind, Location, Media, Poll, Reaction, Text
from wigwag.domain.delivery import Job, Quote
from wigwag.domain.drafts import Draft, Template
from wigwag.domain.envelopes import LARGEST, Envelope, parse, write
from wigwag.domain.errors import InvalidMessage
from wigwag.domain.ids import contact_jid, group_jid
from wigwag.domain.strictjson import DEEPEST, LONGEST_FRAME

USER = "7f1d2c66-92d3-4d7e-9a52-6f3f6f0f4a11"
TO = "+5511999999999"


def envelope(**fields: Any) -> bytes:
    return json.dumps({"user_id": USER, "text_message": "Hello", "destination": TO} | fields).encode()


def reason(body: bytes) -> str:
    with pytest.raises(InvalidMessage) as refused:
        parse(body)
    assert refused.value.reason != "invalid_message"
    return refused.value.reason


def test_the_seeds_envelope() -> None:
    assert parse(envelope()).draft == Draft(to=TO, content=Text(text="Hello"), user_id=USER, door="amqp")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("+55 (11) 99999-9999", TO),
        (" +55.11.99999.9999 ", TO),
        ("(+55) 11\u00a099999\u20119999", TO),
        ("+12345678", "+12345678"),
        ("120363400902171371@g.us", "120363400902171371@g.us"),
    ],
)
def test_separators_in_a_destination_are_cleaned(written: str, read: str) -> None:
    assert parse(envelope(destination=written)).draft.to == read


@pytest.mark.parametrize(
    ("fields", "attribute", "value"),
    [
        ({"send_at": 1800000000}, "send_at", 1800000000.0),
        ({"send_at": "2027-01-15T08:00:00Z"}, "send_at", 1800000000.0),
        ({"send_at": "2027-01-15T09:30:00+01:30"}, "send_at", 1800000000.0),
        ({"idempotency_key": "k"}, "key", "k"),
        ({"priority": 9}, "priority", 9),
        ({"priority": None}, "priority", 4),
        ({"account": "sales"}, "account", "sales"),
        ({"reply_to": "3EB0"}, "reply_to", "3EB0"),
        ({"mentions": ["+15550100001"]}, "mentions", ("+15550100001",)),
        ({"type": "text", "nobody_knows": [1, {"a": None}]}, "content", Text(text="Hello")),
    ],
)
def test_optional_fields(fields: dict[str, Any], attribute: str, value: object) -> None:
    assert getattr(parse(envelope(**fields)).draft, attribute) == value


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        (
            {"type": "image", "media": {"url": "https://a/b"}},
            Media(kind=Kind.IMAGE, url="https://a/b", caption="Hello"),
        ),
        (
            {"type": "document", "text_message": None, "media": {"id": "m", "filename": "a.pdf", "mimetype": "a/b"}},
            Media(kind=Kind.DOCUMENT, media="m", filename="a.pdf", mimetype="a/b"),
        ),
        (
            {"type": "location", "text_message": "", "location": {"latitude": 1, "longitude": -2.5, "name": "here"}},
            Location(latitude=1.0, longitude=-2.5, name="here"),
        ),
        (
            {"type": "contact", "text_message": None, "contact": {"name": "A", "phone": "+1555"}},
            ContactCard(name="A", phone="+1555"),
        ),
        (
            {"type": "poll", "text_message": None, "poll": {"question": "?", "options": ["a", "b"], "selectable": 2}},
            Poll(question="?", options=("a", "b"), selectable=2),
        ),
        (
            {"type": "reaction", "text_message": None, "reaction": {"message_id": "3EB0", "emoji": "👍"}},
            Reaction(message_id="3EB0", emoji="👍"),
        ),
        (
            {"text_message": None, "template": {"name": "hi", "values": {"name": "Ann"}}},
            Template(name="hi", values={"name": "Ann"}),
        ),
    ],
)
def test_each_kind(fields: dict[str, Any], content: Content | Template) -> None:
    assert parse(envelope(**fields)).draft.content == content


def test_media_within_wait_for_their_id() -> None:
    found = parse(envelope(type="image", media={"base64": "aGk="}))
    assert found.base64 == "aGk="
    assert found.with_media("m").content == Media(kind=Kind.IMAGE, media="m", caption="Hello")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"user_id": None}, "user_id_missing"),
        ({"user_id": ""}, "user_id_missing"),
        ({"user_id": "me"}, "invalid_user_id"),
        ({"user_id": USER + "0"}, "invalid_user_id"),
        ({"user_id": USER.replace("-", "")}, "invalid_user_id"),
        ({"user_id": 7}, "invalid_user_id"),
        ({"destination": None}, "destination_missing"),
        ({"destination": "5511999999999"}, "invalid_destination"),
        ({"destination": "+1234567"}, "invalid_destination"),
        ({"destination": "+1234567890123456"}, "invalid_destination"),
        ({"destination": "+55 11 9999a9999"}, "invalid_destination"),
        ({"destination": "+५५११९९९९९९९९९"}, "invalid_destination"),
        ({"destination": "++5511999999999"}, "invalid_destination"),
        ({"destination": "x@g.us"}, "invalid_destination"),
        ({"destination": ["+5511999999999"]}, "invalid_destination"),
        ({"text_message": None}, "text_missing"),
        ({"text_message": " \n"}, "text_missing"),
        ({"text_message": "x" * 4097}, "text_too_long"),
        ({"text_message": 1}, "invalid_text_message"),
        ({"text_message": "a\0b"}, "invalid_text"),
        ({"type": "fax"}, "invalid_type"),
        ({"type": "text", "media": {"id": "m"}}, "invalid_type"),
        ({"type": "image"}, "invalid_media"),
        ({"type": "image", "media": {}}, "invalid_media"),
        ({"type": "image", "media": {"id": "a", "base64": "aGk="}}, "invalid_media"),
        ({"type": "audio", "media": {"id": "a"}}, "text_not_carried"),
        ({"type": "location", "text_message": None}, "invalid_location"),
        ({"type": "location", "location": {"latitude": 1, "longitude": 1}}, "text_not_carried"),
        ({"type": "location", "text_message": None, "location": {"latitude": 91, "longitude": 1}}, "invalid_location"),
        ({"type": "location", "text_message": None, "location": {"latitude": 10**400}}, "invalid_latitude"),
        ({"type": "poll", "text_message": None, "poll": {"question": "?", "options": ["a"]}}, "invalid_poll"),
        ({"template": {"name": "hi"}}, "text_not_carried"),
        ({"text_message": None, "template": {"name": "hi", "values": {"n": 1}}}, "invalid_template"),
        ({"text_message": None, "template": {"name": "h\0i"}}, "invalid_template"),
        ({"send_at": "tomorrow"}, "invalid_send_at"),
        ({"send_at": "2027-01-15T08:00:00"}, "invalid_send_at"),
        ({"send_at": 1800000000000}, "invalid_send_at"),
        ({"send_at": True}, "invalid_send_at"),
        ({"send_at": 10**400}, "invalid_send_at"),
        ({"priority": 10}, "invalid_priority"),
        ({"priority": 1.5}, "invalid_priority"),
        ({"idempotency_key": ""}, "invalid_key"),
        ({"mentions": "all"}, "invalid_mentions"),
    ],
)
def test_what_is_wrong_has_a_word(fields: dict[str, Any], why: str) -> None:
    assert reason(envelope(**fields)) == why


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b"\xff", "malformed_json"),
        (b"\xef\xbb\xbf{}", "malformed_json"),
        (b'{"a": NaN}', "malformed_json"),
        (b'{"a": -Infinity}', "malformed_json"),
        (b'{"a": ' + b"9" * 5000 + b"}", "malformed_json"),
        (b"{} {}", "malformed_json"),
        (b"null", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b'{"user_id": "a", "user_id": "b"}', "duplicate_key"),
        (b'{"a": {"b": 1, "\\u0062": 1}}', "duplicate_key"),
        (envelope(nobody=["\ud83d"]), "lone_surrogate"),
        (b'{"\\udc00": 1}', "lone_surrogate"),
        (b'{"a":' * (DEEPEST + 1), "too_deep"),
        (b"[" * 10_000_000, "too_large"),
        (b"[" + b"1," * LONGEST_FRAME, "too_large"),
        (envelope(nobody="x" * LARGEST), "too_large"),
        (envelope(nobody="x" * LARGEST, type="image", media={"base64": "aGk="}), "too_large"),
        (b'"' + b'\\"' * 5_000_000, "too_large"),
        (b'{"base64":"' + b'\\"' * 3_000_000, "malformed_json"),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else value,
)
def test_hostile_json_has_a_word_too(body: bytes, why: str) -> None:
    assert reason(body) == why


def test_pairs_of_surrogates_are_one_character() -> None:
    assert parse(envelope(text_message="👍🏽")).draft.content == Text(text="👍🏽")


def _outcome(body: bytes) -> Envelope | str:
    try:
        return parse(body)
    except InvalidMessage as refused:
        return refused.reason


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert isinstance(_outcome(body), Envelope | str)


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
_NAMES = (
    *("user_id", "text_message", "destination", "type", "account", "send_at", "idempotency_key", "priority"),
    *("reply_to", "mentions", "media", "location", "contact", "poll", "reaction", "template"),
)


@given(st.dictionaries(st.sampled_from(_NAMES), _ANYTHING | st.sampled_from(list(Kind))))
def test_any_values_are_read_or_refused(fields: dict[str, Any]) -> None:
    assert isinstance(_outcome(envelope(**fields)), Envelope | str)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=4096))
def test_texts_come_through_unchanged(text: str) -> None:
    if text.strip():
        assert parse(envelope(text_message=text)).draft.content == Text(text=text)


_WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30)
_WORDS = _WORDS.filter(str.strip)
_CONTENTS = st.one_of(
    st.builds(Text, text=_WORDS),
    st.builds(Media, kind=st.sampled_from([Kind.IMAGE, Kind.VIDEO]), media=_WORDS, caption=st.just("") | _WORDS),
    st.builds(Media, kind=st.sampled_from([Kind.AUDIO, Kind.STICKER]), url=_WORDS),
    st.builds(Location, latitude=st.floats(-90, 90), longitude=st.floats(-180, 180), name=_WORDS),
    st.builds(ContactCard, name=_WORDS, phone=_WORDS),
    st.builds(Poll, question=_WORDS, options=st.lists(_WORDS, min_size=2, max_size=12, unique=True).map(tuple)),
    st.builds(Reaction, message_id=_WORDS, emoji=st.just("") | st.just("👍")),
)
JOB = Job(
    id="1",
    account="default",
    to=contact_jid(TO),
    content=Text(text="Hello"),
    since=0.0,
    created=0.0,
    due=0.0,
    user_id=USER,
    door="amqp",
)


@given(_CONTENTS, st.sampled_from([contact_jid(TO), group_jid("120363400902171371@g.us")]), st.integers(0, 9))
def test_what_is_written_of_a_job_asks_for_the_same(content: Content, to: Any, priority: int) -> None:
    job = replace(JOB, content=content, to=to, priority=priority, key="k", mentions=(contact_jid("+15550100001"),))
    draft = parse(write(job)).draft
    assert (draft.content, draft.priority, draft.key, draft.user_id) == (content, priority, "k", USER)
    assert (draft.to.removeprefix("+"), draft.account) == (to.removesuffix("@s.whatsapp.net"), "default")
    assert draft.mentions == ("+15550100001",)


def test_a_reply_is_written_as_a_reply_and_a_reaction_is_not() -> None:
    quote = Quote(message_id="3EB0", sender=contact_jid(TO), from_me=False)
    assert parse(write(replace(JOB, quote=quote))).draft.reply_to == "3EB0"
    reaction = Reaction(message_id="3EB0", emoji="👍")
    assert parse(write(replace(JOB, quote=quote, content=reaction))).draft.reply_to is None

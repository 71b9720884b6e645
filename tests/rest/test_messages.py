# SPDX-License-Identifier: Apache-2.0
"""/api/messages and /api/media: each kind of body becomes the right draft, or a problem; jobs are shown whole."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.desk import ANNA, Desk
from wigwag.adapters.rest.doorstep import LARGEST_BODY
from wigwag.adapters.rest.drafts import TYPES
from wigwag.adapters.rest.examples import BODIES
from wigwag.adapters.rest.messages import LARGEST_DRAFT
from wigwag.domain.contents import MEDIA, ContactCard, Content, Kind, Location, Media, Poll, Reaction, Text
from wigwag.domain.drafts import Draft, Template
from wigwag.domain.ids import Jid

GROUP = Jid("120363400902171371@g.us")
TO = "+91 98765 43210"
JPEG, OPUS, MP4, MP3 = b"\xff\xd8\xff\xe0", b"OggS" + bytes(24) + b"OpusHead", b"\0\0\0\x18ftypisom", b"ID3\4"
FILES = {
    Kind.IMAGE: JPEG, Kind.VIDEO: MP4, Kind.AUDIO: MP3, Kind.VOICE: OPUS, Kind.STICKER: JPEG, Kind.DOCUMENT: b"words",
}  # fmt: skip
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def taken(door: httpx.AsyncClient, desk: Desk, body: dict[str, Any], **headers: str) -> Draft:
    """The draft that a body became."""
    answer = await door.post("/api/messages", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return desk.drafts[-1]


# --- every kind

SPOT = {"latitude": 52.5, "longitude": -13}
CONTENTS: list[tuple[dict[str, Any], Content | Template]] = [
    ({"text": "  Hi\n👋 "}, Text(text="  Hi\n👋 ")),
    ({"location": SPOT}, Location(latitude=52.5, longitude=-13.0)),
    (
        {"location": {**SPOT, "name": "Gate", "address": "Berlin"}},
        Location(latitude=52.5, longitude=-13.0, name="Gate", address="Berlin"),
    ),
    ({"contact": {"name": "Bert", "phone": "+1 555"}}, ContactCard(name="Bert", phone="+1 555")),
    ({"poll": {"question": "When?", "options": ["a", "b"]}}, Poll(question="When?", options=("a", "b"))),
    (
        {"poll": {"question": "When?", "options": ["a", "b"], "selectable": 0}},
        Poll(question="When?", options=("a", "b"), selectable=0),
    ),
    ({"reaction": {"message_id": "3EB0", "emoji": "👍"}}, Reaction(message_id="3EB0", emoji="👍")),
    ({"reaction": {"message_id": "3EB0", "emoji": ""}}, Reaction(message_id="3EB0", emoji="")),
    ({"template": {"name": "welcome"}}, Template(name="welcome", values={})),
    ({"template": {"name": "welcome", "values": {"who": "Bert"}}}, Template(name="welcome", values={"who": "Bert"})),
]


@pytest.mark.parametrize(("body", "content"), CONTENTS, ids=str)
@pytest.mark.parametrize("typed", [False, True], ids=["bare", "with its type"])
async def test_a_part_becomes_its_content(
    body: dict[str, Any], content: Content | Template, typed: bool, door: httpx.AsyncClient, desk: Desk
) -> None:
    (part,) = body
    more = {"type": "text" if part == "template" else part} if typed else {}
    draft = await taken(door, desk, {"to": TO, **body, **more})
    assert draft == Draft(to=TO, content=content)


@pytest.mark.parametrize("kind", sorted(MEDIA))
async def test_media_by_id_by_url_and_as_base64(kind: Kind, door: httpx.AsyncClient, desk: Desk) -> None:
    url, data = "https://example.org/x", base64.b64encode(FILES[kind]).decode()
    by_id = await taken(door, desk, {"to": TO, "type": kind, "media": {"id": "abc"}})
    by_url = await taken(door, desk, {"to": TO, "type": kind, "media": {"url": url}})
    within = await taken(door, desk, {"to": TO, "type": kind, "media": {"base64": data}})
    assert by_id.content == Media(kind=kind, media="abc")
    assert by_url.content == Media(kind=kind, url=url)
    assert within.content == Media(kind=kind, media="file1")
    assert desk.files == [FILES[kind]]


async def test_what_goes_with_media(door: httpx.AsyncClient, desk: Desk) -> None:
    media = {"id": "abc", "filename": "a.pdf", "mimetype": "application/pdf"}
    draft = await taken(door, desk, {"to": TO, "type": "document", "media": media, "caption": "Bill"})
    expected = Media(kind=Kind.DOCUMENT, media="abc", filename="a.pdf", mimetype="application/pdf", caption="Bill")
    assert draft.content == expected


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"account": "sales"}, {"account": "sales"}),
        ({"priority": 9}, {"priority": 9}),
        ({"priority": 0}, {"priority": 0}),
        ({"reply_to": "3EB0"}, {"reply_to": "3EB0"}),
        ({"mentions": ["919123456789", ANNA]}, {"mentions": ("919123456789", ANNA)}),
        ({"user_id": "u-1"}, {"user_id": "u-1"}),
        ({"idempotency_key": "k"}, {"key": "k"}),
        ({"send_at": 1_800_000_060}, {"send_at": 1_800_000_060.0}),
        ({"send_at": 1_800_000_060.5}, {"send_at": 1_800_000_060.5}),
        ({"send_at": "2027-01-15T08:01:00Z"}, {"send_at": 1_800_000_060.0}),
        ({"send_at": "2027-01-15T13:31:00+05:30"}, {"send_at": 1_800_000_060.0}),
        ({"send_at": None, "account": None, "media": None, "reply_to": None}, {}),
        ({"to": GROUP}, {"to": GROUP}),
    ],
    ids=str,
)
async def test_each_option_reaches_the_draft(
    given: dict[str, Any], meant: dict[str, Any], door: httpx.AsyncClient, desk: Desk
) -> None:
    draft = await taken(door, desk, {"to": TO, "text": "Hi", **given})
    expected: dict[str, Any] = {"to": TO, "content": Text(text="Hi"), **meant}
    assert draft == Draft(**expected)


@pytest.mark.parametrize("name", BODIES)
async def test_the_examples_of_the_description_are_taken(name: str, door: httpx.AsyncClient, desk: Desk) -> None:
    await taken(door, desk, BODIES[name])


async def test_there_is_an_example_of_every_kind(door: httpx.AsyncClient, desk: Desk) -> None:
    for body in BODIES.values():
        await taken(door, desk, body)
    shown = {draft.content.kind for draft in desk.drafts if not isinstance(draft.content, Template)}
    assert shown == set(Kind)


# --- headers


@pytest.mark.parametrize(
    ("headers", "body", "key"),
    [
        ({"Idempotency-Key": "k"}, {}, "k"),
        ({"Idempotency-Key": "k"}, {"idempotency_key": "k"}, "k"),
        ({}, {"idempotency_key": "k"}, "k"),
        ({}, {}, None),
    ],
)
async def test_the_idempotency_key_is_in_the_header_or_in_the_body(
    headers: dict[str, str], body: dict[str, str], key: str | None, door: httpx.AsyncClient, desk: Desk
) -> None:
    assert (await taken(door, desk, {"to": TO, "text": "Hi", **body}, **headers)).key == key


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (TRACE, TRACE),
        (TRACE.upper(), None),
        (TRACE + "-more", None),
        ("ff" + TRACE[2:], None),
        ("00-" + "0" * 32 + TRACE[35:], None),
        (TRACE[:36] + "0" * 16 + "-01", None),
        ("nonsense", None),
        ("", None),
    ],
)
async def test_a_trace_goes_along_if_it_is_one(
    header: str, trace: str | None, door: httpx.AsyncClient, desk: Desk
) -> None:
    assert (await taken(door, desk, {"to": TO, "text": "Hi"}, traceparent=header)).trace == trace


@pytest.mark.parametrize(("repeats", "header"), [(False, None), (True, "true")])
async def test_a_job_that_is_not_new_is_told_as_a_repeat(
    repeats: bool, header: str | None, door: httpx.AsyncClient, desk: Desk
) -> None:
    desk.repeats = repeats
    answer = await door.post("/api/messages", json={"to": TO, "text": "Hi"}, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.headers["location"]) == (202, "/api/messages/job1")
    assert answer.headers.get("idempotency-replayed") == header


# --- what is refused

TEXT = {"to": TO, "text": "Hi"}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"to": TO, "text": ""}, "text_missing"),
        ({"to": TO, "text": " \n"}, "text_missing"),
        ({"to": TO, "text": "x" * 4097}, "text_too_long"),
        ({"to": TO, "text": "a\0b"}, "invalid_text"),
        ({**TEXT, "priority": 10}, "invalid_priority"),
        ({**TEXT, "priority": -1}, "invalid_priority"),
        ({**TEXT, "mentions": ["919123456789"] * 1025}, "invalid_mentions"),
        ({**TEXT, "idempotency_key": ""}, "invalid_key"),
        ({**TEXT, "idempotency_key": "x" * 257}, "invalid_key"),
        ({**TEXT, "reply_to": ""}, "invalid_reply_to"),
        ({**TEXT, "account": ""}, "invalid_account"),
        ({**TEXT, "user_id": ""}, "invalid_user_id"),
        ({**TEXT, "user_id": "x" * 257}, "invalid_user_id"),
        ({**TEXT, "user_id": "a\0b"}, "invalid_user_id"),
        ({"to": TO, "template": {"name": "a\0b"}}, "invalid_template"),
        ({"to": TO, "location": {"latitude": 91, "longitude": 0}}, "invalid_location"),
        ({"to": TO, "location": {"latitude": 0, "longitude": -180.1}}, "invalid_location"),
        ({"to": TO, "location": {**SPOT, "name": "x" * 241}}, "name_too_long"),
        ({"to": TO, "contact": {"name": "", "phone": "1"}}, "name_missing"),
        ({"to": TO, "contact": {"name": "Bert", "phone": " "}}, "phone_missing"),
        ({"to": TO, "poll": {"question": "?", "options": ["a"]}}, "invalid_poll"),
        ({"to": TO, "poll": {"question": "?", "options": ["a", "a"]}}, "invalid_poll"),
        ({"to": TO, "poll": {"question": "?", "options": ["a", "b"], "selectable": 3}}, "invalid_poll"),
        ({"to": TO, "poll": {"question": "?", "options": ["a", ""]}}, "option_missing"),
        ({"to": TO, "reaction": {"message_id": "", "emoji": "👍"}}, "message_id_missing"),
        ({"to": TO, "reaction": {"message_id": "x", "emoji": "👍" * 33}}, "emoji_too_long"),
        ({"to": TO, "type": "image", "media": {"url": ""}}, "invalid_media"),
        ({"to": TO, "type": "image", "media": {"id": ""}}, "invalid_media"),
        ({"to": TO, "type": "image", "media": {"base64": ""}}, "media_empty"),
        ({"to": TO, "type": "image", "media": {"base64": "****"}}, "invalid_base64"),
        ({"to": TO, "type": "image", "media": {"base64": "é"}}, "invalid_base64"),
        ({"to": TO, "type": "voice", "media": {"base64": PNG}}, "media_unsupported"),
        ({"to": TO, "type": "audio", "media": {"id": "x"}, "caption": "no"}, "invalid_caption"),
        ({"to": TO, "type": "image", "media": {"id": "x"}, "caption": "x" * 1025}, "caption_too_long"),
        ({"to": TO, "type": "document", "media": {"id": "x", "filename": "x" * 241}}, "filename_too_long"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_the_domain_refuses_has_its_reason(
    body: dict[str, Any], reason: str, door: httpx.AsyncClient, desk: Desk
) -> None:
    answer = await door.post("/api/messages", json=body)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["reason"]) == (422, "invalid_message", reason)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (desk.drafts, "98765" in answer.text) == ([], False)


async def test_two_different_keys_are_refused(door: httpx.AsyncClient, desk: Desk) -> None:
    answer = await door.post("/api/messages", json={**TEXT, "idempotency_key": "a"}, headers={"Idempotency-Key": "b"})
    assert (answer.status_code, answer.json()["reason"], desk.drafts) == (422, "invalid_key", [])


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"text": "Hi"}, "body.to"),
        ({"to": 919876543210, "text": "Hi"}, "body.to"),
        ({"to": "9" * 65, "text": "Hi"}, "body.to"),
        ({"to": TO}, "body"),
        ({"to": TO, "text": 5}, "body.text"),
        ({"to": TO, "text": "a", "location": SPOT}, "body"),
        ({"to": TO, "type": "carrier pigeon", "text": "a"}, "body.type"),
        ({"to": TO, "type": "poll", "text": "a"}, "body"),
        ({"to": TO, "type": "poll", "template": {"name": "a"}}, "body"),
        ({"to": TO, "type": "image", "text": "a"}, "body"),
        ({"to": TO, "type": "text", "media": {"id": "x"}}, "body"),
        ({"to": TO, "media": {"id": "x"}}, "body"),
        ({"to": TO, "type": "image", "media": {}}, "body.media"),
        ({"to": TO, "type": "image", "media": {"id": "x", "url": "y"}}, "body.media"),
        ({"to": TO, "type": "image", "media": {"id": "x", "base64": ""}}, "body.media"),
        ({**TEXT, "caption": "c"}, "body"),
        ({**TEXT, "send_at": "2027-01-15T08:01:00"}, "body.send_at"),
        ({**TEXT, "send_at": "tomorrow"}, "body.send_at"),
        ({**TEXT, "send_at": True}, "body.send_at"),
        ({**TEXT, "priority": "high"}, "body.priority"),
        ({**TEXT, "user_id": 5}, "body.user_id"),
        ({**TEXT, "mentions": "919123456789"}, "body.mentions"),
        ({**TEXT, "surprise": 1}, "body.surprise"),
        ({"to": TO, "template": {"name": "x", "values": {"n": 5}}}, "body.template.values.n"),
        ({"to": TO, "location": {"latitude": "north", "longitude": 0}}, "body.location.latitude"),
        ([], "body"),
        ("Hi", "body"),
    ],
    ids=str,
)
async def test_a_body_of_the_wrong_shape_is_told_where(
    body: object, where: str, door: httpx.AsyncClient, desk: Desk
) -> None:
    answer = await door.post("/api/messages", json=body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_request")
    assert where in [each["where"] for each in problem["errors"]]
    assert (desk.drafts, "98765" in answer.text) == ([], False)


@pytest.mark.parametrize("part", TYPES)
async def test_no_part_goes_with_another(part: str, door: httpx.AsyncClient) -> None:
    values = {next(iter(body)): next(iter(body.values())) for body, _ in CONTENTS} | {"media": {"id": "x"}}
    other = "poll" if part == "text" else "text"
    answer = await door.post("/api/messages", json={"to": TO, part: values[part], other: values[other]})
    assert answer.json()["code"] == "invalid_request"


@pytest.mark.parametrize(
    "raw",
    ['{"to": "1", "text": "\\ud800"}', '{"to": "1", "location": {"latitude": NaN, "longitude": Infinity}}', "[" * 9999],
    ids=["half a character", "no number", "deep"],
)
async def test_odd_json_is_refused_not_a_fault(raw: str, door: httpx.AsyncClient, desk: Desk) -> None:
    answer = await door.post("/api/messages", content=raw, headers={"Content-Type": "application/json"})
    assert (answer.status_code in (400, 422), desk.drafts) == (True, [])
    assert answer.headers["content-type"] == "application/problem+json"


# --- how much


async def test_media_may_be_larger_than_other_bodies(door: httpx.AsyncClient, desk: Desk) -> None:
    data = JPEG + bytes(2 * LARGEST_BODY)
    media = {"base64": base64.b64encode(data).decode()}
    await taken(door, desk, {"to": TO, "type": "image", "media": media})
    assert desk.files == [data]
    too_much = json.dumps({**TEXT}).encode().ljust(LARGEST_DRAFT + 1)
    answer = await door.post("/api/messages", content=too_much, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("content_type", ["image/jpeg", "application/x-www-form-urlencoded", None])
async def test_a_file_is_uploaded_as_it_is(content_type: str | None, door: httpx.AsyncClient, desk: Desk) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await door.post("/api/media", content=JPEG, headers=headers)
    assert (answer.status_code, answer.json()) == (201, {"id": "file1", "size": 4, "mimetype": "image/jpeg"})
    assert desk.files == [JPEG]


async def test_an_upload_may_be_large_but_is_bounded(door: httpx.AsyncClient, desk: Desk) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 20)

    assert (await door.post("/api/media", content=bytes(3 << 20))).status_code == 201
    answer = await door.post("/api/media", content=endless())
    assert (answer.status_code, answer.json()["code"], len(desk.files)) == (413, "too_large", 1)


async def test_no_file_and_a_form_are_refused(door: httpx.AsyncClient, desk: Desk) -> None:
    empty, form = await door.post("/api/media"), await door.post("/api/media", files={"file": JPEG})
    assert [each.json()["reason"] for each in (empty, form)] == ["media_empty", "invalid_media"]
    assert desk.files == []

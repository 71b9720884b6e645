# SPDX-License-Identifier: Apache-2.0
"""Jobs as the protobufs that WhatsApp carries: each kind with its fields, and nothing changed on the way."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.adapters.whatsapp.writing import written
from wigwag.domain.contents import ContactCard, Content, Kind, Location, Media, Poll, Reaction, Text
from wigwag.domain.delivery import Job, Quote
from wigwag.domain.ids import Jid
from wigwag.domain.media import Prepared

# isort: split
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message

NOW = 1_800_000_000.25
ME, ANA, BEN = (Jid(f"1555010000{number}@s.whatsapp.net") for number in range(3))
GROUP = Jid("120363400902171371@g.us")
SECRET = "5e" * 32
HARD = " \r\n\t\x7f\u202e👩‍👩‍👧‍👦 ﷺ \U0001f3f4\U000e0067\U000e007f "
QUOTE = Quote(message_id="3EB0AA", sender=BEN, from_me=False, text="and you?")
FILE = Prepared(data=b"x", mimetype="a/b", width=3, height=4, seconds=5, thumbnail=b"small", animated=True)
UPLOAD = SimpleNamespace(
    url="https://host/path",
    DirectPath="/path",
    MediaKey=b"key",
    FileEncSHA256=b"sealed",
    FileSHA256=b"plain",
    FileLength=77,
)
PLACES = {
    "URL": "https://host/path",
    "directPath": "/path",
    "mediaKey": b"key",
    "fileEncSHA256": b"sealed",
    "fileSHA256": b"plain",
    "fileLength": 77,
    "mimetype": "a/b",
}


def write(content: Content, to: Jid = ANA, **more: Any) -> Message:
    job = Job(id="j", account="default", to=to, content=content, since=0, created=0, due=0, secret=SECRET)
    media = isinstance(content, Media)
    made = written(replace(job, **more), FILE if media else None, UPLOAD if media else None, NOW)
    return Message.FromString(made.SerializeToString())


def fields(message: Any) -> dict[str, Any]:
    """What is in a protobuf, without what says nothing about its content."""
    return {each.name: value for each, value in message.ListFields() if each.name != "messageContextInfo"}


@given(st.text(min_size=1, max_size=300).filter(lambda text: text.strip() and "\0" not in text))
def test_a_text_is_not_changed_by_a_bit(text: str) -> None:
    assert fields(write(Text(text=text))) == {"conversation": text}
    assert write(Text(text=text), quote=QUOTE).extendedTextMessage.text == text


@pytest.mark.parametrize(
    "content", [Text(text="a"), Poll(question="a", options=("b", "c")), Reaction(message_id="A", emoji="b")]
)
def test_the_secret_by_which_whatsmeow_notes_a_message_goes_with_it(content: Content) -> None:
    assert write(content, quote=QUOTE).messageContextInfo.messageSecret == bytes.fromhex(SECRET)


MEDIA: list[tuple[Kind, str, dict[str, Any]]] = [
    (Kind.IMAGE, "imageMessage", {"caption": HARD, "width": 3, "height": 4, "JPEGThumbnail": b"small"}),
    (
        Kind.VIDEO,
        "videoMessage",
        {"caption": HARD, "width": 3, "height": 4, "JPEGThumbnail": b"small", "seconds": 5},
    ),
    (Kind.AUDIO, "audioMessage", {"seconds": 5, "PTT": False}),
    (Kind.VOICE, "audioMessage", {"seconds": 5, "PTT": True}),
    (Kind.STICKER, "stickerMessage", {"width": 3, "height": 4, "isAnimated": True}),
    (Kind.DOCUMENT, "documentMessage", {"caption": HARD, "fileName": "a.pdf", "title": "a.pdf"}),
]


@pytest.mark.parametrize(("kind", "name", "expected"), MEDIA, ids=[kind for kind, _, _ in MEDIA])
def test_media_say_where_they_are_and_what_they_are(kind: Kind, name: str, expected: dict[str, Any]) -> None:
    captioned = "caption" in expected
    content = Media(kind=kind, media="id", caption=HARD if captioned else "", filename="a.pdf")
    message = write(content)
    assert list(fields(message)) == [name]
    assert fields(getattr(message, name)) == PLACES | expected


def test_a_document_without_a_name_has_one_all_the_same() -> None:
    assert write(Media(kind=Kind.DOCUMENT, media="id")).documentMessage.fileName == "file"


def test_a_place_is_written_to_the_last_digit() -> None:
    said = write(Location(latitude=-33.856784123456, longitude=151.215296987654, name=HARD, address="1 Road"))
    where = said.locationMessage
    assert (where.degreesLatitude, where.degreesLongitude) == (-33.856784123456, 151.215296987654)
    assert (where.name, where.address) == (HARD, "1 Road")


@pytest.mark.parametrize(
    ("selectable", "field"), [(1, "pollCreationMessageV3"), (2, "pollCreationMessage"), (0, "pollCreationMessage")]
)
def test_a_poll_is_in_the_field_that_whatsapp_uses_for_it(selectable: int, field: str) -> None:
    message = write(Poll(question=HARD, options=("yes", HARD), selectable=selectable))
    assert list(fields(message)) == [field]
    poll = getattr(message, field)
    assert (poll.name, poll.selectableOptionsCount) == (HARD, selectable)
    assert [option.optionName for option in poll.options] == ["yes", HARD]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Ana", "FN:Ana"),
        ("Doe; John, Jr.", "FN:Doe\\; John\\, Jr."),
        ("back\\slash", "FN:back\\\\slash"),
        ("two\nlines", "FN:two lines"),
        ("two\r\nTEL:+1", "FN:two TEL:+1"),
    ],
)
def test_a_name_cannot_break_out_of_its_line_of_the_card(name: str, line: str) -> None:
    said = write(ContactCard(name=name, phone="+1 555 010-0001")).contactMessage
    lines = said.vcard.splitlines()
    assert said.displayName == name
    assert (lines[0], lines[1], lines[-1]) == ("BEGIN:VCARD", "VERSION:3.0", "END:VCARD")
    assert lines[3] == line
    assert lines[4] == "TEL;type=CELL;waid=15550100001:+15550100001"
    assert len(lines) == 6


CONTEXTUAL = [
    (Text(text="a"), "extendedTextMessage"),
    (Location(latitude=1, longitude=2), "locationMessage"),
    (ContactCard(name="a", phone="15550100001"), "contactMessage"),
    (Poll(question="a", options=("b", "c")), "pollCreationMessageV3"),
    *((Media(kind=kind, media="id"), name) for kind, name, _ in MEDIA),
]


@pytest.mark.parametrize(("content", "field"), CONTEXTUAL)
def test_a_reply_says_what_it_answers_and_a_mention_whom_it_means(content: Content, field: str) -> None:
    context = getattr(write(content, quote=QUOTE, mentions=(ANA, BEN)), field).contextInfo
    assert (context.stanzaID, context.participant) == ("3EB0AA", BEN)
    assert context.quotedMessage.conversation == "and you?"
    assert list(context.mentionedJID) == [ANA, BEN]
    mentioned = getattr(write(content, mentions=(ANA,)), field).contextInfo
    assert list(fields(mentioned)) == ["mentionedJID"]


@pytest.mark.parametrize(
    ("to", "sender", "from_me", "participant"),
    [(BEN, BEN, False, ""), (BEN, ME, True, ""), (GROUP, BEN, False, BEN), (GROUP, ME, True, "")],
)
def test_a_reaction_names_its_target_by_chat_and_writer(to: Jid, sender: Jid, from_me: bool, participant: str) -> None:
    quote = Quote(message_id="3EB0AA", sender=sender, from_me=from_me)
    said = write(Reaction(message_id="3EB0AA", emoji="👍🏽"), to=to, quote=quote).reactionMessage
    assert (said.key.remoteJID, said.key.fromMe, said.key.ID) == (to, from_me, "3EB0AA")
    assert said.key.participant == participant
    assert (said.text, said.senderTimestampMS) == ("👍🏽", round(NOW * 1000))


def test_taking_a_reaction_back_says_so_with_an_empty_text() -> None:
    said = write(Reaction(message_id="3EB0AA", emoji=""), quote=QUOTE).reactionMessage
    assert said.HasField("text")
    assert said.text == ""

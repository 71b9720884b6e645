# SPDX-License-Identifier: Apache-2.0
"""The protobuf messages that people write to each other, end to end encrypted, as tables for `protobuf`.

Field numbers are facts of the protocol. A table holds only the fields that a test may ask for; how a message is told
and made is in `content`, and no logic belongs here.
"""

from wigwag.simulator.protobuf import Field, Kind, Message

SYNC_KEY_SHARE, REVOKE, MESSAGE_EDIT = 6, 0, 14
"""Types of a protocol message."""


def _table(**numbers: int) -> Message:
    """A message of fields that are named here by their number; what kind each is, is said in `_KINDS`."""
    return Message({number: _field(name) for name, number in numbers.items()})


def _field(name: str) -> Field:
    return Field(name, _KINDS.get(name, "string"), repeated=name in _REPEATED)


_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("sha256", "enc_sha256", "media_key", "thumbnail", "waveform"), "bytes"),
    **dict.fromkeys(("distribution", "secret", "payload", "iv", "quoted_message"), "bytes"),
    **dict.fromkeys(("length", "height", "width", "seconds", "media_key_timestamp", "pages", "accuracy"), "uint"),
    **dict.fromkeys(("sequence", "selectable", "time", "type", "raw_id", "index", "timestamp"), "uint"),
    **dict.fromkeys(("view_once", "gif", "voice", "animated", "live", "from_me"), "bool"),
    **dict.fromkeys(("latitude", "longitude"), "double"),
}
_REPEATED = {"mentions", "contacts", "options"}

_KINDS["key"] = _table(chat=1, from_me=2, id=3, participant=4)
_KINDS["context"] = _table(quoted=1, participant=2, quoted_message=3, mentions=15)
_KINDS["vote"] = _table(payload=1, iv=2)


def _media(**numbers: int) -> Message:
    return _table(**numbers, thumbnail=16, context=17)


_IMAGE = _media(
    url=1,
    mimetype=2,
    caption=3,
    sha256=4,
    length=5,
    height=6,
    width=7,
    media_key=8,
    enc_sha256=9,
    direct_path=11,
    media_key_timestamp=12,
    view_once=25,
)
_VIDEO = _media(
    url=1,
    mimetype=2,
    sha256=3,
    length=4,
    seconds=5,
    media_key=6,
    caption=7,
    gif=8,
    height=9,
    width=10,
    enc_sha256=11,
    direct_path=13,
    media_key_timestamp=14,
    view_once=20,
)
_AUDIO = _table(
    url=1,
    mimetype=2,
    sha256=3,
    length=4,
    seconds=5,
    voice=6,
    media_key=7,
    enc_sha256=8,
    direct_path=9,
    media_key_timestamp=10,
    context=17,
    waveform=19,
    view_once=21,
)
_DOCUMENT = _media(
    url=1,
    mimetype=2,
    title=3,
    sha256=4,
    length=5,
    pages=6,
    media_key=7,
    file_name=8,
    enc_sha256=9,
    direct_path=10,
    media_key_timestamp=11,
    caption=20,
)
_STICKER = _media(
    url=1,
    sha256=2,
    enc_sha256=3,
    media_key=4,
    mimetype=5,
    height=6,
    width=7,
    direct_path=8,
    length=9,
    media_key_timestamp=10,
    animated=13,
)
_CONTACT = _table(name=1, vcard=16, context=17)
_KINDS["contacts"], _KINDS["options"] = _CONTACT, _table(name=1)
_POLL = _table(question=2, options=3, selectable=4, context=5)

PARTS = {
    "image": _IMAGE,
    "contact": _CONTACT,
    "location": _media(latitude=1, longitude=2, name=3, address=4, url=5, live=6, accuracy=7, comment=11),
    "extended_text": _media(text=1, matched_text=2, description=5, title=6),
    "document": _DOCUMENT,
    "audio": _AUDIO,
    "video": _VIDEO,
    "contacts": _table(name=1, contacts=2, context=17),
    "live_location": _media(latitude=1, longitude=2, accuracy=3, caption=6, sequence=7),
    "sticker": _STICKER,
    "reaction": _table(key=1, text=2, time=4),
    "poll": _POLL,
    "vote": _table(key=1, vote=2, time=4),
    "poll_v2": _POLL,
    "poll_v3": _POLL,
    "round_video": _VIDEO,
}
"""What a message can be, by the name of its field."""

_FINGERPRINT = _table(raw_id=1, index=2)
_SYNC_KEY = Message(
    {
        1: Field("id", Message({1: Field("id", "bytes")})),
        2: Field(
            "data",
            Message({1: Field("key", "bytes"), 2: Field("fingerprint", _FINGERPRINT), 3: Field("timestamp", "uint")}),
        ),
    }
)
_PROTOCOL = {
    1: _field("key"),
    2: _field("type"),
    7: Field("sync_key_share", Message({1: Field("keys", _SYNC_KEY, repeated=True)})),
    15: _field("time"),
}
_DEVICE_SENT = {1: _field("destination")}

_NUMBERS = {
    "image": 3,
    "contact": 4,
    "location": 5,
    "extended_text": 6,
    "document": 7,
    "audio": 8,
    "video": 9,
    "contacts": 13,
    "live_location": 18,
    "sticker": 26,
    "reaction": 46,
    "poll": 49,
    "vote": 50,
    "poll_v2": 60,
    "poll_v3": 64,
    "round_video": 66,
}
_content = {
    1: _field("conversation"),
    2: Field("sender_key", _table(group=1, distribution=2)),
    12: Field("protocol", Message(_PROTOCOL)),
    31: Field("device_sent", Message(_DEVICE_SENT)),
    35: Field("secrets", _table(secret=3)),
    **{number: Field(name, PARTS[name]) for name, number in _NUMBERS.items()},
}
CONTENT = Message(_content)
"""A whole message (`Message` of the protocol)."""

_WRAPPED = Message({1: Field("message", CONTENT)})
_WRAPPERS = {
    37: "view_once",
    40: "ephemeral",
    53: "document_with_caption",
    55: "view_once_v2",
    58: "edited",
    59: "view_once_v2_extension",
    74: "lottie_sticker",
}
WRAPPERS = tuple(_WRAPPERS.values())
"""Fields that hold a message inside a message and say nothing more."""

# The tables of messages within messages need CONTENT itself.
_content |= {number: Field(name, _WRAPPED) for number, name in _WRAPPERS.items()}
_DEVICE_SENT[2] = Field("message", CONTENT)
_PROTOCOL[14] = Field("edited", CONTENT)

# SPDX-License-Identifier: Apache-2.0
"""What bytes are counts, not what they are called; and a refusal says what to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media import making
from wigwag.domain.contents import MEDIA, Kind
from wigwag.domain.errors import InvalidMessage
from wigwag.domain.media import LIMITS, OPUS, UNKNOWN, canvas, judge, sniff

EXECUTABLE = b"MZ\x90\x00" + bytes(200)
OFFICE = "application/vnd.openxmlformats-officedocument."

KNOWN = {
    "image/jpeg": making.picture("JPEG", (8, 8)),
    "image/png": making.picture("PNG", (8, 8)),
    "image/webp": making.picture("WEBP", (8, 8)),
    "image/gif": making.moving("GIF", (8, 8)),
    "image/bmp": making.picture("BMP", (8, 8)),
    "image/tiff": making.picture("TIFF", (8, 8)),
    "image/heic": making.box(b"ftyp", b"heic", bytes(4)),
    "video/mp4": making.film(3),
    "video/3gpp": making.film(3, brand=b"3gp5"),
    "video/quicktime": making.film(3, brand=b"qt  "),
    "video/webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webm",
    "video/x-matroska": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x88matroska",
    "video/x-msvideo": b"RIFF\x10\0\0\0AVI LIST",
    OPUS: making.opus(2),
    "audio/ogg": making.vorbis(),
    "video/ogg": making.ogg_page(b"\x80theora", 0),
    "audio/wav": making.wav(1),
    "audio/mpeg": making.mp3(10),
    "audio/mp4": making.song(3),
    "audio/aac": b"\xff\xf1\x50\x80\x02\x1f\xfc",
    "audio/amr": b"#!AMR\n" + bytes(32),
    "audio/flac": b"fLaC" + bytes(32),
    "application/pdf": b"%PDF-1.7\n",
    "application/rtf": b"{\\rtf1}",
    "application/zip": making.archive("a.txt"),
    "application/gzip": b"\x1f\x8b\x08\0",
    "application/x-7z-compressed": b"7z\xbc\xaf\x27\x1c\0",
    "application/vnd.rar": b"Rar!\x1a\x07\x01\0",
    "application/x-ole-storage": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "application/vnd.oasis.opendocument.text": making.archive("mimetypeapplication/vnd.oasis.opendocument.text", "x"),
    "application/epub+zip": making.archive("mimetypeapplication/epub+zip", "META-INF/"),
    f"{OFFICE}wordprocessingml.document": making.archive("[Content_Types].xml", "word/document.xml"),
    f"{OFFICE}spreadsheetml.sheet": making.archive("[Content_Types].xml", "xl/workbook.xml"),
    f"{OFFICE}presentationml.presentation": making.archive("[Content_Types].xml", "ppt/slides.xml"),
    "application/x-executable": b"\x7fELF\x02",
    "application/vnd.microsoft.portable-executable": EXECUTABLE,
    UNKNOWN: b"dear diary",
}
ACCEPTED = {
    Kind.IMAGE: {"image/jpeg", "image/png", "image/webp"},
    Kind.VIDEO: {"video/mp4", "video/3gpp"},
    Kind.AUDIO: {OPUS, "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr", "audio/wav"},
    Kind.VOICE: {OPUS},
    Kind.STICKER: {"image/jpeg", "image/png", "image/webp", "image/gif"},
    Kind.DOCUMENT: set(KNOWN),
}


@pytest.mark.parametrize(("mimetype", "data"), KNOWN.items(), ids=KNOWN)
def test_the_first_bytes_show_what_it_is(mimetype: str, data: bytes) -> None:
    assert sniff(data) == mimetype


@pytest.mark.parametrize(
    ("data", "mimetype"),
    [
        (making.mp3(5, tagged=True), "audio/mpeg"),
        (b"\xff\xf3\x40\xc4" + bytes(100), "audio/mpeg"),  # version 2
        (b"\xff\xe0\x00\x00", UNKNOWN),
        (b"\xff\xfb\xf0\x00", UNKNOWN),  # no such bit rate
        (making.song(3, brand=b"mp42"), "audio/mp4"),
        (making.song(3, brand=b"isom"), "audio/mp4"),
        (making.box(b"moov"), "video/quicktime"),
        (b"BM, said the bee", UNKNOWN),
        (b"RIFFraff", UNKNOWN),
        (b"", UNKNOWN),
        (making.archive("mimetype\n<b>"), "application/zip"),
    ],
)
def test_what_has_several_looks_is_known_by_each(data: bytes, mimetype: str) -> None:
    assert sniff(data) == mimetype


@pytest.mark.parametrize("kind", sorted(MEDIA))
@pytest.mark.parametrize(("mimetype", "data"), KNOWN.items(), ids=KNOWN)
def test_a_kind_takes_what_whatsapp_shows_as_that_kind(kind: Kind, mimetype: str, data: bytes) -> None:
    if mimetype in ACCEPTED[kind]:
        assert judge(kind, data, claimed="") == mimetype
        return
    with pytest.raises(InvalidMessage) as raised:
        judge(kind, data, claimed="")
    assert raised.value.reason == "media_unsupported"


@pytest.mark.parametrize("kind", sorted(MEDIA - {Kind.DOCUMENT}))
def test_an_executable_stays_one_whatever_it_is_called(kind: Kind) -> None:
    with pytest.raises(InvalidMessage, match=r"portable-executable.*\. \w+ "):
        judge(kind, EXECUTABLE, claimed="image/jpeg")


def test_a_png_called_a_jpeg_is_sent_as_a_png() -> None:
    assert judge(Kind.IMAGE, KNOWN["image/png"], claimed="image/jpeg") == "image/png"


@pytest.mark.parametrize(
    ("kind", "mimetype", "advice"),
    [
        (Kind.VIDEO, "image/gif", "MP4"),
        (Kind.VIDEO, "video/quicktime", "H.264"),
        (Kind.VIDEO, "video/webm", "MP4"),
        (Kind.IMAGE, "image/heic", "JPEG"),
        (Kind.IMAGE, "image/gif", "document"),
        (Kind.VOICE, "audio/mpeg", "Opus"),
        (Kind.VOICE, "audio/ogg", "libopus"),
        (Kind.AUDIO, "audio/flac", "MP3"),
        (Kind.STICKER, "video/mp4", "WebP"),
        (Kind.IMAGE, UNKNOWN, "unknown type"),
    ],
)
def test_a_refusal_says_what_to_do(kind: Kind, mimetype: str, advice: str) -> None:
    with pytest.raises(InvalidMessage, match=advice):
        judge(kind, KNOWN[mimetype])


@pytest.mark.parametrize(
    ("claimed", "told"),
    [
        ("text/csv", "text/csv"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("image/jpeg", "image/jpeg"),
        ("", "application/pdf"),
        (UNKNOWN, "application/pdf"),
        ("nonsense", "application/pdf"),
        ("text/plain\r\nX-Evil: 1", "application/pdf"),
        ("text/plain\n", "application/pdf"),
    ],
)
def test_a_document_is_what_its_sender_says(claimed: str, told: str) -> None:
    assert judge(Kind.DOCUMENT, b"%PDF-1.7\n", claimed) == told


@pytest.mark.parametrize("kind", sorted(MEDIA))
def test_nothing_is_not_a_file(kind: Kind) -> None:
    with pytest.raises(InvalidMessage) as raised:
        judge(kind, b"")
    assert raised.value.reason == "media_empty"


@pytest.mark.parametrize(
    ("kind", "start"),
    [
        (Kind.IMAGE, KNOWN["image/jpeg"]),
        (Kind.VIDEO, KNOWN["video/mp4"]),
        (Kind.AUDIO, KNOWN["audio/mpeg"]),
        (Kind.VOICE, KNOWN[OPUS]),
        (Kind.DOCUMENT, b"%PDF-"),
        (Kind.STICKER, KNOWN["image/png"]),
    ],
)
def test_the_limit_of_a_kind_is_the_last_size_that_passes(kind: Kind, start: bytes) -> None:
    full = start.ljust(LIMITS[kind], b"\0")
    judge(kind, full)
    with pytest.raises(InvalidMessage, match="MiB") as raised:
        judge(kind, full + b"\0")
    assert raised.value.reason == "media_too_large"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (making.picture("WEBP", (300, 200)), (300, 200, False)),
        (making.picture("WEBP", (300, 200), lossless=True), (300, 200, False)),
        (making.picture("WEBP", (300, 200), mode="RGBA", exif=b"Exif\0\0"), (300, 200, False)),
        (making.moving("WEBP", (300, 200)), (300, 200, True)),
        (making.picture("PNG"), (0, 0, False)),
        (b"RIFF\0\0\0\0WEBPVP8X", (0, 0, False)),
    ],
)
def test_the_canvas_of_a_webp_is_known_without_decoding_it(data: bytes, expected: tuple[int, int, bool]) -> None:
    assert canvas(data) == expected


@given(
    start=st.sampled_from(list(KNOWN.values())),
    cut=st.integers(0, 300),
    rest=st.binary(max_size=64),
    kind=st.sampled_from(sorted(MEDIA)),
)
def test_any_bytes_are_judged(start: bytes, cut: int, rest: bytes, kind: Kind) -> None:
    data = start[:cut] + rest
    assert "/" in sniff(data)
    assert canvas(data) is not None
    if data and sniff(data) in ACCEPTED[kind]:
        assert judge(kind, data)

# SPDX-License-Identifier: Apache-2.0
"""Media before they are sent: what the bytes are, and whether WhatsApp shows such bytes as that kind.

Nothing is decoded here, only recognised; pictures are looked into in the media room.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from wigwag.domain.contents import Kind
from wigwag.domain.errors import InvalidMessage

MIB = 1024 * 1024
LIMITS = {  # bytes
    Kind.IMAGE: 16 * MIB,
    # What WhatsApp's help promises on every phone. Its web client lets more pass; send that as a document.
    Kind.VIDEO: 16 * MIB,
    Kind.AUDIO: 16 * MIB,
    Kind.VOICE: 16 * MIB,
    Kind.DOCUMENT: 100 * MIB,  # WhatsApp takes 2 GB, but a file passes through our memory
    Kind.STICKER: 16 * MIB,  # of the picture that it is made from
}
STICKER_LIMIT, ANIMATED_STICKER_LIMIT = 100 * 1024, 500 * 1024  # bytes
STICKER_SIDE = 512  # pixels, both ways

OPUS = "audio/ogg; codecs=opus"
UNKNOWN = "application/octet-stream"
PICTURES = ("image/jpeg", "image/png", "image/webp", "image/gif")
_SHOWN = {
    Kind.IMAGE: ("image/jpeg", "image/png", "image/webp"),
    Kind.VIDEO: ("video/mp4", "video/3gpp"),
    Kind.AUDIO: (OPUS, "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr", "audio/wav"),
    Kind.VOICE: (OPUS,),
    Kind.STICKER: PICTURES,
}
_ADVICE = {
    Kind.IMAGE: "Send a JPEG, PNG or WebP, or send it as a document.",
    Kind.VIDEO: "Convert it to MP4 with H.264 and AAC, or send it as a document.",
    Kind.AUDIO: "Send MP3, M4A, AAC, AMR, WAV or Ogg with Opus, or send it as a document.",
    Kind.VOICE: "A voice note is Ogg with Opus: convert it (ffmpeg -i in -c:a libopus out.ogg), or send it as audio.",
    Kind.STICKER: "Send a picture: WebP, PNG, JPEG or GIF.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Media ready to be uploaded, with what WhatsApp wants to be told about them; 0 and b"" stand for not known.

    Args:
        width, height: pixels as shown, after the turn that a camera notes.
        seconds: how long it plays, at least 1 if known.
        thumbnail: a JPEG of at most 100 pixels a side and 10 KB, of images only.
        animated: whether a sticker moves.
    """

    data: bytes = field(repr=False)
    mimetype: str
    width: int = 0
    height: int = 0
    seconds: int = 0
    thumbnail: bytes = field(default=b"", repr=False)
    animated: bool = False


def judge(kind: Kind, data: bytes, claimed: str = "") -> str:
    """The MIME type under which to send the bytes. What they are counts, not what they are called.

    Only a document is what its sender says, since nobody plays it.

    Raises:
        InvalidMessage: `media_empty`, `media_too_large` or `media_unsupported`; the sentence says what to do.
    """
    if not data:
        raise InvalidMessage("The file is empty.", reason="media_empty")
    if len(data) > LIMITS[kind]:
        much = f"The file has {len(data) / MIB:.1f} MiB, and {_article(kind)} may have {LIMITS[kind] // MIB} MiB."
        raise InvalidMessage(much, reason="media_too_large")
    actual = sniff(data)
    if kind is Kind.DOCUMENT:
        return claimed if _MIMETYPE.fullmatch(claimed) and claimed != UNKNOWN else actual
    if actual not in _SHOWN[kind]:
        what = f"{_article(kind).capitalize()} cannot be {_named(actual)}."
        raise InvalidMessage(f"{what} {_ADVICE[kind]}", reason="media_unsupported")
    return actual


def sniff(data: bytes) -> str:
    """The MIME type that the first bytes show, `application/octet-stream` if none."""
    for magic, mimetype in _MAGIC:
        if data.startswith(magic):
            return mimetype
    for at, magic, look in _CONTAINERS:
        if data.startswith(magic, at):
            return look(data)
    return _bare(data)


def canvas(data: bytes) -> tuple[int, int, bool]:
    """Width, height and whether it moves, from the header of a WebP; zeros if that is broken (RFC 9649)."""
    chunk = data[12:16]
    if chunk == b"VP8X" and len(data) >= 30:
        sides = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        return next(sides), next(sides), bool(data[20] & 0x02)
    if chunk == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), False
    if chunk == b"VP8 " and len(data) >= 30:
        width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        return width, height, False
    return 0, 0, False


_MIMETYPE = re.compile(r"[\w!#$&^.+\-]{1,60}/[\w!#$&^.+\-]{1,80}(; ?[\w\-]{1,20}=[\w.\-]{1,40})?", re.ASCII)
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"fLaC", "audio/flac"),
    (b"%PDF-", "application/pdf"),
    (b"{\\rtf", "application/rtf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # Office before 2007
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x1f\x8b", "application/gzip"),
    (b"PK\5\6", "application/zip"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
)
_OFFICE = {b"word/": "wordprocessingml.document", b"xl/": "spreadsheetml.sheet", b"ppt/": "presentationml.presentation"}
_BRANDS = {b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"M4P ": "audio/mp4"}
_BRANDS |= {b"avif": "image/avif", b"avis": "image/avif"} | dict.fromkeys((b"heic", b"heix", b"mif1"), "image/heic")
_HANDLER = b"hdlr" + bytes(8)  # of a track: its kind stands behind


def _riff(data: bytes) -> str:
    return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}.get(data[8:12], UNKNOWN)


def _matroska(data: bytes) -> str:
    return "video/webm" if b"webm" in data[:64] else "video/x-matroska"


def _ogg(data: bytes) -> str:
    head = data[:128]
    if b"OpusHead" in head:
        return OPUS
    return "video/ogg" if b"theora" in head else "audio/ogg"


def _iso(data: bytes) -> str:
    brand = data[8:12]
    if brand in _BRANDS:
        return _BRANDS[brand]
    if brand[:3] in {b"3gp", b"3g2", b"3ge"}:
        return "video/3gpp"
    # Many programs write a general brand into files that only sound.
    return "audio/mp4" if _HANDLER + b"soun" in data and _HANDLER + b"vide" not in data else "video/mp4"


def _zip(data: bytes) -> str:
    if data[30:38] == b"mimetype":  # OpenDocument and EPUB say it in their first entry, not compressed
        said = re.match(rb"application/[\w.+\-]{1,80}?(?=PK|$)", data[38:128])
        return said[0].decode() if said else "application/zip"
    for folder, name in _OFFICE.items():
        if folder in data and b"[Content_Types].xml" in data:
            return f"application/vnd.openxmlformats-officedocument.{name}"
    return "application/zip"


_CONTAINERS: tuple[tuple[int, bytes, Callable[[bytes], str]], ...] = (
    (0, b"RIFF", _riff),
    (0, b"OggS", _ogg),
    (0, b"\x1aE\xdf\xa3", _matroska),
    (0, b"PK\3\4", _zip),
    (4, b"ftyp", _iso),
    (4, b"moov", lambda _: "video/quicktime"),  # from before there was ftyp
)


def _bare(data: bytes) -> str:
    """What has no name: MP3 and AAC begin with a frame (11 or 12 bits set, then the layer), BMP with its size."""
    if data[:2] == b"BM" and data[2:6] == len(data).to_bytes(4, "little"):
        return "image/bmp"
    if len(data) < 4 or data[0] != 0xFF:
        return UNKNOWN
    if data[1] & 0xF6 == 0xF0:
        return "audio/aac"
    return "audio/mpeg" if data[1] & 0xE6 == 0xE2 and 0 < data[2] >> 4 < 15 else UNKNOWN


def _article(kind: Kind) -> str:
    return {Kind.IMAGE: "an image", Kind.AUDIO: "audio", Kind.VOICE: "a voice note"}.get(kind, f"a {kind}")


def _named(mimetype: str) -> str:
    return "a file of an unknown type" if mimetype == UNKNOWN else mimetype

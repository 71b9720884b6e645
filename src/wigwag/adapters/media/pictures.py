# SPDX-License-Identifier: Apache-2.0
"""Pictures, through Pillow, its only importer: checked, measured, made small, made into stickers.

Everything here blocks, and is called in a thread. Pixels that somebody sends are decoded only after their number is
known to be bearable.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image, ImageOps

from wigwag.domain.errors import InvalidMessage
from wigwag.domain.media import (
    ANIMATED_STICKER_LIMIT,
    PICTURES,
    STICKER_LIMIT,
    STICKER_SIDE,
    Prepared,
    canvas,
)

MOST_PIXELS = 50_000_000  # what a good phone takes; about 200 MB when decoded
THUMBNAIL_SIDE, THUMBNAIL_LIMIT = 100, 10 * 1024  # pixels, bytes

_FORMATS = tuple(mimetype.partition("/")[2].upper() for mimetype in PICTURES)  # no exotic decoder meets foreign bytes
_USUAL = {"1", "L", "LA", "P", "RGB", "RGBA", "CMYK"}  # colour modes that Pillow can make small
_ORIENTATION, _TURNED = 0x0112, range(5, 9)  # EXIF: the camera was held upright
_QUALITIES = (90, 75, 60, 45, 30, 15, 5)
_BOMB = "This picture has more than 50 million pixels: send a smaller one, or send it as a document."
_BROKEN = "This picture is broken or incomplete: save it again, or send it as a document."


def image(data: bytes, mimetype: str) -> Prepared:
    """The picture unchanged, with its size and a thumbnail. Raises InvalidMessage if it is broken or huge."""
    with _opened(data) as picture:
        width, height = picture.size
        if picture.getexif().get(_ORIENTATION) in _TURNED:
            width, height = height, width
        thumbnail = _jpeg(_shrunk(picture, THUMBNAIL_SIDE))
    return Prepared(data=data, mimetype=mimetype, width=width, height=height, thumbnail=thumbnail)


def sticker(data: bytes, mimetype: str) -> Prepared:
    """A WebP of 512x512 pixels: the given one if it is that already, else one made of the picture's first frame.

    Raises:
        InvalidMessage: it is broken or huge, or it moves and does not fit as it is.
    """
    width, height, moves = canvas(data) if mimetype == "image/webp" else (0, 0, False)
    fits = width == height == STICKER_SIDE and len(data) <= (ANIMATED_STICKER_LIMIT if moves else STICKER_LIMIT)
    if moves and not fits:
        advice = f"An animated sticker is a WebP of 512x512 pixels and at most {ANIMATED_STICKER_LIMIT // 1024} KiB."
        raise InvalidMessage(advice, reason="media_too_large")
    with _opened(data) as picture:
        small = _shrunk(picture, 2 * STICKER_SIDE)
        made = data if fits else _webp(ImageOps.pad(small, (STICKER_SIDE, STICKER_SIDE), color=(0, 0, 0, 0)))
    return Prepared(data=made, mimetype="image/webp", width=STICKER_SIDE, height=STICKER_SIDE, animated=moves)


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """The picture, not decoded yet. Whatever breaks while it is used is its own fault."""
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise InvalidMessage(_BOMB, reason="media_too_large")
            yield picture
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidMessage(_BOMB, reason="media_too_large") from error
    except (OSError, SyntaxError, ValueError, LookupError, TypeError, EOFError, struct.error, zlib.error) as error:
        raise InvalidMessage(_BROKEN, reason="media_broken") from error


def _shrunk(picture: Image.Image, side: int) -> Image.Image:
    """The picture upright, in RGBA, with no side longer than this. It is read whole, but not kept at full size."""
    small = picture if picture.mode in _USUAL else picture.convert("RGB")
    small.thumbnail((side, side))
    return ImageOps.exif_transpose(small).convert("RGBA")


def _jpeg(picture: Image.Image) -> bytes:
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture)
    for quality in _QUALITIES:
        out = BytesIO()
        paper.save(out, "JPEG", quality=quality)
        if out.tell() <= THUMBNAIL_LIMIT:
            return out.getvalue()
    return b""


def _webp(picture: Image.Image) -> bytes:
    for quality in _QUALITIES:
        out = BytesIO()
        picture.save(out, "WEBP", quality=quality)
        if out.tell() <= STICKER_LIMIT:
            return out.getvalue()
    raise InvalidMessage("No sticker under 100 KiB can be made of this picture.", reason="media_too_large")

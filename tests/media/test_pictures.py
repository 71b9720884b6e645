# SPDX-License-Identifier: Apache-2.0
"""Pictures are sent as they are, with a small one to show first; stickers are made; bombs and broken ones refused."""

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.media import making
from wigwag.adapters.media import pictures
from wigwag.domain.errors import InvalidMessage
from wigwag.domain.media import STICKER_LIMIT, sniff

JPEG = making.picture("JPEG")


def opened(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize(
    "data",
    [
        JPEG,
        making.picture("JPEG", progressive=True),
        making.picture("JPEG", mode="L"),
        making.picture("JPEG", mode="CMYK"),
        making.picture("PNG"),
        making.picture("PNG", mode="1"),
        making.picture("PNG", mode="P"),
        making.picture("PNG", mode="LA"),
        making.picture("PNG", mode="RGBA"),
        making.picture("PNG", mode="I;16"),
        making.picture("WEBP"),
        making.picture("WEBP", mode="RGBA", lossless=True),
    ],
)
def test_an_image_is_sent_byte_by_byte_with_its_size_and_a_thumbnail(data: bytes) -> None:
    prepared = pictures.image(data, sniff(data))
    assert (prepared.data, prepared.mimetype) == (data, sniff(data))
    assert (prepared.width, prepared.height) == (640, 480)
    assert opened(prepared.thumbnail).size == (100, 75)
    assert opened(prepared.thumbnail).format == "JPEG"


@given(width=st.integers(1, 1500), height=st.integers(1, 1500), form=st.sampled_from(["JPEG", "PNG"]))
def test_a_thumbnail_of_any_size_is_small(width: int, height: int, form: str) -> None:
    prepared = pictures.image(making.picture(form, (width, height)), "image/png")
    assert (prepared.width, prepared.height) == (width, height)
    assert max(opened(prepared.thumbnail).size) <= pictures.THUMBNAIL_SIDE
    assert len(prepared.thumbnail) <= pictures.THUMBNAIL_LIMIT


def test_a_thumbnail_of_chance_is_small_as_well() -> None:
    prepared = pictures.image(making.noise("PNG", (100, 100)), "image/png")
    assert 0 < len(prepared.thumbnail) <= pictures.THUMBNAIL_LIMIT


def test_what_is_transparent_is_white_in_the_thumbnail() -> None:
    out = BytesIO()
    Image.new("RGBA", (50, 50), (255, 0, 0, 0)).save(out, "PNG")
    thumbnail = opened(pictures.image(out.getvalue(), "image/png").thumbnail)
    assert thumbnail.getpixel((25, 25)) == (255, 255, 255)


@pytest.mark.parametrize(("orientation", "size"), [(1, (640, 480)), (3, (640, 480)), (6, (480, 640)), (8, (480, 640))])
def test_a_photograph_is_measured_as_it_is_shown(orientation: int, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    prepared = pictures.image(making.picture("JPEG", exif=exif), "image/jpeg")
    assert (prepared.width, prepared.height) == size
    thumbnail = opened(prepared.thumbnail)
    assert (thumbnail.width < thumbnail.height) is (size[0] < size[1])


def bomb(width: int, height: int) -> bytes:
    """A tiny PNG that says it is huge."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def webp_bomb() -> bytes:
    sides = 2 * (16383).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + sides


@pytest.mark.parametrize(
    "data",
    [bomb(10_000, 5_001), bomb(10_000, 9_500), bomb(60_000, 60_000), webp_bomb()],
    ids=["a little over", "where Pillow warns", "where Pillow refuses", "WebP"],
)
@pytest.mark.parametrize("make", [pictures.image, pictures.sticker])
def test_a_bomb_is_refused_before_it_is_decoded(make: type, data: bytes) -> None:
    with pytest.raises(InvalidMessage) as raised:
        make(data, sniff(data))
    assert raised.value.reason == "media_too_large"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("make", [pictures.image, pictures.sticker])
def test_half_a_picture_is_refused(make: type, form: str) -> None:
    data = making.picture(form)
    with pytest.raises(InvalidMessage) as raised:
        make(data[: len(data) // 2], sniff(data))
    assert raised.value.reason == "media_broken"


@given(
    data=st.sampled_from([making.picture(form, (60, 40)) for form in ("JPEG", "PNG", "WEBP", "GIF")]),
    at=st.integers(0, 2000),
    patch=st.binary(min_size=1, max_size=20),
    make=st.sampled_from([pictures.image, pictures.sticker]),
)
def test_a_damaged_picture_is_prepared_or_refused_and_nothing_else(
    data: bytes, at: int, patch: bytes, make: type
) -> None:
    damaged = data[:at] + patch + data[at + len(patch) :]
    try:
        assert make(damaged, sniff(data)).width
    except InvalidMessage as refusal:
        reason = refusal.reason
    else:
        reason = "media_broken"
    assert reason in {"media_broken", "media_too_large"}


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_that_is_a_sticker_already_stays_as_it_is(lossless: bool) -> None:
    data = making.picture("WEBP", (512, 512), quality=20, lossless=lossless)
    assert len(data) <= STICKER_LIMIT
    prepared = pictures.sticker(data, "image/webp")
    assert (prepared.data, prepared.width, prepared.height, prepared.animated) == (data, 512, 512, False)


@pytest.mark.parametrize(
    "data",
    [
        making.picture("PNG"),
        making.picture("JPEG", (30, 900)),
        making.picture("WEBP", (511, 512)),
        making.picture("PNG", (1, 1)),
        making.moving("GIF", (120, 90)),
        making.noise("PNG", (700, 700)),
        making.noise("WEBP", (512, 512), quality=100),
        making.picture("JPEG", mode="CMYK"),
        making.picture("PNG", mode="I;16"),
    ],
    ids=["PNG", "tall JPEG", "other WebP", "one pixel", "GIF", "chance", "heavy WebP", "CMYK", "16 bits"],
)
def test_a_sticker_is_made_of_any_picture(data: bytes) -> None:
    prepared = pictures.sticker(data, sniff(data))
    assert len(prepared.data) <= STICKER_LIMIT
    made = opened(prepared.data)
    assert (made.format, made.size) == ("WEBP", (512, 512))


def test_the_rest_of_a_stickers_square_is_transparent() -> None:
    made = opened(pictures.sticker(making.picture("PNG", (400, 100)), "image/png").data).convert("RGBA")
    assert made.getpixel((256, 5)) == (0, 0, 0, 0)
    assert made.getchannel("A").getpixel((256, 256)) == 255


def test_an_animated_sticker_stays_as_it_is() -> None:
    data = making.moving("WEBP", (512, 512))
    prepared = pictures.sticker(data, "image/webp")
    assert prepared.data == data
    assert prepared.animated


def test_an_animation_of_another_size_is_refused_with_advice() -> None:
    with pytest.raises(InvalidMessage, match="512x512"):
        pictures.sticker(making.moving("WEBP", (300, 300)), "image/webp")

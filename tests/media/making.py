# SPDX-License-Identifier: Apache-2.0
"""Media made by hand: pictures by Pillow, sounds and films as headers alone, as their specifications lay them out."""

import random
import struct
from io import BytesIO
from typing import Any

from PIL import Image


def picture(form: str, size: tuple[int, int] = (640, 480), mode: str = "RGB", **options: Any) -> bytes:
    """A picture with some content."""
    out = BytesIO()
    made = (
        Image.effect_mandelbrot(size, (-2, -1.5, 1, 1.5), 20) if size[0] * size[1] < 1_000_000 else Image.new("L", size)
    )
    made.convert("RGB").convert(mode).save(out, form, **options)
    return out.getvalue()


def noise(form: str, size: tuple[int, int], **options: Any) -> bytes:
    """A picture that cannot be made small: every pixel is chance, from a fixed seed."""
    out = BytesIO()
    Image.frombytes("RGB", size, random.Random(7).randbytes(3 * size[0] * size[1])).save(out, form, **options)
    return out.getvalue()


def moving(form: str, size: tuple[int, int], frames: int = 3) -> bytes:
    """An animation."""
    first, *others = [Image.new("RGB", size, (40 * number, 90, 200)) for number in range(frames)]
    out = BytesIO()
    first.save(out, form, save_all=True, append_images=others, duration=100)
    return out.getvalue()


def ogg_page(body: bytes, granule: int) -> bytes:
    return struct.pack("<4sBBqIIIB", b"OggS", 0, 0, granule, 1, 0, 0, 1) + bytes([len(body)]) + body


def opus(seconds: float, skip: int = 312) -> bytes:
    """A voice note's first and last page (RFC 7845)."""
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, skip, 16000, 0, 0)
    return ogg_page(head, 0) + ogg_page(b"OpusTags", 0) + ogg_page(b"sound", round(seconds * 48000) + skip)


def vorbis() -> bytes:
    return ogg_page(b"\x01vorbis" + bytes(20), 0)


def wav(seconds: float, rate: int = 8000) -> bytes:
    sound = bytes(round(seconds * rate) * 2)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    note = struct.pack("<4sI", b"LIST", 3) + b"odd\0"
    body = b"WAVE" + form + note + struct.pack("<4sI", b"data", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


def mp3(frames: int, *, counted: bool = False, tagged: bool = False) -> bytes:
    """128 kbit/s at 44.1 kHz: a frame has 417 bytes and 1152 samples."""
    sound = (b"\xff\xfb\x90\x00" + bytes(413)) * frames
    if counted:
        sound = b"\xff\xfb\x90\x00" + bytes(32) + b"Info" + struct.pack(">II", 1, frames) + bytes(373)
    tag = b"ID3\x04\0\0\0\0\x02\x00" + bytes(256) if tagged else b""
    return tag + sound


def box(name: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I4s", 8 + len(body), name) + body


def wide_box(name: bytes, body: bytes) -> bytes:
    """A box with a 64-bit size."""
    return struct.pack(">I4sQ", 1, name, 16 + len(body)) + body


def track(handler: bytes, width: int = 0, height: int = 0) -> bytes:
    header = box(b"tkhd", bytes(76), struct.pack(">II", width << 16, height << 16))
    return box(b"trak", header, box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(12))))


def film(seconds: float, *, brand: bytes = b"isom", size: tuple[int, int] = (640, 360), long: bool = False) -> bytes:
    """The skeleton of an MP4 with sound and pictures; `long` writes its times with 64 bits."""
    times = (
        struct.pack(">QQIQ", 0, 0, 600, round(600 * seconds))
        if long
        else struct.pack(">IIII", 0, 0, 600, round(600 * seconds))
    )
    head = box(b"mvhd", bytes([int(long), 0, 0, 0]), times, bytes(80))
    tracks = track(b"soun"), track(b"vide", *size)
    return box(b"ftyp", brand, bytes(4), b"isom") + wide_box(b"mdat", b"pictures") + box(b"moov", head, *tracks)


def song(seconds: float, brand: bytes = b"M4A ") -> bytes:
    """The skeleton of an MP4 with sound alone."""
    head = box(b"mvhd", bytes(4), struct.pack(">IIII", 0, 0, 44100, round(44100 * seconds)), bytes(80))
    return box(b"ftyp", brand, bytes(4)) + box(b"moov", head, track(b"soun"))


def archive(*names: str) -> bytes:
    """The beginning of a ZIP with these entries."""
    return b"".join(struct.pack("<4s22xHH", b"PK\3\4", len(name), 0) + name.encode() for name in names)

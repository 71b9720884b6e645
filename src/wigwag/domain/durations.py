# SPDX-License-Identifier: Apache-2.0
"""How long a sound or film plays, and how large a film is, from headers alone. Broken or unknown ones have no length.

Every loop here is bounded or goes forward through the bytes, so no file can hold us up.
"""

import struct
from collections.abc import Iterator
from itertools import islice

_OPUS_RATE = 48000  # granules a second, whatever the sound was recorded with (RFC 7845)
_MOST_BOXES = 256  # a film has a handful of tracks


def seconds(data: bytes, mimetype: str) -> int:
    """Whole seconds, at least 1 for what has any length, 0 if not known."""
    measure = _MEASURES.get(mimetype.partition(";")[0])
    try:
        length = measure(data) if measure else 0.0
    except (struct.error, ZeroDivisionError, IndexError):
        return 0
    return max(1, round(length)) if 0 < length < 1e6 else 0


def frame(data: bytes) -> tuple[int, int]:
    """Width and height of a film's first track that has them, or zeros (ISO 14496-12, tkhd)."""
    for moov in _boxes(data, 0, len(data), b"moov"):
        for trak in _boxes(data, *moov, b"trak"):
            for _, end in _boxes(data, *trak, b"tkhd"):
                width, height = struct.unpack_from(">II", data, end - 8)
                if width and height:
                    return width >> 16, height >> 16
    return 0, 0


def _boxes(data: bytes, start: int, end: int, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Where the bodies of the wanted boxes between two places begin and end."""
    for name, begin, stop in islice(_all_boxes(data, start, end), _MOST_BOXES):
        if name == wanted:
            yield begin, stop


def _all_boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= end:
            size, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            return
        yield name, start + head, start + size
        start += size


def _iso(data: bytes) -> float:
    for moov in _boxes(data, 0, len(data), b"moov"):
        for start, _ in _boxes(data, *moov, b"mvhd"):
            form, at = (">IQ", start + 20) if data[start] == 1 else (">II", start + 12)
            scale, length = struct.unpack_from(form, data, at)
            return float(length / scale)
    return 0.0


def _ogg(data: bytes) -> float:
    head, last = data.find(b"OpusHead", 0, 256), data.rfind(b"OggS")
    if head < 0:
        return 0.0
    skip: int = struct.unpack_from("<H", data, head + 10)[0]
    granules: int = struct.unpack_from("<q", data, last + 6)[0]
    return (granules - skip) / _OPUS_RATE


def _wav(data: bytes) -> float:
    at, rate = 12, 0
    for _ in range(_MOST_BOXES):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"fmt ":
            rate = int(struct.unpack_from("<I", data, at + 16)[0])
        elif name == b"data":
            return min(int(size), len(data) - at - 8) / rate
        at += 8 + size + size % 2
    return 0.0


_MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by version bits
_MP3_KBITS = {
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),  # version 1
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def _mp3(data: bytes) -> float:
    """From the count of frames if a Xing or Info header has it, else as if every frame were like the first."""
    start = 0
    if data.startswith(b"ID3") and len(data) > 10:
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    start = data.find(b"\xff", start)
    if start < 0 or len(data) < start + 4 or data[start + 1] & 0xE6 != 0xE2:
        return 0.0
    version, bits = data[start + 1] >> 3 & 3, data[start + 2]
    if version not in _MP3_RATES or bits >> 2 & 3 == 3 or not 0 < bits >> 4 < 15:
        return 0.0
    for mark in (b"Xing", b"Info"):
        at = data.find(mark, start, start + 64)
        if at >= 0 and data[at + 7] & 1:
            frames: int = struct.unpack_from(">I", data, at + 8)[0]
            return frames * (1152 if version == 3 else 576) / _MP3_RATES[version][bits >> 2 & 3]
    return (len(data) - start) / (_MP3_KBITS[version == 3][(bits >> 4) - 1] * 125)


_MEASURES = {
    "audio/ogg": _ogg,
    "audio/wav": _wav,
    "audio/mpeg": _mp3,
    **dict.fromkeys(("video/mp4", "video/3gpp", "video/quicktime", "audio/mp4"), _iso),
}

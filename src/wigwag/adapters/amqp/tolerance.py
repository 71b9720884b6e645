# SPDX-License-Identifier: Apache-2.0
"""Properties of foreign messages that the protocol library cannot decode are left out, and the message is read.

By itself the library ends the connection over a text that is not UTF-8 or a time in the year 50,000. The message would
come again and end it again; and as a dead letter it would hide all others. So three of its decoders are replaced here.
"""

from typing import Any

from pamqp import decode


def short_text(value: bytes) -> tuple[int, str]:
    """A text of at most 255 bytes, without those that are not UTF-8."""
    end = 1 + value[0]
    return end, value[1:end].decode("utf-8", "ignore")


def time(value: bytes) -> tuple[int, Any]:
    """A time, or None for one that no calendar has."""
    try:
        return decode.timestamp(value)
    except (ValueError, OverflowError, OSError):
        return 8, None


def table(value: bytes) -> tuple[int, Any]:
    """Headers, or none if one of them cannot be read."""
    try:
        return decode.field_table(value)
    except (ValueError, OverflowError, OSError, RecursionError):
        return 4 + int.from_bytes(value[:4], "big"), {}


def be_tolerant() -> None:
    """Put these decoders in the place of the library's. Doing it twice is doing it once."""
    decode.METHODS.update(shortstr=short_text, timestamp=time, table=table)
    decode.TABLE_MAPPING.update({b"T": time, b"F": table})

# SPDX-License-Identifier: Apache-2.0
"""JSON from strangers, read so that no text of any shape costs more memory or stack than it is long.

The text is measured before anything is built from it. What the values mean is not known here.
"""

import json
import re
from typing import Any, NoReturn

from wigwag.domain.errors import InvalidMessage

DEEPEST = 16  # brackets in one another
LONGEST_FRAME = 64 * 1024  # bytes outside of texts: brackets, commas, numbers, blanks
_TEXTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)  # an unfinished one goes to the end
_HALF = re.compile("[\ud800-\udfff]")
_STEPS = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}


def decode(body: bytes) -> Any:
    """The value of a JSON text in UTF-8 (RFC 8259).

    Raises:
        InvalidMessage: `too_large` or `too_deep` by its frame; `malformed_json`, also for NaN and Infinity;
            `duplicate_key`; `lone_surrogate` where half a character stands in a text or key.
    """
    _measure(_TEXTS.sub(b"", body))
    try:
        value = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
    except ValueError as error:  # not UTF-8, not JSON, or a number of thousands of digits
        raise InvalidMessage(f"This is not JSON in UTF-8{_where(error)}.", reason="malformed_json") from None
    if _halved(value):
        raise InvalidMessage("A text contains half a character (a lone surrogate).", reason="lone_surrogate")
    return value


def _measure(frame: bytes) -> None:
    if len(frame) > LONGEST_FRAME:
        detail = f"There are more than {LONGEST_FRAME} bytes outside of texts."
        raise InvalidMessage(detail, reason="too_large")
    depth = 0
    for character in frame:
        depth += _STEPS.get(character, 0)
        if depth > DEEPEST:
            raise InvalidMessage(f"There are more than {DEEPEST} brackets in one another.", reason="too_deep")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidMessage("A key stands twice in one object.", reason="duplicate_key")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


def _where(error: ValueError) -> str:
    return f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""


def _halved(value: Any) -> bool:
    match value:
        case str():
            return not value.isascii() and _HALF.search(value) is not None
        case dict():
            return any(_halved(key) or _halved(held) for key, held in value.items())
        case list():
            return any(map(_halved, value))
        case _:
            return False

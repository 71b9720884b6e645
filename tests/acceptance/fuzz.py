# SPDX-License-Identifier: Apache-2.0
"""Envelopes that nobody should be able to send: a seeded stream of bad bodies, and of odd properties for good ones.

Each is bad by the way in which it is made; nothing of wigwag is asked. A body never comes twice, so that each can be
found again among the dead letters.
"""

import json
import random
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiormq import spec
from hypothesis import strategies as st
from hypothesis.errors import NonInteractiveExampleWarning

from tests.acceptance.envelopes import USER, Nameless

HUGE = 10 * (1 << 20)  # bytes
DEEP = 100_000  # brackets
Make = Callable[[random.Random, int], bytes]
"""Makes a bad body; the number is in it, or chance makes it unlike all others."""


def good(text: str, number: str, **more: Any) -> dict[str, Any]:
    return {"user_id": USER, "destination": f"+{number}", "text_message": text, **more}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _with(raw: bytes) -> Make:
    """An envelope in which one value is written as given, `%d` being the number of the envelope."""
    start = _json(good("fine", "15550100001"))[:-1]
    return lambda _chance, number: start + b', "extra": ' + raw.replace(b"%d", str(number).encode()) + b"}"


def _noise(chance: random.Random, number: int) -> bytes:
    return number.to_bytes(4, "big") + b"\xff" + chance.randbytes(chance.randint(0, 2000))


def _huge(chance: random.Random, number: int) -> bytes:
    body = _json(good(f"{number} ", "15550100001"))
    return body[:-2] + chance.choice([b"x", b"\xc3\xa4", b"[", b"\0"]) * (HUGE // 2) + body[-2:]


def _deep(chance: random.Random, number: int) -> bytes:
    bracket = chance.choice([b"[", b'{"a":', b"[{}, "])
    return b'{"n": %d, "a": ' % number + bracket * DEEP + (b"]" * DEEP if chance.random() < 0.5 else b"")


def _twice(chance: random.Random, number: int) -> bytes:
    body = _json(good(str(number), "15550100001"))
    key = chance.choice(["user_id", "destination", "text_message", "unknown"])
    more = f', "{key}": "+15550100002", "{key}": null'
    return body[:-1] + more.encode() + b"}"


def _long_number(chance: random.Random, number: int) -> bytes:
    digits = "9" * chance.randint(4400, 20_000)
    return _json(good("fine", "15550100001"))[:-1] + f', "n": {number}, "priority": {digits}}}'.encode()


_TYPES: list[Any] = [True, 7, -1.5, 1e308, [], {}, [[]], {"a": 1}, ["+15550100001"]]


def _wrong_type(chance: random.Random, number: int) -> bytes:
    field = chance.choice(["user_id", "destination", "text_message", "idempotency_key", "account", "type", "reply_to"])
    return _json({**good(f"{number}", "15550100001"), "n": number, field: chance.choice(_TYPES)})


def _mutated(chance: random.Random, number: int) -> bytes:
    """A good envelope that lost something it cannot do without."""
    body = _json(good(f"{number} {chance.random()}", "15550100001"))
    cut = chance.randint(1, len(body) - 1)
    return chance.choice(
        [
            body[:cut],
            body + chance.choice([b"}", b"{}", b"x", b",", b"\0"]),
            body[1:],
            body.replace(b"user_id", b"user-id"),
            body.replace(b"+1555", b"+0000"),
            body.replace(b'"' + USER[:8].encode(), b'"' + b"zzzzzzzz"),
            body.replace(b":", b"=", 1),
            body.decode().encode("utf-16"),
            b"\xef\xbb\xbf" + body,
        ]
    )


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


def _any_json(_chance: random.Random, number: int) -> bytes:
    """Whatever hypothesis thinks of. It has no user, so it is no envelope."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NonInteractiveExampleWarning)  # seeds are of no use to it; the body is kept
        return json.dumps([number, _ANY.example()]).encode()


BAD: dict[str, Make] = {
    "noise": _noise,
    "deep": _deep,
    "NaN": _with(b"[%d, NaN]"),
    "Infinity": _with(b'{"a": [%d, -Infinity]}'),
    "half a character, escaped": _with(rb'"%d \ud83d"'),
    "half a character, as bytes": _with(b'"%d \xed\xa0\xbd"'),
    "duplicate keys": _twice,
    "huge numbers": _long_number,
    "wrong types": _wrong_type,
    "mutated": _mutated,
    "any JSON": _any_json,
}


def bad(count: int, huge: int, chance: random.Random) -> Iterator[bytes]:
    """So many bad bodies, each only once, and among them so many of 10 MB."""
    seen: set[bytes] = set()
    at = set(chance.sample(range(count), huge))
    ways = list(BAD.values())
    for number in range(count):
        make = _huge if number in at else ways[number % len(ways)]
        body = make(chance, number)
        while body in seen:
            body = make(chance, number)
        seen.add(body if number not in at else b"")
        yield body


class _Raw(str):
    """A text that goes out as bytes that are no UTF-8, past the client's own manners."""

    __slots__ = ()

    def encode(self, *_arguments: Any) -> bytes:
        return b"caf\xe9 \xff\xfe"


@dataclass(frozen=True, slots=True)
class Odd:
    """Properties that a broker takes and no envelope needs."""

    chance: random.Random

    def properties(self, message_id: str | None) -> spec.Basic.Properties:
        chance = self.chance
        nested: Any = {"deep": {"deeper": [{"deepest": [None, True, 2**62, 0.5, bytearray(b"\xff\x00")]}]}}
        headers = [
            {},
            {"x-any": nested, "x-when": datetime(2026, 1, 1, tzinfo=UTC), "x-bytes": bytearray(b"\xff\xfe")},
            {"traceparent": 7, "x-death": "none", "x-delivery-count": "many"},
            {"x-wigwag-reason": "forged", "x-wigwag-job": "forged"},
            {"x" * 128: "y" * 5000, "": ""},
            {"x-raw": _Raw("raw")},
        ]
        kind = Nameless if message_id is None else spec.Basic.Properties
        return kind(
            message_id=message_id,
            delivery_mode=chance.choice([1, 2]),
            headers=chance.choice(headers),
            expiration=chance.choice([None, "3600000"]),
            content_type=chance.choice([None, "", "application/json", "text/html; charset=utf-16", _Raw("raw")]),
            content_encoding=chance.choice([None, "gzip", "utf-16", _Raw("raw")]),
            priority=chance.choice([None, 0, 9, 255]),
            message_type=chance.choice([None, "x" * 255]),
            app_id=chance.choice([None, "'; DROP TABLE jobs; --"]),
            timestamp=chance.choice([None, datetime(1970, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=9999)]),
        )

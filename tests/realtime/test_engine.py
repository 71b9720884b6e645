# SPDX-License-Identifier: Apache-2.0
"""Engine.IO packets and payloads: what is read, what is written, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.adapters.realtime import engine
from wigwag.adapters.realtime.engine import Frame, Malformed

TEXTS = st.text(st.characters(exclude_characters=engine.SEPARATOR, exclude_categories=["Cs"]))
FRAMES = st.one_of(st.builds(lambda kind, text: kind + text, st.sampled_from("0123456"), TEXTS), st.binary())


@pytest.mark.parametrize(
    ("frame", "kind", "body"),
    [
        ("1", engine.CLOSE, ""),
        ("2probe", engine.PING, "probe"),
        ("3", engine.PONG, ""),
        ("4", engine.MESSAGE, ""),
        ("4hello", engine.MESSAGE, "hello"),
        ("5", engine.UPGRADE, ""),
        ("6", engine.NOOP, ""),
        (b"\x01\x02", engine.MESSAGE, b"\x01\x02"),
        (b"", engine.MESSAGE, b""),
    ],
)
def test_a_packet_is_read(frame: Frame, kind: str, body: Frame) -> None:
    assert engine.decode(frame) == (kind, body)


@pytest.mark.parametrize("frame", ["", "7", "abc", "-1", " 4", "bAQID", "٤"])
def test_what_has_no_type_is_refused(frame: str) -> None:
    with pytest.raises(Malformed):
        engine.decode(frame)


@pytest.mark.parametrize(
    ("body", "frames"),
    [
        (b"4hello", ["4hello"]),
        (b"4a\x1e4b\x1e3", ["4a", "4b", "3"]),
        (b"4hello\x1ebAQIDBA==", ["4hello", b"\x01\x02\x03\x04"]),
        (b"", [""]),
    ],
)
def test_a_payload_is_read_and_written_the_same(body: bytes, frames: list[Frame]) -> None:
    assert engine.decode_payload(body) == frames
    assert engine.encode_payload(frames) == body


@pytest.mark.parametrize("body", [b"\xff", b"b!", b"bA", b"4\x1eb\xc3\xa9", b"b AQID"])
def test_a_payload_that_is_no_text_or_no_base64_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        engine.decode_payload(body)


@given(frames=st.lists(FRAMES, min_size=1))
def test_every_payload_comes_back_as_it_went(frames: list[Frame]) -> None:
    assert engine.decode_payload(engine.encode_payload(frames)) == frames


@given(body=st.binary())
def test_no_payload_does_more_than_be_refused(body: bytes) -> None:
    try:
        frames = engine.decode_payload(body)
        for frame in frames:
            engine.decode(frame)
    except Malformed:
        pass


def test_the_handshake_tells_times_in_milliseconds() -> None:
    told = engine.handshake("abc", ("websocket",), interval=10.0, timeout=0.2, payload=1000)
    assert told[0] == engine.OPEN
    assert json.loads(told[1:]) == {
        "sid": "abc",
        "upgrades": ["websocket"],
        "pingInterval": 10_000,
        "pingTimeout": 200,
        "maxPayload": 1000,
    }

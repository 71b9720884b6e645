# SPDX-License-Identifier: Apache-2.0
"""Socket.IO packets: what is read, what is written, and what is refused before anybody looks at it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.adapters.realtime.engine import Frame, Malformed
from wigwag.adapters.realtime.packets import RESERVED, Kind, Packet, Partial, Shape, decode, encode

SHAPE = Shape(depth=8, attachments=4)
TWO = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
SIMPLE = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.text(max_size=5).filter(lambda key: key != "_placeholder")
LEAVES = SIMPLE | st.text(max_size=8) | st.binary(max_size=8)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
NAMES = st.text(max_size=12).filter(lambda name: name not in RESERVED)
SPACES = st.sampled_from(["/", "/custom", "/a/b", "/1"])


def whole(frames: list[Frame], shape: Shape = SHAPE) -> Packet | None:
    """Read a packet and its attachments; None while some are missing."""
    text, *parts = frames
    assert isinstance(text, str)
    packet: Packet | Partial | None = decode(text, shape)
    for part in parts:
        assert isinstance(packet, Partial)
        assert isinstance(part, bytes)
        packet = packet.add(part) or packet
    return None if isinstance(packet, Partial) else packet


@pytest.mark.parametrize(
    ("frames", "packet"),
    [
        (["0"], Packet(kind=Kind.CONNECT)),
        (['0{"token":"123"}'], Packet(kind=Kind.CONNECT, data={"token": "123"})),
        (['0/custom,{"a":1}'], Packet(kind=Kind.CONNECT, namespace="/custom", data={"a": 1})),
        (["0/custom,"], Packet(kind=Kind.CONNECT, namespace="/custom")),
        (["1"], Packet(kind=Kind.DISCONNECT)),
        (["1/custom,"], Packet(kind=Kind.DISCONNECT, namespace="/custom")),
        (['2["hello",1]'], Packet(kind=Kind.EVENT, data=["hello", 1])),
        (['2/admin,12["hello"]'], Packet(kind=Kind.EVENT, namespace="/admin", id=12, data=["hello"])),
        (['20["first id"]'], Packet(kind=Kind.EVENT, id=0, data=["first id"])),
        (['3/admin,456["ok"]'], Packet(kind=Kind.ACK, namespace="/admin", id=456, data=["ok"])),
        (["37[]"], Packet(kind=Kind.ACK, id=7, data=[])),
        (['4{"message":"no"}'], Packet(kind=Kind.CONNECT_ERROR, data={"message": "no"})),
        ([f'52-["m",{TWO}]', b"a", b"b"], Packet(kind=Kind.EVENT, data=["m", b"a", b"b"])),
        ([f"62-/x,9[{TWO}]", b"a", b""], Packet(kind=Kind.ACK, namespace="/x", id=9, data=[b"a", b""])),
    ],
)
def test_a_packet_is_read_and_written_the_same(frames: list[Frame], packet: Packet) -> None:
    assert whole(frames) == packet
    assert encode(packet) == frames


@pytest.mark.parametrize(
    ("text", "namespace"), [("0/custom", "/custom"), ("1/custom", "/custom"), ("0/a?b=c,", "/a?b=c")]
)
def test_a_namespace_may_end_with_the_packet(text: str, namespace: str) -> None:
    packet = decode(text, SHAPE)
    assert isinstance(packet, Packet)
    assert packet.namespace == namespace


def test_an_empty_binary_packet_needs_no_attachment() -> None:
    assert whole(['50-["plain"]']) == Packet(kind=Kind.EVENT, data=["plain"])


@pytest.mark.parametrize(
    "text",
    [
        *("", "7", "abc", "x", "-1", '2abc["m"]'),
        *("2", "2{}", "2[]", "2[1]", '2"m"', "2[null]", '2["m"', '2["m"]x', '2["connect"]', '2["disconnect"]'),
        *("0[]", "01", '0"a"', '01{"a":1}', "1[]", "15", '3["no id"]', "312", "31{}", "4", "4[1]"),
        *('5["m"]', '51["m"]', '25-["m"]', '55-["m"]', '599999-["m"]', '5-["m"]'),
        *('2["m",NaN]', '2["m",Infinity]', '2["m",-Infinity]'),
        '2["m",' + "9" * 5000 + "]",
        '2["m",' + "[" * 9 + "]" * 9 + "]",
        '2["m",' + "[" * 100_000 + "]" * 100_000 + "]",
        '2["m"' + "[" * 100_000,
        "0/" + "a" * 200,
        '21234567890123456["id of more digits than a number holds"]',
    ],
)
def test_what_is_no_packet_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        decode(text, SHAPE)


@pytest.mark.parametrize(
    "text",
    [
        '51-["m"]',
        '51-["m",{"_placeholder":true}]',
        '51-["m",{"_placeholder":true,"num":1}]',
        '51-["m",{"_placeholder":true,"num":-1}]',
        '51-["m",{"_placeholder":true,"num":"0"}]',
        '51-["m",{"_placeholder":true,"num":true}]',
        '51-["m",{"_placeholder":true,"num":[]}]',
        '51-["m",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]',
        '51-[{"_placeholder":true,"num":0}]',
        '51-["m"',
        "51-",
    ],
)
def test_attachments_that_do_not_fit_their_packet_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        whole([text, b"x"])


def test_a_packet_waits_for_its_last_attachment() -> None:
    assert whole([f'52-["m",{TWO}]', b"a"]) is None


def test_nothing_in_a_plain_packet_is_taken_for_an_attachment() -> None:
    assert decode('2["m",{"_placeholder":true,"num":0}]', SHAPE) == Packet(
        kind=Kind.EVENT, data=["m", {"_placeholder": True, "num": 0}]
    )


@pytest.mark.parametrize("data", [[object()], [{1, 2}], [float("nan")], [float("inf")]])
def test_what_json_cannot_say_is_not_written(data: list[Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode(Packet(kind=Kind.EVENT, data=["m", *data]))


@given(name=NAMES, args=st.lists(VALUES, max_size=3), space=SPACES, number=st.none() | st.integers(0, 10**15 - 1))
def test_every_event_comes_back_as_it_went(name: str, args: list[Any], space: str, number: int | None) -> None:
    packet = Packet(kind=Kind.EVENT, namespace=space, id=number, data=[name, *args])
    frames = encode(packet)
    assert isinstance(frames[0], str)
    assert frames[0].isascii()
    assert whole(frames, Shape(depth=50, attachments=50)) == packet


@given(text=st.text() | st.from_regex(r"[0-6](\d+-)?(/[a-z]*,)?\d*[\[{].*", fullmatch=True), part=st.binary())
def test_no_text_does_more_than_be_refused(text: str, part: bytes) -> None:
    try:
        packet = decode(text, SHAPE)
        while isinstance(packet, Partial):
            packet = packet.add(part) or packet
    except Malformed:
        return
    assert json.dumps(packet.data, default=list)

# SPDX-License-Identifier: Apache-2.0
"""The binary XML: what is written is read back, in both dictionaries, and nothing that arrives breaks the reader."""

import contextlib
import zlib
from functools import reduce

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wigwag.simulator import wire
from wigwag.simulator.tokens import DICTIONARIES, LATEST, Dictionary
from wigwag.simulator.wire import Jid, Node, WireError

digits = st.text("0123456789", min_size=1, max_size=15)
jids = st.one_of(
    st.builds(Jid, digits, st.sampled_from(["s.whatsapp.net", "lid"]), st.integers(0, 255)),
    st.builds(Jid, digits, st.sampled_from(["g.us", "broadcast", "newsletter"]), st.just(0)),
    st.just(wire.SERVER),
)
tokens = st.sampled_from([token for token in LATEST.single if token] + LATEST.double[2])
strings = st.one_of(tokens, st.text(min_size=1, max_size=300), digits, st.text("0123456789ABCDEF", min_size=1))
attributes = st.dictionaries(strings, st.one_of(strings, jids), max_size=5)
leaves = st.builds(Node, strings, attributes, st.one_of(st.none(), st.binary(max_size=400)))
nodes = st.recursive(
    leaves, lambda inner: st.builds(Node, strings, attributes, st.lists(inner, min_size=1, max_size=4)), max_leaves=8
)


@given(nodes, st.sampled_from(sorted(DICTIONARIES)))
@example(Node("message", {}, bytes(300)), 3)
@example(Node("message", {}, bytes(1 << 20)), 3)
@example(Node("x", {str(n): "y" for n in range(200)}), 3)
@example(Node("list", {}, [Node("item")] * 300), 3)
def test_a_node_survives_the_wire(node: Node, version: int) -> None:
    dictionary = DICTIONARIES[version]
    assert wire.decode(wire.encode(node, dictionary), dictionary) == node


@given(nodes)
def test_a_compressed_node_is_read_as_well(node: Node) -> None:
    assert wire.decode(b"\x02" + zlib.compress(wire.encode(node)[1:])) == node


@given(st.binary(max_size=200))
@example(b"")
@example(b"\x02not compressed")
@example(b"\x00" + b"\xf8\x02\x04" * 200)
@example(bytes([2]) + zlib.compress(bytes(wire.MAX_PLAIN_SIZE + 1)))
def test_whatever_arrives_is_a_node_or_a_wire_error(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert isinstance(wire.decode(data), Node)


@given(nodes, st.data())
def test_a_damaged_node_never_breaks_the_reader(node: Node, data: st.DataObject) -> None:
    encoded = bytearray(wire.encode(node))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WireError):
        wire.decode(bytes(encoded))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(wire.encode(Node("iq")) + b"\x00", id="bytes after the node"),
        pytest.param(wire.encode(Node("iq", {"id": "longer than packed"}))[:-1], id="cut short"),
        pytest.param(b"\x02" + zlib.compress(wire.encode(Node("iq"))[1:])[:-1], id="compression cut short"),
        pytest.param(
            wire.encode(reduce(lambda inner, _: Node("item", {}, [inner]), range(40), Node("item"))), id="deep"
        ),
        pytest.param(b"\x00\x00", id="a node without a tag"),
        pytest.param(b"\x00\xf8\x01\x00", id="an empty tag"),
        pytest.param(b"\x00\xf8\x01\xf0", id="an unknown tag"),
        pytest.param(b"\x00\xf8\x01\xff\x01\xcc", id="a digit that is none"),
        pytest.param(b"\x00\xf8\x01\xff\x81\x11", id="an odd string filled wrongly"),
        pytest.param(b"\x00\xf8\x03\x04\x04\xf7\x07\x01\x04", id="an address of an unknown domain"),
        pytest.param(b"\x00\xf8\x01\xfc\x02\xff\xfe", id="a string that is not UTF-8"),
    ],
)
def test_what_is_not_a_node_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        wire.decode(data)


def test_an_empty_attribute_is_an_empty_string() -> None:
    """Some encoders write nothing at all for an empty value."""
    assert wire.decode(b"\x00\xf8\x03\x04\x04\x00") == Node("type", {"type": ""})


@pytest.mark.parametrize(
    ("text", "jid"),
    [
        ("15551234567@s.whatsapp.net", Jid("15551234567")),
        ("15551234567:7@s.whatsapp.net", Jid("15551234567", device=7)),
        ("9123@lid", Jid("9123", "lid")),
        ("@g.us", Jid("", "g.us")),
    ],
)
def test_an_address_reads_as_it_is_written(text: str, jid: Jid) -> None:
    assert Jid.parse(text) == jid
    assert str(jid) == text


@pytest.mark.parametrize("text", ["", "15551234567", "1555:x@s.whatsapp.net", "1555@", "1555:1@g.us", "1555:256@lid"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        Jid.parse(text)
    assert Node("presence", {"to": text}).jid("to") is None


@pytest.mark.parametrize("dictionary", DICTIONARIES.values())
def test_a_dictionary_has_each_token_once(dictionary: Dictionary) -> None:
    assert len(dictionary.single) == 236
    assert [len(page) for page in dictionary.double] == [256] * 4

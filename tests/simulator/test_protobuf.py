# SPDX-License-Identifier: Apache-2.0
"""The protobuf tables: messages are read back as written, unknown fields are skipped, rubbish is an error."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.simulator.protobuf import Field, Message, ProtobufError

INNER = Message({1: Field("id", "uint"), 2: Field("name", "string")})
OUTER = Message({1: Field("inner", INNER), 3: Field("raw", "bytes"), 900: Field("many", INNER, repeated=True)})

inner = st.fixed_dictionaries({}, optional={"id": st.integers(0, 2**64 - 1), "name": st.text()})
outer = st.fixed_dictionaries(
    {}, optional={"inner": inner, "raw": st.binary(), "many": st.lists(inner, min_size=1, max_size=3)}
)


@given(outer)
def test_a_message_survives_the_wire(values: dict[str, object]) -> None:
    assert OUTER.decode(OUTER.encode(values)) == values


@given(st.binary(max_size=100))
def test_whatever_arrives_is_a_message_or_an_error(data: bytes) -> None:
    with contextlib.suppress(ProtobufError):
        assert isinstance(OUTER.decode(data), dict)


def test_unknown_fields_of_every_wire_type_are_skipped() -> None:
    unknown = b"\x50\x07" + b"\x59" + bytes(8) + b"\x62\x02hi" + b"\x6d" + bytes(4)
    assert INNER.decode(unknown + INNER.encode({"id": 300})) == {"id": 300}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x08", id="a number is missing"),
        pytest.param(b"\x08" + b"\xff" * 11, id="a number is too long"),
        pytest.param(b"\x12\x05abc", id="a string is cut short"),
        pytest.param(b"\x12\x01\xff", id="a string is not UTF-8"),
        pytest.param(b"\x0a\x01a", id="a field has another type"),
        pytest.param(b"\x0b", id="a wire type that is no more"),
    ],
)
def test_a_broken_message_is_an_error(data: bytes) -> None:
    with pytest.raises(ProtobufError):
        INNER.decode(data)

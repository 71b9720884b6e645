# SPDX-License-Identifier: Apache-2.0
"""Trace contexts are read as the W3C writes them, and ids of spans follow from what the spans are about."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.traces import TraceContext, begin, parse

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (TRACE, TRACE),
        (TRACE[:-2] + "00", TRACE[:-2] + "00"),
        (TRACE[:-2] + "03", TRACE),  # of the flags, only `sampled` is ours to pass on
        ("cc" + TRACE[2:], TRACE),  # a later version is read as ours
        ("ff" + TRACE[2:], None),
        (TRACE.upper(), None),
        (TRACE + "-more", None),
        (TRACE[:3] + "0" * 32 + TRACE[35:], None),
        (TRACE[:36] + "0" * 16 + TRACE[52:], None),
        ("", None),
        (None, None),
        ("00-x\r\nevil: 1", None),
    ],
)
def test_a_context_is_read_if_it_is_one(text: str | None, read: str | None) -> None:
    found = parse(text)
    assert (None if found is None else str(found)) == read


@given(st.lists(st.text(), min_size=1, max_size=3), st.lists(st.text(), min_size=1, max_size=3))
def test_a_child_stays_in_the_trace_and_has_an_id_of_its_own_that_never_changes(
    one: list[str], other: list[str]
) -> None:
    parent = parse(TRACE)
    assert parent is not None
    child = parent.child(*one)
    assert child == parent.child(*one)
    assert (child.trace_id, child.sampled) == (parent.trace_id, parent.sampled)
    assert (child == parent.child(*other)) is (one == other or "\0".join(one) == "\0".join(other))
    assert parse(str(child)) == child


def test_a_trace_that_we_begin_has_its_first_span_where_that_looks_for_itself() -> None:
    trace = begin(bytes(range(16)), "job1")
    assert re.fullmatch(r"00-000102030405060708090a0b0c0d0e0f-[0-9a-f]{16}-01", str(trace))
    assert trace == trace.child("job1") != trace.child("job2")


def test_a_context_that_is_not_sampled_says_so() -> None:
    assert str(TraceContext(trace_id="1" * 32, span_id="2" * 16, sampled=False)).endswith("-00")

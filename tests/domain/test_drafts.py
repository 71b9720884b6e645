# SPDX-License-Identifier: Apache-2.0
"""Drafts: what is well-formed, what two drafts have in common, and how templates are filled."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.contents import Kind, Media, Poll, Text
from wigwag.domain.drafts import MOST_MENTIONS, Draft, Template, check_template, fill, fingerprint
from wigwag.domain.errors import InvalidMessage

DRAFT = Draft(to="+15550100001", content=Text(text="hello"))


@pytest.mark.parametrize(
    ("fits", "breaks", "reason"),
    [
        ({"priority": 0}, {"priority": -1}, "invalid_priority"),
        ({"priority": 9}, {"priority": 10}, "invalid_priority"),
        ({"mentions": ("1",) * MOST_MENTIONS}, {"mentions": ("1",) * (MOST_MENTIONS + 1)}, "invalid_mentions"),
        ({"key": "k" * 256}, {"key": "k" * 257}, "invalid_key"),
        ({"key": None}, {"key": ""}, "invalid_key"),
        ({"key": "ä"}, {"key": "\0"}, "invalid_key"),
        ({"reply_to": "m"}, {"reply_to": ""}, "invalid_reply_to"),
        ({"answer_to": "q"}, {"answer_to": "q" * 257}, "invalid_answer_to"),
        ({"correlation": "c"}, {"correlation": "\ud800"}, "invalid_correlation"),
        ({"account": "a"}, {"account": ""}, "invalid_account"),
        ({"user_id": "u" * 256}, {"user_id": "u" * 257}, "invalid_user_id"),
        ({"user_id": None}, {"user_id": ""}, "invalid_user_id"),
        ({"user_id": "ä"}, {"user_id": "\0"}, "invalid_user_id"),
        ({"user_id": "🦩"}, {"user_id": "\ud83e"}, "invalid_user_id"),
        ({"trace": None}, {"trace": "t" * 257}, "invalid_trace"),
        ({"trace": "00-a-b-01"}, {"trace": "\0"}, "invalid_trace"),
        ({"trace": "t"}, {"trace": "\udd9a"}, "invalid_trace"),
        ({"send_at": -1.0}, {"send_at": float("nan")}, "invalid_send_at"),
        ({"send_at": 0.0}, {"send_at": float("inf")}, "invalid_send_at"),
    ],
)
def test_a_draft_is_well_formed_or_refused(fits: dict[str, Any], breaks: dict[str, Any], reason: str) -> None:
    replace(DRAFT, **fits)
    with pytest.raises(InvalidMessage) as refused:
        replace(DRAFT, **breaks)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "change",
    [
        {"to": "+15550100002"},
        {"content": Text(text="hello!")},
        {"content": Template(name="hello")},
        {"content": Template(name="hello", values={"a": "b"})},
        {"content": Poll(question="hello", options=("a", "b"))},
        {"content": Media(kind=Kind.IMAGE, media="hello")},
        {"content": Media(kind=Kind.VIDEO, media="hello")},
        {"content": Media(kind=Kind.IMAGE, media="hello", caption="hi")},
        {"account": "work"},
        {"send_at": 1.0},
        {"priority": 9},
        {"reply_to": "M1"},
        {"mentions": ("+15550100002",)},
    ],
)
def test_what_the_recipient_would_notice_changes_the_fingerprint(change: dict[str, Any]) -> None:
    assert fingerprint(replace(DRAFT, **change)) != fingerprint(DRAFT)


@pytest.mark.parametrize("change", [{"key": "k"}, {"trace": "00-a-b-01"}, {"door": "amqp"}, {"correlation": "c"}])
def test_what_the_recipient_would_not_notice_does_not_change_it(change: dict[str, Any]) -> None:
    assert fingerprint(replace(DRAFT, **change)) == fingerprint(DRAFT)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), min_size=2))
def test_the_order_of_a_template_s_values_is_of_no_interest(values: dict[str, str]) -> None:
    turned = dict(reversed(values.items()))
    one, other = (replace(DRAFT, content=Template(name="t", values=given)) for given in (values, turned))
    assert fingerprint(one) == fingerprint(other)


def test_a_fingerprint_is_the_same_in_the_next_release() -> None:
    """It is kept with the job, so a change of it would refuse honest repetitions. Version 1 made this one."""
    assert fingerprint(DRAFT) == ("91f4897ca8be70134cbbd2f4ffc340ea16e89afcd2c913eefc2555e39e6cc4a3")


@pytest.mark.parametrize("name", ["kind", "template", "text"])
def test_a_template_whose_values_are_named_like_our_own_fields_is_none_of_them(name: str) -> None:
    one = replace(DRAFT, content=Template(name="a", values={name: "b"}))
    other = replace(DRAFT, content=Template(name="c", values={name: "b"}))
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        ("Hello ${name}", {"name": "Ana"}, "Hello Ana"),
        ("$name and $name", {"name": "Ana"}, "Ana and Ana"),
        ("It costs $$5", {}, "It costs $5"),
        ("${a}", {"a": "${b}"}, "${b}"),
    ],
)
def test_a_template_is_filled(text: str, values: dict[str, str], filled: str) -> None:
    assert fill(text, values) == Text(text=filled)


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ("Hello ${name}", {}, "invalid_template"),
        ("Hello", {"name": "Ana"}, "invalid_template"),
        ("Hello ${name", {"name": "Ana"}, "invalid_template"),
        ("costs 5$", {}, "invalid_template"),
        ("$a", {"a": "x" * 4097}, "text_too_long"),
        ("$a", {"a": ""}, "text_missing"),
    ],
)
def test_a_template_that_cannot_be_filled_says_why(text: str, values: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        fill(text, values)
    assert refused.value.reason == reason


@pytest.mark.parametrize("name", ["a\0", "\ud83e"])
def test_a_template_is_named_by_a_name_that_any_store_can_look_for(name: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        Template(name=name)
    assert refused.value.reason == "invalid_template"


@pytest.mark.parametrize("text", ["", "Hello ${name", "5$ only", "x" * 4097])
def test_a_template_that_could_never_be_filled_is_not_kept(text: str) -> None:
    with pytest.raises(InvalidMessage):
        check_template(text)

# SPDX-License-Identifier: Apache-2.0
"""Addresses: every spelling people use leads to one jid, everything else is refused, and logs never show a number."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.errors import InvalidJid
from wigwag.domain.ids import contact_jid, group_jid, is_group, mask, number

JOHN = "919876543210@s.whatsapp.net"
PHONES = st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True)


@pytest.mark.parametrize(
    "spelling",
    [
        "919876543210",
        "+919876543210",
        "+91 98765 43210",
        "+91-98765-43210",
        "+91 (98765) 43210",
        "91.98765.43210",
        "+91\u00a098765\u00a043210",
        "  919876543210\n",
        "919876543210@s.whatsapp.net",
        "+919876543210@s.whatsapp.net",
        " 919876543210@s.whatsapp.net ",
        "919876543210@c.us",
        "919876543210:12@s.whatsapp.net",
        "919876543210:0@c.us",
    ],
)
def test_every_spelling_of_a_person_is_one_jid(spelling: str) -> None:
    assert contact_jid(spelling) == JOHN


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "+",
        "@",
        "@s.whatsapp.net",
        "john",
        "john@s.whatsapp.net",
        "9198765abc210",
        "123456",
        "123456@s.whatsapp.net",
        "1234567890123456",
        "0919876543210",
        "00919876543210",
        "++919876543210",
        "919876543210:12",
        "919876543210@",
        "919876543210@lid",
        "@lid",
        "919876543210@g.us",
        "919876543210@broadcast",
        "919876543210@newsletter",
        "919876543210@example.com",
        "919876543210@s.whatsapp.net@s.whatsapp.net",
        "919876543210@s.whatsapp.network",
        "91 98765 43210@s.whatsapp.net",
        "\N{FULLWIDTH DIGIT NINE}19876543210",
        "٩١٩٨٧٦٥٤٣٢١٠",
        "91987654321\N{DEVANAGARI DIGIT ZERO}",
        "919876543210\n919876543210@s.whatsapp.net",
        "919876543210\0",
    ],
)
def test_what_is_no_person_is_refused_with_advice(text: str) -> None:
    with pytest.raises(InvalidJid, match="country code"):
        contact_jid(text)


@given(PHONES)
def test_a_jid_is_its_own_spelling(phone: str) -> None:
    jid = contact_jid(phone)
    assert contact_jid(jid) == jid
    assert number(jid) == phone
    assert not is_group(jid)


@given(st.text())
def test_any_text_is_a_canonical_jid_or_refused(text: str) -> None:
    try:
        jid = contact_jid(text)
    except InvalidJid:
        return
    assert re.fullmatch(r"[1-9][0-9]{6,14}@s\.whatsapp\.net", jid)


@pytest.mark.parametrize(
    ("text", "jid"),
    [
        ("120363400902171371@g.us", "120363400902171371@g.us"),
        ("120363400902171371", "120363400902171371@g.us"),
        ("919876543210-1612345678@g.us", "919876543210-1612345678@g.us"),
        (" 120363400902171371@g.us\n", "120363400902171371@g.us"),
    ],
)
def test_a_group_has_a_bare_id_and_an_address(text: str, jid: str) -> None:
    assert group_jid(text) == jid
    assert is_group(jid)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@g.us",
        "1234@g.us",
        "family@g.us",
        JOHN,
        "120363400902171371@lid",
        "1203634-12@g.us",
        "1-2-3@g.us",
        "12345\N{FULLWIDTH DIGIT SIX}",
    ],
)
def test_what_is_no_group_is_refused(text: str) -> None:
    with pytest.raises(InvalidJid, match="not a WhatsApp group"):
        group_jid(text)


@pytest.mark.parametrize(
    ("text", "group"), [("1@g.us", True), (" 1@g.us ", True), (JOHN, False), ("g.us", False), ("1@g.us@lid", False)]
)
def test_groups_are_told_from_people_by_the_server(text: str, group: bool) -> None:
    assert is_group(text) is group


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (JOHN, "91…10@s.whatsapp.net"),
        ("from 15550000001 to 15550000002", "from 15…01 to 15…02"),
        ("919876543210:12@s.whatsapp.net", "91…10:12@s.whatsapp.net"),
        ("port 8080, 200 OK", "port 8080, 200 OK"),
        ("", ""),
    ],
)
def test_a_mask_keeps_the_ends_of_a_number_and_the_rest_of_the_text(text: str, masked: str) -> None:
    assert mask(text) == masked


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Nd"])), PHONES)))
def test_a_mask_leaves_at_most_four_digits_of_any_number(parts: list[tuple[str, str]]) -> None:
    # A separator is put in, because two numbers without one between them are one number.
    masked = mask("".join(f" {words} {phone}" for words, phone in parts))
    assert all(phone not in masked for _words, phone in parts)
    assert max((len(run) for run in re.findall(r"\d+", masked)), default=0) <= 2
    assert len(re.findall(r"\d", masked)) == 4 * len(parts)

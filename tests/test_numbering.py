# SPDX-License-Identifier: Apache-2.0
"""Phone numbers: all that the world's plans have are accepted, what cannot be one is refused, old forms are known."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult, phonenumberutil

from tests import floors
from wigwag.adapters.numbering import forms
from wigwag.domain.errors import InvalidJid
from wigwag.domain.ids import PERSON

E164 = PhoneNumberFormat.E164
KINDS = [kind for kind in PhoneNumberType.values() if kind != PhoneNumberType.UNKNOWN]


def examples() -> list[str]:
    """Return the examples of each region and kind, and of the codes that belong to no region, in E.164."""
    found = [
        phonenumbers.example_number_for_type(region, kind)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in KINDS
    ]
    codes = sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)
    found += [phonenumbers.example_number_for_non_geo_entity(code) for code in codes]
    return sorted({phonenumbers.format_number(example, E164) for example in found if example})


EXAMPLES = examples()
SPACES = [" ", "\u00a0", "\u2009", "\u202f", "\u3000", "  ", "\t"]
SEPARATORS = [
    *SPACES,
    "-",
    "\u2011",
    "\u2013",
    "\u2014",
    "\u2212",
    ".",
    "(",
    ")",
    " (",
    ") ",
    "\u200e",
    "\u202a",
    "\u2060",
    "",
]
USUAL = [number for number in EXAMPLES if len(number) > 8]


def jid(number: str) -> str:
    return f"{number.removeprefix('+')}@{PERSON}"


def test_the_examples_are_many() -> None:
    assert len(EXAMPLES) > 1000
    assert {phonenumbers.parse(example).country_code for example in EXAMPLES} == set(
        phonenumberutil.COUNTRY_CODE_TO_REGION_CODE
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_every_region_and_kind_is_accepted_as_it_is(example: str) -> None:
    assert forms(example)[0] == jid(example)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_way_a_region_writes_its_numbers_is_understood(region: str) -> None:
    """As phonenumbers prints them for people abroad."""
    example = phonenumbers.example_number(region)
    assert example
    printed = phonenumbers.format_number(example, PhoneNumberFormat.INTERNATIONAL)
    assert forms(printed)[0] == jid(phonenumbers.format_number(example, E164))


@given(example=st.sampled_from(EXAMPLES), data=st.data())
def test_separators_change_nothing(example: str, data: st.DataObject) -> None:
    pieces = [data.draw(st.sampled_from(SEPARATORS)) + character for character in example]
    assert forms("".join(pieces) + data.draw(st.sampled_from(SEPARATORS))) == forms(example)


@given(st.sampled_from(EXAMPLES))
def test_the_plus_may_be_missing(example: str) -> None:
    assert forms(example.removeprefix("+")) == forms(example)


@pytest.mark.parametrize("example", [example for example in EXAMPLES if len(forms(example)) > 1])
def test_every_form_leads_to_the_same_forms(example: str) -> None:
    known = forms(example)
    assert [{*forms(form)} for form in known] == [{*known}] * len(known)


@given(example=st.sampled_from(EXAMPLES), server=st.sampled_from([PERSON, "c.us"]))
def test_an_address_of_whatsapp_is_as_good_as_a_number(example: str, server: str) -> None:
    digits = example.removeprefix("+")
    if len(digits) > 6:
        assert forms(f"{digits}@{server}") == forms(example)


def test_an_address_that_no_plan_knows_is_believed() -> None:
    assert forms("999123456789@s.whatsapp.net") == ("999123456789@s.whatsapp.net",)
    assert forms("12345678@c.us") == ("12345678@s.whatsapp.net",)


@given(
    example=st.sampled_from(EXAMPLES), where=st.data(), letter=st.sampled_from("aOlxX#*/,;+:~\n\0\u0661\uff11\u00b2")
)
def test_anything_else_within_a_number_is_refused(example: str, where: st.DataObject, letter: str) -> None:
    at = where.draw(st.integers(1, len(example) - 1))
    with pytest.raises(InvalidJid):
        forms(example[:at] + letter + example[at:])


@given(
    st.sampled_from(EXAMPLES),
    st.sampled_from(["+{}", "0{}", "00{}", "{} ext. 5", "{}x5", "{};ext=5", "tel:{}", "{}p1"]),
)
def test_prefixes_and_extensions_are_refused(example: str, form: str) -> None:
    with pytest.raises(InvalidJid):
        forms(form.format(example if form not in {"0{}", "00{}"} else example[1:]))


@given(example=st.sampled_from(EXAMPLES), more=st.text("0123456789", min_size=8, max_size=30))
def test_a_number_with_too_many_digits_is_refused(example: str, more: str) -> None:
    with pytest.raises(InvalidJid):
        forms((example + more).ljust(19, "1"))


@given(example=st.sampled_from(EXAMPLES), length=st.integers(0, 6))
def test_a_number_with_too_few_digits_is_refused(example: str, length: int) -> None:
    if (short := example[:length]) not in EXAMPLES:
        with pytest.raises(InvalidJid):
            forms(short)


@given(example=st.sampled_from(USUAL), cut=st.integers(0, 5), more=st.text("0123456789", max_size=4))
def test_a_mutation_is_accepted_just_when_the_plan_has_such_lengths(example: str, cut: int, more: str) -> None:
    """The library is the judge; the three countries whose old forms it does not know are in tables below."""
    mutant = example[: len(example) - cut] + more
    if mutant.startswith(("+52", "+54", "+55")) or len(mutant) <= 8:
        return
    parsed = phonenumbers.parse(mutant)
    canonical = phonenumbers.format_number(parsed, E164)
    possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    if possible and 8 < len(canonical) <= 16:
        assert forms(mutant)[0] == jid(canonical)
    elif not phonenumbers.is_valid_number(parsed):
        with pytest.raises(InvalidJid):
            forms(mutant)


@given(code=st.integers(1, 999), rest=st.text("0123456789", min_size=8, max_size=9))
def test_a_code_that_no_country_has_is_refused(code: int, rest: str) -> None:
    codes = {str(known) for known in phonenumberutil.COUNTRY_CODE_TO_REGION_CODE}
    text = f"{code}{rest}"
    if not codes & {text[:1], text[:2], text[:3]}:
        with pytest.raises(InvalidJid, match="No country"):
            forms(f"+{text}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not a phone number"),
        ("+", "not a phone number"),
        ("john", "not a phone number"),
        ("++5511999999999", "not a phone number"),
        ("+999123456789", "No country"),
        ("+4930", "not a phone number"),
        ("+1415555", "too short"),
        ("+141555501234", "too long"),
        ("+12530000", "area code"),
        ("+55119999999999", "too long"),
        ("+521155123456789", "too long"),
        ("120363025246125486@g.us", "not a WhatsApp address"),
        ("12345@lid", "not a WhatsApp address"),
    ],
)
def test_the_error_says_what_is_wrong(text: str, sentence: str) -> None:
    with pytest.raises(InvalidJid, match=sentence):
        forms(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("+44 (0)20 7946 0018", "442079460018"),
        ("+49 (0) 30 123456", "4930123456"),
        ("+39 06 1234 5678", "390612345678"),  # in Italy the zero stays
        ("(+91) 98765-43210", "919876543210"),
        ("\u202a+972\u00a050\u2011123\u20114567\u202c", "972501234567"),
        ("+1.415.555.0123", "14155550123"),
        ("+683 7012", "6837012"),
        ("+7 (495) 123-45-67", "74951234567"),
    ],
)
def test_what_people_paste_is_understood(text: str, canonical: str) -> None:
    assert forms(text) == (jid(canonical),)


@pytest.mark.parametrize(
    ("text", "canonical", "others"),
    [
        # Brazil: mobiles got a ninth digit from 2012 to 2016, and older accounts are known without it.
        ("+55 11 99999-9999", "5511999999999", ["551199999999"]),
        ("+55 11 9999-9999", "5511999999999", ["551199999999"]),
        ("+55 (0)11 98765-4321", "5511987654321", ["551187654321"]),
        ("+55 85 98765 4321", "5585987654321", ["558587654321"]),
        ("558587654321@c.us", "5585987654321", ["558587654321"]),
        ("+55 61 6123-4567", "5561961234567", ["556161234567"]),
        ("+55 11 3333-4444", "551133334444", []),  # a landline
        ("+55 11 93333-4444", "5511933334444", []),  # new: without the 9 it is that landline
        ("+55 11 2345-6789", "551123456789", []),
        ("+55 800 123 4567", "558001234567", []),
        # Mexico: the 1 for mobiles was given up in 2019, and accounts made before are known with it.
        ("+52 55 1234 5678", "525512345678", ["5215512345678"]),
        ("+52 1 55 1234 5678", "525512345678", ["5215512345678"]),
        ("+52 044 55 1234 5678", "525512345678", ["5215512345678"]),
        ("+52 045 55 1234 5678", "525512345678", ["5215512345678"]),
        ("+52 01 55 1234 5678", "525512345678", ["5215512345678"]),
        ("5215512345678@s.whatsapp.net", "525512345678", ["5215512345678"]),
        ("+52 1 222 123 4567", "522221234567", ["5212221234567"]),
        # Argentina: from abroad a mobile has a 9 before its area; at home it has a 15 behind it.
        ("+54 9 11 2345-6789", "5491123456789", ["541123456789"]),
        ("+54 11 15 2345-6789", "5491123456789", ["541123456789"]),
        ("+54 011 15 2345-6789", "5491123456789", ["541123456789"]),
        ("+54 9 11 15 2345-6789", "5491123456789", ["541123456789"]),
        ("+54 9 351 212 3456", "5493512123456", ["543512123456"]),
        ("+54 351 15 212 3456", "5493512123456", ["543512123456"]),
        ("+54 9 351 15 212 3456", "5493512123456", ["543512123456"]),
        ("+54 2966 15 41 2345", "5492966412345", ["542966412345"]),
        ("+54 9 2966 15 41 2345", "5492966412345", ["542966412345"]),
        ("+54 11 4321-6789", "541143216789", ["5491143216789"]),  # a landline, or a mobile whose 9 was left out
        ("+54 800 555 1234", "548005551234", []),
    ],
)
def test_old_and_new_forms_of_a_number_are_known(text: str, canonical: str, others: list[str]) -> None:
    assert forms(text) == tuple(jid(number) for number in (canonical, *others))


@given(
    area=st.sampled_from(["11", "21", "31", "48", "71", "85", "91", "99"]),
    rest=st.from_regex(r"[6-9][0-9]{7}", fullmatch=True),
)
def test_a_brazilian_mobile_is_one_with_and_without_its_ninth_digit(area: str, rest: str) -> None:
    assert forms(f"+55{area}{rest}") == forms(f"+55{area}9{rest}") == (jid(f"55{area}9{rest}"), jid(f"55{area}{rest}"))


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        known = forms(text)
    except InvalidJid:
        known = ()
    assert all(form.endswith(f"@{PERSON}") for form in known)


def test_phonenumbers_lives_in_this_module_alone() -> None:
    assert floors.LIBRARIES["phonenumbers"] == {"adapters.numbering"}

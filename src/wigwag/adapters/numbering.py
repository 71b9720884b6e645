# SPDX-License-Identifier: Apache-2.0
"""The world's numbering plans, from phonenumbers: is this a number, and under which forms may WhatsApp know it?

The only importer of phonenumbers. Whether a door insists on the leading + is the door's affair.
"""

import re

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    parse,
)

from wigwag.domain.errors import InvalidJid
from wigwag.domain.ids import PERSON, Jid, contact_jid, number

# What people type, and what programs leave in a number that is copied: spaces, dashes, and marks of writing direction.
_SEPARATORS = re.compile(
    r"[ \t().\-\u00a0\u00ad\u1680\u2000-\u200f\u2010-\u2015\u202a-\u202f\u205f\u2060\u2066-\u2069"
    r"\u2212\u3000\ufe58\ufe63\uff0d\ufeff]"
)
_DIGITS = re.compile(r"\+?([1-9][0-9]{5,16})", re.ASCII)  # a trunk prefix that E.164 does not know is cut off later
_SHORTEST, _LONGEST = 8, 15  # digits (seed 003, E.164)

# Numbers that people still write and the plans no longer know.
_OUTDATED = [
    (re.compile(r"52(?:1|01|044|045)([0-9]{10})"), r"52\1"),  # Mexico, until 2019
    (re.compile(r"549([0-9]{2,4}15[0-9]{6,8})"), r"54\1"),  # Argentina with both marks of a mobile; parse knows one
    (re.compile(r"55([1-9]{2})([6-9][0-9]{7})"), r"55\g<1>9\2"),  # Brazil, until 2016
]
# The canonical number, and the form under which older accounts may be known.
_ALTERNATIVES = [
    (re.compile(r"52([0-9]{10})"), r"521\1"),
    (re.compile(r"549([123][0-9]{9})"), r"54\1"),
    (re.compile(r"54([123][0-9]{9})"), r"549\1"),  # mobiles and others share no numbers
    (re.compile(r"55([1-9]{2})9([6-9][0-9]{7})"), r"55\1\2"),  # with a lower digit, that would be somebody's landline
]

_WRONG = {
    ValidationResult.INVALID_COUNTRY_CODE: "No country has the code that this number begins with.",
    ValidationResult.TOO_SHORT: "This number is too short for its country.",
    ValidationResult.TOO_LONG: "This number is too long for its country.",
    ValidationResult.INVALID_LENGTH: "Numbers of this length do not exist in its country.",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "This number lacks its area code.",
}
_ADVICE = "Write + and the country code, then the number, such as +5511999999999."


def forms(text: str) -> tuple[Jid, ...]:
    """The forms under which WhatsApp may know a person's number, the E.164 one first.

    Args:
        text: a number in international form, with or without + and separators; or `<digits>@s.whatsapp.net`.

    A number passes if its plan has numbers of that length, because ranges are opened faster than tables of them are
    delivered; under 8 digits, where a few exist, it must be in the table. An address in WhatsApp's own form is
    believed even if no plan knows it.

    Raises:
        InvalidJid: it cannot be a number, and the message says why.
    """
    if "@" in text:
        return _of_address(contact_jid(text))
    digits = _DIGITS.fullmatch(_SEPARATORS.sub("", text.strip()))
    if not digits:
        raise InvalidJid(f"This is not a phone number. {_ADVICE}")
    return _forms(_canonical(digits[1]))


def _of_address(jid: Jid) -> tuple[Jid, ...]:
    try:
        return _forms(_canonical(number(jid)))
    except InvalidJid:
        return (jid,)


def _forms(canonical: str) -> tuple[Jid, ...]:
    known = [pattern.sub(form, canonical) for pattern, form in _ALTERNATIVES if pattern.fullmatch(canonical)]
    return tuple(Jid(f"{digits}@{PERSON}") for digits in (canonical, *known))


def _canonical(digits: str) -> str:
    """The digits as E.164 has them: without a trunk prefix, and in today's form."""
    for pattern, form in _OUTDATED:
        if pattern.fullmatch(digits):
            digits = pattern.sub(form, digits)
    try:
        parsed = parse(f"+{digits}")
    except NumberParseException as error:
        raise InvalidJid(f"{_WRONG[ValidationResult.INVALID_COUNTRY_CODE]} {_ADVICE}") from error
    canonical = format_number(parsed, PhoneNumberFormat.E164).removeprefix("+")
    if not _exists(parsed, len(canonical)):
        reason = _WRONG.get(is_possible_number_with_reason(parsed), "This number is too short or too long.")
        raise InvalidJid(f"{reason} {_ADVICE}")
    return canonical


def _exists(parsed: PhoneNumber, length: int) -> bool:
    if length > _LONGEST:
        return False
    possible = is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE and length >= _SHORTEST
    return possible or is_valid_number(parsed)

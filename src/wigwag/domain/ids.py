# SPDX-License-Identifier: Apache-2.0
"""WhatsApp addresses. A person has two (phone number and LID) and many spellings; inside wigwag there is one.

A `Jid` is the canonical text `<digits>@s.whatsapp.net` or `<id>@g.us`, so that it can be a dictionary key at full
speed. LIDs never come past the WhatsApp room.
"""

import re
from typing import NewType

from wigwag.domain.errors import InvalidJid

Jid = NewType("Jid", str)

PERSON, GROUP, LID = "s.whatsapp.net", "g.us", "lid"
_LEGACY_PERSON = "c.us"  # what older gateways and their users still write
_SEPARATORS = re.compile(r"[\s().\-]")
_NUMBER = re.compile(r"[1-9][0-9]{6,14}", re.ASCII)  # E.164: at most 15 digits, never a leading zero
_GROUP_ID = re.compile(r"[0-9]{5,30}(-[0-9]{5,15})?", re.ASCII)  # new ids are numbers, old ones number-timestamp
_DIGITS = re.compile(r"[0-9]{7,}", re.ASCII)


def contact_jid(text: str) -> Jid:
    """A person's jid from a phone number (`+91 98765 43210`) or any spelling of the address.

    Raises:
        InvalidJid: neither.
    """
    user, at, server = text.strip().partition("@")
    if at and server not in (PERSON, _LEGACY_PERSON):
        raise InvalidJid
    number = user.partition(":")[0] if at else _SEPARATORS.sub("", user)
    number = number.removeprefix("+")
    if not _NUMBER.fullmatch(number):
        raise InvalidJid
    return Jid(f"{number}@{PERSON}")


def group_jid(text: str) -> Jid:
    """A group's jid from `<id>@g.us` or the bare id.

    Raises:
        InvalidJid: neither.
    """
    user, at, server = text.strip().partition("@")
    if (at and server != GROUP) or not _GROUP_ID.fullmatch(user):
        raise InvalidJid("This is not a WhatsApp group: give <id>@g.us.")
    return Jid(f"{user}@{GROUP}")


def is_group(text: str) -> bool:
    """Whether the text names a group rather than a person."""
    return text.strip().endswith(f"@{GROUP}")


def number(jid: Jid) -> str:
    """The part before the @."""
    return jid.partition("@")[0]


def mask(text: str) -> str:
    """The text with every number in it shortened to its first and last two digits, for logs."""
    return _DIGITS.sub(lambda found: f"{found[0][:2]}…{found[0][-2:]}", text)

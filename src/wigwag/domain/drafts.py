# SPDX-License-Identifier: Apache-2.0
"""A draft: what somebody asks us to send, well-formed but not yet judged. Every door makes the same one.

Whom it reaches, whether its text is honest, and whether we have seen its idempotency key, is decided in `app`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from string import Template as Placeholders
from typing import Any

from wigwag.domain.contents import LONGEST_ID, Content, Text, check_text, to_json
from wigwag.domain.delivery import HIGHEST, NORMAL
from wigwag.domain.errors import InvalidMessage

LONGEST_DELAY = 366 * 24 * 3600.0  # seconds that a message may be scheduled ahead
MOST_MENTIONS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text that is kept under a name, with placeholders to fill: `Hello ${name}`."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_text("template", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A wish to send.

    Args:
        to: a phone number in international form, a jid, or a group's jid.
        account: by name; None means the only one.
        send_at: Unix seconds; None means now.
        key: the caller's idempotency key: the same key and the same draft is the same job.
        reply_to: WhatsApp's id of the message that is answered.
        user_id, answer_to, correlation, trace: see `Job`.
    """

    to: str = field(repr=False)
    content: Content | Template
    account: str | None = None
    send_at: float | None = None
    key: str | None = None
    priority: int = NORMAL
    reply_to: str | None = None
    mentions: tuple[str, ...] = field(default=(), repr=False)
    user_id: str | None = None
    door: str = "rest"
    answer_to: str | None = None
    correlation: str | None = None
    trace: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.priority <= HIGHEST:
            raise InvalidMessage(f"The priority is 0 to {HIGHEST}.", reason="invalid_priority")
        if self.send_at is not None and not isfinite(self.send_at):
            raise InvalidMessage("send_at is an instant.", reason="invalid_send_at")
        if len(self.mentions) > MOST_MENTIONS:
            raise InvalidMessage(f"At most {MOST_MENTIONS} people can be mentioned.", reason="invalid_mentions")
        for name in ("key", "reply_to", "answer_to", "correlation", "account", "user_id", "trace"):
            value = getattr(self, name)
            if value is not None and not 1 <= len(value) <= 2 * LONGEST_ID:
                raise InvalidMessage(f"{name} has 1 to {2 * LONGEST_ID} characters.", reason=f"invalid_{name}")
            check_text(name, value or "")


def fingerprint(draft: Draft) -> str:
    """A hash of everything in a draft that the recipient or the order of sending would notice."""
    content = draft.content
    if isinstance(content, Template):
        said: dict[str, Any] = {"template": content.name, "values": dict(content.values)}
    else:
        said = to_json(content)
    essence = [draft.to, said, draft.account, draft.send_at, draft.priority, draft.reply_to, draft.mentions]
    return hashlib.sha256(json.dumps(essence, sort_keys=True).encode()).hexdigest()


def fill(text: str, values: Mapping[str, str]) -> Text:
    """A template's text with its placeholders filled. Raises InvalidMessage for one too few or too many."""
    placeholders = check_template(text)
    names = set(placeholders.get_identifiers())
    if missing := sorted(names - values.keys()):
        raise InvalidMessage(f"The template also needs {', '.join(missing)}.", reason="invalid_template")
    if surplus := sorted(values.keys() - names):
        raise InvalidMessage(f"The template has no {', '.join(surplus)}.", reason="invalid_template")
    return Text(text=placeholders.substitute(values))


def check_template(text: str) -> Placeholders:
    """A template's text, ready to be filled. Raises InvalidMessage."""
    Text(text=text)
    placeholders = Placeholders(text)
    if not placeholders.is_valid():
        raise InvalidMessage("Placeholders are written ${name}, and a dollar sign $$.", reason="invalid_template")
    return placeholders

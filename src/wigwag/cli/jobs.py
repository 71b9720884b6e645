# SPDX-License-Identifier: Apache-2.0
"""How a message of ours is shown: its state at a glance, what it says in a line, and what to do next.

Reads answers of the API; asks nobody.
"""

import re
from typing import Any

from rich.text import Text

from wigwag.cli.moments import told
from wigwag.cli.snapshot import instant

Job = dict[str, Any]
LOOKS = {
    "accepted": ("○", ""),
    "sending": ("◌", "cyan"),
    "sent": ("✓", ""),
    "delivered": ("✓✓", ""),
    "read": ("✓✓", "bold cyan"),
    "played": ("▶", "bold cyan"),
    "unconfirmed": ("?", "bold yellow"),
    "failed": ("✗", "bold red"),
    "cancelled": ("-", "dim"),
}
# What a terminal would obey or turn around; tabs and line ends are dealt with apart.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str, *, one_line: bool = False) -> str:
    """A text of somebody else, without what a terminal would obey."""
    text = _UNSEEN.sub("�", text.replace("\r\n", "\n"))
    return " ".join(text.split()) if one_line else text


def state(of: str) -> Text:
    """A state by sign, word and colour."""
    sign, style = LOOKS[of]
    return Text.assemble((sign, style), " ", (of, style))


def party(jid: str) -> str:
    """A number, or the id of a group."""
    return jid.partition("@")[0]


def words(job: Job) -> str:
    """What it says, in a line."""
    content, kind = job["content"], job["type"]
    if kind == "text":
        return visible(content["text"], one_line=True)
    said = [content.get(part) for part in ("caption", "question", "name", "emoji", "filename", "url", "media")]
    return f"[{kind}] {visible(next(filter(None, said), ''), one_line=True)}".rstrip()


def advice(job: Job) -> str:
    """What happened and what to do next, of one that did not go well; else nothing."""
    name, detail = job["id"], f" {job['detail']}" if job["detail"] else ""
    if job["state"] == "failed":
        return f"It was not sent ({job['code']}).{detail}\n  To try it again:  wigwag messages retry {name}"
    if job["state"] == "unconfirmed":
        return (
            f"Nobody knows whether it was sent.{detail} A receipt may still tell; or ask the recipient.\n"
            f"  To see what is known:               wigwag messages show {name}\n"
            f"  To send it, perhaps a second time:  wigwag messages retry {name}\n"
            f"  To give it up:                      wigwag messages cancel {name}"
        )
    return ""


def waiting(job: Job, now: float) -> str:
    """What it waits for."""
    if job["retry_at"]:
        return f"{job['detail'] or job['code']} It is tried again at {told(instant(job['retry_at']) or now, now)}."
    if job["send_at"]:
        return f"It is scheduled for {told(instant(job['send_at']) or now, now)}."
    return {
        "accepted": "It waits for its turn.",
        "sending": "It is on its way out.",
        "sent": "WhatsApp has it; the recipient's phone is not reached yet.",
        "delivered": "It is on the recipient's phone. Some people do not let others know that they read.",
        "read": "It was read, and not played yet.",
    }.get(job["state"], "")

# SPDX-License-Identifier: Apache-2.0
"""One example of each kind of message, for the API's description. A test sends every one."""

from typing import Any

from fastapi.openapi.models import Example

_TO = "+91 98765 43210"
BODIES: dict[str, dict[str, Any]] = {
    "text": {"to": _TO, "text": "Hello!"},
    "text to a group, later": {
        "to": "120363400902171371@g.us",
        "text": "Good morning @919123456789",
        "mentions": ["919123456789"],
        "send_at": "2027-01-31T08:00:00+05:30",
    },
    "reply": {"to": _TO, "text": "Of course.", "reply_to": "3EB0C431C26A1916E07E"},
    "template": {"to": _TO, "template": {"name": "welcome", "values": {"name": "John"}}},
    "image by URL": {
        "to": _TO,
        "type": "image",
        "media": {"url": "https://example.org/cat.jpg"},
        "caption": "Our cat",
    },
    "document by upload": {
        "to": _TO,
        "type": "document",
        "media": {"id": "8c1f3a", "filename": "invoice.pdf"},
    },
    "sticker as base64": {"to": _TO, "type": "sticker", "media": {"base64": "R0lGODlhAQABAAAAACwAAAAAAQABAAAC"}},
    "video": {"to": _TO, "type": "video", "media": {"url": "https://example.org/cat.mp4"}},
    "audio": {"to": _TO, "type": "audio", "media": {"url": "https://example.org/song.mp3"}},
    "voice note": {"to": _TO, "type": "voice", "media": {"url": "https://example.org/note.ogg"}},
    "location": {"to": _TO, "location": {"latitude": 52.5163, "longitude": 13.3777, "name": "Brandenburg Gate"}},
    "contact": {"to": _TO, "contact": {"name": "John Doe", "phone": "+91 91234 56789"}},
    "poll": {"to": _TO, "poll": {"question": "When shall we meet?", "options": ["Monday", "Tuesday"]}},
    "reaction": {"to": _TO, "reaction": {"message_id": "3EB0C431C26A1916E07E", "emoji": "👍"}},
}
DRAFTS: dict[str, Example] = {name: {"value": value} for name, value in BODIES.items()}

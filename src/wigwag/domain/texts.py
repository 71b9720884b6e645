# SPDX-License-Identifier: Apache-2.0
"""What is kept of a text that came from outside: names from people and from WhatsApp, reasons from servers.

One odd text must never make a whole batch unwritable. How a text is shown is not decided here.
"""

LONGEST = 255  # characters


def kept_text(text: str, longest: int | None = LONGEST) -> str:
    """The text as every store keeps it: its first characters (None: all), without what some database cannot hold.

    That is NUL (PostgreSQL) and unpaired surrogates (nobody's UTF-8); they become question marks.
    """
    text = text[:longest]
    if text.isprintable():
        return text
    return text.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")

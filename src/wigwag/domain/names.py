# SPDX-License-Identifier: Apache-2.0
"""What is kept of a name. Names come from people and from WhatsApp, so they may hold anything.

One odd name must never make a whole batch unwritable; how a name is shown is not decided here.
"""

LONGEST = 255  # characters


def kept_name(text: str) -> str:
    """The text as every store keeps it: cut to 255 characters, without what some database cannot hold.

    That is NUL (PostgreSQL) and unpaired surrogates (nobody's UTF-8), which become a question mark.
    """
    if len(text) > LONGEST:
        text = text[:LONGEST]
    if text.isprintable():
        return text
    return text.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")

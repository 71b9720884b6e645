# SPDX-License-Identifier: Apache-2.0
"""A QR code as lines of half blocks, two rows of modules in one line of text."""

import segno
from rich.text import Text

BLOCKS = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
BORDER = 2  # modules of white around it


def draw(code: str, *, colour: bool) -> Text:
    """Black on white; without colour, white blocks stand for white, as on a dark terminal."""
    rows = [list(row) for row in segno.make_qr(code, error="l").matrix_iter(border=BORDER)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    ink = 1 if colour else 0
    pairs = zip(rows[::2], rows[1::2], strict=True)
    lines = [
        "".join(BLOCKS[int(above == ink), int(below == ink)] for above, below in zip(*pair, strict=True))
        for pair in pairs
    ]
    return Text("\n".join(lines), "black on bright_white" if colour else "")

# SPDX-License-Identifier: Apache-2.0
"""The three series of seed 000, which every contact has, as text made straight from the book's columns.

Blocks of rows that did not change are not rendered again. A scrape shows one instant, however long it is streamed, and
gives the event loop a turn after every group of blocks. Nothing here knows prometheus_client.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

from wigwag.adapters.metrics.metric import Metric
from wigwag.adapters.metrics.names import (
    CONTACT_LAST_SEEN,
    CONTACT_METRICS,
    CONTACT_ONLINE,
    CONTACT_STATUS_CHANGES,
)
from wigwag.domain.book import BLOCK, Book
from wigwag.domain.ids import Jid

GROUP = max(1, 512 // BLOCK)  # blocks rendered without a breath: about half a millisecond
HASH_DIGITS = 12

Labels = Callable[[Jid, str], str]
"""Makes the text of the labels `jid` and `name`."""


def named(jid: Jid, name: str) -> str:
    """Labels as seed 000 has them, escaped as the text format asks."""
    if "\\" in name or '"' in name or "\n" in name:
        name = name.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'jid="{jid}",name="{name}"'


def hashed(key: bytes) -> Labels:
    """Labels that tell contacts apart and name nobody: a keyed hash (HMAC-SHA256, 12 hex digits) and no name."""

    def label(jid: Jid, _name: str) -> str:
        return f'jid="{hmac.digest(key, jid.encode(), "sha256").hex()[:HASH_DIGITS]}",name=""'

    return label


class Rows(NamedTuple):
    """The columns of the book that are shown, of all rows or of a block of them."""

    jids: Sequence[Jid]
    names: Sequence[str]
    status: Sequence[int]
    last_seen: Sequence[float]
    went_online: Sequence[int]
    went_offline: Sequence[int]

    def block(self, index: int) -> "Rows":
        rows = slice(index * BLOCK, (index + 1) * BLOCK)
        jids, names, status, last_seen, went_online, went_offline = self
        columns = (status[rows], last_seen[rows], went_online[rows], went_offline[rows])
        return Rows(jids[rows], names[rows], *columns)


Rendered = tuple[int, bytes, bytes, bytes]
"""A block's revision and its text of each family. A plain tuple of such is nothing to the garbage collector."""


class ContactSeries:
    """Renders the book. Keeps about 450 bytes of text a contact, so that the next scrape need not make it."""

    def __init__(self, book: Book, labels: Labels) -> None:
        self._book, self._labels = book, labels
        self._kept: dict[int, Rendered] = {}
        self._edition = -1
        self._people: tuple[tuple[Jid, ...], tuple[str, ...]] = (), ()

    async def exposition(self, *, open_metrics: bool) -> AsyncIterator[bytes]:
        """The three families, in chunks."""
        revisions, rows = self._now()
        blocks: list[Rendered] = []
        for family, metric in enumerate(CONTACT_METRICS, start=1):
            yield head(metric, open_metrics=open_metrics)
            for start in range(0, len(revisions), GROUP):
                await asyncio.sleep(0)
                news = range(len(blocks), min(start + GROUP, len(revisions)))
                blocks += [self._block(index, revisions[index], rows) for index in news]
                yield b"".join([block[family] for block in blocks[start : start + GROUP]])  # type: ignore[misc]

    def _now(self) -> tuple[Sequence[int], Rows]:
        """A copy of what is shown, so that changes while we stream cannot show one contact twice or half.

        Columns of numbers are copied at no cost to speak of. Those of texts take up to 50 ns a contact, so they are
        kept for as long as nobody comes, goes or is renamed.
        """
        book = self._book
        if self._edition != book.edition:
            self._edition, self._people = book.edition, (tuple(book.jids), tuple(book.names))
        columns = (book.last_seen[:], book.went_online[:], book.went_offline[:])
        jids, names = self._people
        return book.revisions()[:], Rows(jids, names, bytes(book.status), *columns)

    def _block(self, index: int, revision: int, rows: Rows) -> Rendered:
        kept = self._kept.get(index)
        if kept is None or kept[0] != revision:
            kept = self._kept[index] = (revision, *render(rows.block(index), self._labels))
        return kept


def head(metric: Metric, *, open_metrics: bool) -> bytes:
    """The two lines that begin a family."""
    name = metric.family if open_metrics else metric.name
    return f"# HELP {name} {metric.help}\n# TYPE {name} {metric.kind}\n".encode()


def render(rows: Rows, labels: Labels) -> tuple[bytes, bytes, bytes]:
    """The samples of some rows: online, status changes, last seen. Free rows have none."""
    texts = [labels(jid, name) if jid else "" for jid, name in zip(rows.jids, rows.names, strict=True)]
    online = [
        f"{CONTACT_ONLINE.name}{{{text}}} {status - 1}\n"
        for text, status in zip(texts, rows.status, strict=True)
        if status and text
    ]
    changes = [
        f'{CONTACT_STATUS_CHANGES.name}{{{text},status="online"}} {up}\n'
        f'{CONTACT_STATUS_CHANGES.name}{{{text},status="offline"}} {down}\n'
        for text, up, down in zip(texts, rows.went_online, rows.went_offline, strict=True)
        if text
    ]
    seen = [
        f"{CONTACT_LAST_SEEN.name}{{{text}}} {int(at)}\n"
        for text, at in zip(texts, rows.last_seen, strict=True)
        if at == at and text  # nan, which is hidden, differs from itself
    ]
    return _text(online), _text(changes), _text(seen)


def _text(lines: list[str]) -> bytes:
    return "".join(lines).encode("utf-8", "replace")

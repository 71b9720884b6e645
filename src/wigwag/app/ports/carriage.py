# SPDX-License-Identifier: Apache-2.0
"""What carries messages and media, and knows the numbering plans."""

from collections.abc import Collection, Sequence
from typing import Protocol

from wigwag.domain.contents import Kind
from wigwag.domain.delivery import Job
from wigwag.domain.ids import Jid
from wigwag.domain.media import Prepared
from wigwag.domain.messages import Message


class Courier(Protocol):
    """Carries messages for accounts with a link. Raises NotLinked without one: then nothing was sent."""

    async def compose(self, account: str, job: Job, media: Prepared | None) -> bytes:
        """What a job says, in WhatsApp's own form, with its secret. Media are uploaded here. Nothing is sent yet.

        Raises Unavailable where another attempt may help, InvalidMessage or Refused where none will.
        """
        ...

    async def send(self, account: str, to: Jid, message: bytes, job: Job) -> tuple[str, float]:
        """Send what was composed, and wait for WhatsApp's word. Returns the message's id, and when WhatsApp took it.

        Raises:
            NotLinked, Unavailable: it was surely not sent.
            Restricted, Refused: WhatsApp did not take it.
            Unconfirmed: nobody knows. Should the word still come, it is told as a SendSettled report.
        """
        ...

    async def trace(self, account: str, secret: str) -> str | None:
        """The id under which a message with this secret was, or was about to be, sent; None if it surely was not.

        Needs no link. Raises Unconfirmed when this cannot be found out.
        """
        ...

    async def registered(self, account: str, forms: Sequence[Jid]) -> dict[Jid, Jid]:
        """Which of these addresses WhatsApp knows, and under which address."""
        ...

    async def mark_read(self, account: str, message: Message) -> None:
        """Tell the sender that a message was read."""
        ...

    async def download(self, account: str, raw: bytes) -> bytes:
        """The media of a message, from its `raw`. Raises NotFound when WhatsApp does not keep them any more."""
        ...


class Numbering(Protocol):
    """The world's numbering plans."""

    def __call__(self, text: str) -> tuple[Jid, ...]:
        """The forms under which WhatsApp may know a person's number, the official one first. Raises InvalidJid."""
        ...


class Fetcher(Protocol):
    """Fetches what a URL names, from the public internet or from where an operator allowed."""

    async def fetch(self, url: str, limit: int) -> bytes:
        """At most `limit` bytes. Raises InvalidMessage if it cannot be had this way, Unavailable if not now."""
        ...


class MediaStore(Protocol):
    """Keeps media as files, within a budget."""

    async def keep(self, data: bytes) -> str:
        """Keep bytes. Returns their id. The same bytes are kept once. Raises Unavailable when the disk is full."""
        ...

    async def has(self, media_id: str) -> bool:
        """Whether they are here. Whoever asks is about to use them."""
        ...

    async def read(self, media_id: str) -> bytes:
        """Raises NotFound."""
        ...

    async def prepare(self, media_id: str, kind: Kind, mimetype: str = "", filename: str = "") -> Prepared:
        """The bytes with all that WhatsApp wants to be told of them. Raises NotFound, or InvalidMessage if unfit."""
        ...

    async def remove(self, ids: Collection[str]) -> None: ...

    async def cleanup(self, needed: Collection[str]) -> int:
        """Delete what was not used for longest until the rest fits the budget, but none that is needed. How many."""
        ...

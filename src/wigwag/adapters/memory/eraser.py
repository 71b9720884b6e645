# SPDX-License-Identifier: Apache-2.0
"""Deletes a person from jobs, receipts, messages and events in memory."""

from typing import TYPE_CHECKING

from wigwag.adapters.memory.events import MemoryEventLog
from wigwag.adapters.memory.jobs import MemoryJobArchive
from wigwag.adapters.memory.ledger import MemoryLedger
from wigwag.adapters.memory.messages import MemoryMessageStore
from wigwag.app.ports import Eraser
from wigwag.domain.contents import Media
from wigwag.domain.ids import Jid


class MemoryEraser:
    """The port Eraser over the memory stores."""

    def __init__(
        self, ledger: MemoryLedger, archive: MemoryJobArchive, messages: MemoryMessageStore, log: MemoryEventLog
    ) -> None:
        self._ledger, self._archive, self._messages, self._log = ledger, archive, messages, log

    async def erase_messages(self, jid: Jid) -> set[str]:
        before = self._media()
        self._log.erase(jid)
        self._archive.erase(jid)
        self._messages.erase(jid)
        return before - self._media()

    def _media(self) -> set[str]:
        """The ids of all media that something names."""
        received = {message.media for message in self._messages.messages.values()}
        contents = (job.content for job in self._ledger.jobs.values())
        return (received | {content.media for content in contents if isinstance(content, Media)}) - {""}


if TYPE_CHECKING:
    _: type[Eraser] = MemoryEraser

# SPDX-License-Identifier: Apache-2.0
"""What was said in chats, in memory. It keeps the same promises as a database, except to outlive the process."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wigwag.adapters.memory.events import MemoryEventLog
from wigwag.app.ports import MessageStore
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message, MessageKind
from wigwag.domain.outbox import Event
from wigwag.domain.texts import kept_text

Key = tuple[str, Jid, str]


class MemoryMessageStore:
    """The port MessageStore in memory. `messages` are all that are kept."""

    def __init__(self, log: MemoryEventLog) -> None:
        self._log = log
        self.messages: dict[Key, Message] = {}

    async def keep(self, messages: Sequence[Message], events: Sequence[Event] = ()) -> list[bool]:
        answers = [self._keep(message) for message in messages]
        fresh = [message for message, is_new in zip(messages, answers, strict=True) if is_new]
        self._change(fresh)
        twice = {(message.account, message.id) for message in messages}
        twice -= {(message.account, message.id) for message in fresh}
        self._log.write(event for event in events if (event.account, event.data.get("message")) not in twice)
        return answers

    async def get(self, account: str, chat: Jid, message_id: str) -> Message | None:
        return self.messages.get((account, chat, message_id))

    async def chat(self, account: str, chat: Jid, limit: int, before: tuple[float, str] | None = None) -> list[Message]:
        found = [
            message
            for message in self.messages.values()
            if (message.account, message.chat) == (account, chat)
            and (before is None or (message.at, message.id) < before)
        ]
        return sorted(found, key=lambda message: (message.at, message.id), reverse=True)[:limit]

    async def known(self, account: str, chats: Collection[Jid]) -> set[Jid]:
        return set(chats) & {message.chat for message in self.messages.values() if message.account == account}

    async def put_media(self, account: str, chat: Jid, message_id: str, media: str) -> None:
        if message := self.messages.get((account, chat, message_id)):
            self.messages[account, chat, message_id] = replace(message, media=media)

    async def forget(self, before: float) -> int:
        return self._remove(lambda message: message.at < before)

    def erase(self, jid: Jid) -> None:
        """Forget what was said from and to somebody."""
        self._remove(lambda message: jid in (message.chat, message.sender))

    def _keep(self, message: Message) -> bool:
        key = (message.account, message.chat, message.id)
        if key in self.messages:
            return False
        self.messages[key] = replace(
            message,
            name=kept_text(message.name),
            text=kept_text(message.text, None),
            mimetype=kept_text(message.mimetype),
        )
        return True

    def _change(self, fresh: Iterable[Message]) -> None:
        """Carry out edits and deletions: the new ones, and those that were kept before their target."""
        new = {(message.account, message.chat, message.id) for message in fresh}
        changes = [
            message
            for key, message in self.messages.items()
            if key in new or (message.account, message.chat, message.target) in new
        ]
        for kind in (MessageKind.EDIT, MessageKind.DELETION):
            for change in sorted(changes, key=lambda change: change.at):
                if change.kind is kind:
                    self._change_target(change)

    def _change_target(self, change: Message) -> None:
        key = (change.account, change.chat, change.target)
        target = self.messages.get(key)
        if target is None or target.sender != change.sender or target.deleted is not None:
            return
        if change.kind is MessageKind.DELETION:
            self.messages[key] = replace(target, text="", raw=b"", deleted=change.at)
        elif target.edited is None or target.edited <= change.at:
            self.messages[key] = replace(target, text=change.text, edited=change.at)

    def _remove(self, unwanted: Callable[[Message], bool]) -> int:
        gone = [key for key, message in self.messages.items() if unwanted(message)]
        for key in gone:
            del self.messages[key]
        return len(gone)


if TYPE_CHECKING:
    _: type[MessageStore] = MemoryMessageStore
